/*
 * args.c - getopt(3) stops at the first argument that is no option, as callers
 * of sendmail expect ("+").
 */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "ctl/sendmail/args.h"

/*
 * Ignored with a value: A B D L O X h p z; without one: E G U c m n s x.
 * -o, -e and -d have theirs attached or not at all, as -q.
 */
#define OPTIONS	"+A:B:C:D:EF:GIL:N:O:R:UV:X:b:cd::e::f:h:imno::p:q::r:stvxz:"

static const char *
base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL ? slash + 1 : path;
}

static enum err
complain(const char *what)
{
	fprintf(stderr, "sendmail: %s\n", what);
	return ERR_PEER;
}

/* -b and its letters; those of the queue have more of them in Exim. */
static enum err
take_mode(struct args *a, const char *letters)
{
	static const struct {
		const char	*letters;
		enum args_mode	 mode;
	} modes[] = {
		{ "m", MODE_SEND }, { "p", MODE_LIST }, { "pa", MODE_LIST },
		{ "pr", MODE_LIST }, { "pra", MODE_LIST },
		{ "pru", MODE_LIST }, { "pu", MODE_LIST },
		{ "i", MODE_ALIASES }, { "s", MODE_TALK },
		{ "v", MODE_VERIFY }, { "vs", MODE_VERIFY },
		{ "t", MODE_ROUTE }, { "h", MODE_NOTHING },
		{ "H", MODE_NOTHING }, { "nq", MODE_SEND },
	};

	for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++)
		if (strcmp(letters, modes[i].letters) == 0) {
			a->mode = modes[i].mode;
			return OK;
		}
	if (letters[0] == 'd' || letters[0] == 'D' || letters[0] == 'l')
		return complain("postern is no daemon of sendmail's: "
		    "systemctl start postern, or postern(8)");
	return complain("of -b only -bm, -bp, -bi, -bs, -bv and -bt are "
	    "known");
}

/* -o: the value of Exim's -oM is an argument of its own. */
static void
take_old(struct args *a, const char *value, int argc)
{
	if (value == NULL)
		return;
	if (strcmp(value, "i") == 0 || strcmp(value, "itrue") == 0 ||
	    strcmp(value, "iTrue") == 0)
		a->dot_is_text = true;
	if (value[0] == 'M' && strlen(value) <= 3 && optind < argc - 1)
		optind++;
}

/* -N: never, or a list; blanks behind a comma are common. */
static enum err
take_notify(struct args *a, const char *value)
{
	char list[64];
	size_t len = 0;

	for (; *value != '\0' && len < sizeof(list); value++)
		if (*value != ' ')
			list[len++] = *value;
	if (!dsn_read_notify((struct span){ list, len }, &a->notify))
		return complain("-N takes never, or a list of failure, "
		    "delay and success");
	return OK;
}

/* -V: the text itself; it becomes xtext on its way. */
static enum err
take_envid(struct args *a, const char *value)
{
	a->envid_len = dsn_encode(span_of(value), a->envid,
	    sizeof(a->envid));
	if (!dsn_is_envid((struct span){ a->envid, a->envid_len }))
		return complain("-V takes printable ASCII, of at most 100 "
		    "bytes in xtext");
	return OK;
}

static enum err
take_option(struct args *a, int option, const char *value, int argc)
{
	switch (option) {
	case 'b':
		return take_mode(a, value);
	case 'C':
		a->config = value;
		break;
	case 'F':
		a->name = value;
		break;
	case 'f':
	case 'r':
		a->sender = value;
		break;
	case 'I':
		a->mode = MODE_ALIASES;
		break;
	case 'i':
		a->dot_is_text = true;
		break;
	case 'o':
		take_old(a, value, argc);
		break;
	case 'N':
		return take_notify(a, value);
	case 'R':
		if (!dsn_read_ret(span_of(value), &a->ret))
			return complain("-R takes full or hdrs");
		break;
	case 'V':
		return take_envid(a, value);
	case 'q':
		if (a->mode == MODE_SEND)
			a->mode = MODE_FLUSH;
		break;
	case 't':
		a->reads_recipients = true;
		break;
	case 'v':
		a->is_loud = true;
		break;
	case '?':
		return ERR_PEER;	/* getopt has said why */
	default:
		break;
	}
	return OK;
}

enum err
args_read(struct args *out, int argc, char **argv)
{
	struct args a = { .mode = MODE_SEND };
	const char *name = argc > 0 ? base_name(argv[0]) : "";
	enum err e = OK;
	int option;

	if (strcmp(name, "mailq") == 0)
		a.mode = MODE_LIST;
	else if (strcmp(name, "newaliases") == 0)
		a.mode = MODE_ALIASES;
	else if (strcmp(name, "hoststat") == 0 ||
	    strcmp(name, "purgestat") == 0)
		a.mode = MODE_NOTHING;
	while (e == OK && (option = getopt(argc, argv, OPTIONS)) != -1)
		e = take_option(&a, option, optarg, argc);
	if (e != OK)
		return e;
	a.rcpts = argv + optind;
	a.rcpt_cnt = argc - optind;
	*out = a;
	return OK;
}
