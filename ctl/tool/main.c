/*
 * main.c - posternctl: the administrator's tool.
 *
 * The files: cmd (which command), run and where (whom to ask), talk (asking),
 * select and listed (which messages), cmd_* (the commands), show and json
 * (printing), users and password (files of users).
 *
 * It has the rights of who calls it, and no others.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/tool/cmd.h"
#include "sys/inherited.h"

#define CONFIG_PATH	"/etc/postern/postern.conf"

enum {				/* of long options; the first are select_key */
	OPT_JSON = SELECT__COUNT, OPT_YES, OPT_DRY_RUN, OPT_FILE, OPT_USERS,
	OPT_BOUNCE, OPT_VIA, OPT_TEXT, OPT_REASON, OPT_QUIET,
	OPT_SINCE, OPT_FOLLOW, OPT_CHECK, OPT_PROMETHEUS, OPT_COUNT, OPT_AGE,
	OPT_HEADER, OPT_WHOLE, OPT_SERVER, OPT_SELECTOR,
	OPT_CERTIFICATE
};

static const struct option options[] = {
	{ "from", required_argument, NULL, SELECT_FROM },
	{ "to", required_argument, NULL, SELECT_TO },
	{ "login", required_argument, NULL, SELECT_LOGIN },
	{ "queue", required_argument, NULL, SELECT_QUEUE },
	{ "relay", required_argument, NULL, SELECT_RELAY },
	{ "status", required_argument, NULL, SELECT_STATUS },
	{ "code", required_argument, NULL, SELECT_CODE },
	{ "reply", required_argument, NULL, SELECT_REPLY },
	{ "older", required_argument, NULL, SELECT_OLDER },
	{ "newer", required_argument, NULL, SELECT_NEWER },
	{ "size", required_argument, NULL, SELECT_SIZE },
	{ "limit", required_argument, NULL, SELECT_LIMIT },
	{ "all", no_argument, NULL, SELECT_ALL },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "yes", no_argument, NULL, OPT_YES },
	{ "dry-run", no_argument, NULL, OPT_DRY_RUN },
	{ "via", required_argument, NULL, OPT_VIA },
	{ "text", required_argument, NULL, OPT_TEXT },
	{ "reason", required_argument, NULL, OPT_REASON },
	{ "quiet", no_argument, NULL, OPT_QUIET },
	{ "since", required_argument, NULL, OPT_SINCE },
	{ "follow", no_argument, NULL, OPT_FOLLOW },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "prometheus", no_argument, NULL, OPT_PROMETHEUS },
	{ "count", required_argument, NULL, OPT_COUNT },
	{ "age", required_argument, NULL, OPT_AGE },
	{ "server", required_argument, NULL, OPT_SERVER },
	{ "selector", required_argument, NULL, OPT_SELECTOR },
	{ "certificate", required_argument, NULL, OPT_CERTIFICATE },
	{ "header", no_argument, NULL, OPT_HEADER },
	{ "whole", no_argument, NULL, OPT_WHOLE },
	{ "bounce", no_argument, NULL, OPT_BOUNCE },
	{ "file", required_argument, NULL, OPT_FILE },
	{ "users", required_argument, NULL, OPT_USERS },
	{ "socket", required_argument, NULL, 's' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 }
};

static void
print_help(FILE *out)
{
	const struct cmd *c;

	fputs("usage: posternctl [-f FILE] [-s SOCKET] [--json] COMMAND\n\n",
	    out);
	for (unsigned i = 0; (c = cmd_row(i)) != NULL; i++) {
		char name[64];

		snprintf(name, sizeof(name), "%s%s%s %s", c->verb,
		    c->second[0] != '\0' ? " " : "", c->second, c->synopsis);
		fprintf(out, "  %-26s %s\n", name, c->help);
	}
	fputs("\nSELECTION: ID... --from A --to A --login L --queue Q "
	    "--relay R --status S --code C\n"
	    "  --reply TEXT --older T --newer T --size +10M --limit N "
	    "--all; with --yes, --dry-run\n"
	    "See posternctl(8).\n", out);
}

static enum run_end
try_help(const char *why)
{
	run_complain("%s (posternctl --help shows all)", why);
	return END_USAGE;
}

/* What a command must take for this option; 0 for those of all. */
static unsigned
taken_by(int option)
{
	if (option == SELECT_QUEUE)
		return TAKES_SELECTION | TAKES_QUEUE;
	if (option == SELECT_FROM || option == SELECT_LOGIN)
		return TAKES_SELECTION | TAKES_WHOSE;
	if (option == SELECT_RELAY)
		return TAKES_SELECTION | TAKES_RELAY;
	if (option == SELECT_ALL)
		return TAKES_SELECTION | TAKES_ALL;
	if (option == SELECT_LIMIT)
		return TAKES_SELECTION | TAKES_PAST;
	if (option >= 0 && option < SELECT__COUNT)
		return TAKES_SELECTION;
	if (option == OPT_SINCE || option == OPT_FOLLOW)
		return TAKES_PAST;
	if (option >= OPT_CHECK && option <= OPT_AGE)
		return TAKES_CHECK;
	if (option == OPT_SERVER || option == OPT_SELECTOR ||
	    option == OPT_CERTIFICATE)
		return TAKES_DNS;
	if (option == OPT_HEADER || option == OPT_WHOLE)
		return TAKES_PART;
	if (option == OPT_BOUNCE)
		return TAKES_WHOSE;
	if (option == OPT_REASON || option == OPT_QUIET)
		return option == OPT_QUIET ? TAKES_QUIET : TAKES_REASON;
	if (option == OPT_VIA || option == OPT_TEXT)
		return option == OPT_VIA ? TAKES_VIA : TAKES_TEXT;
	if (option == OPT_YES || option == OPT_DRY_RUN)
		return TAKES_YES;
	return option == OPT_FILE || option == OPT_USERS ? TAKES_USERS : 0;
}

static const char *
take_option(struct run *r, int option, const char *value)
{
	if (option >= 0 && option < SELECT__COUNT)
		return select_option(&r->select, (enum select_key)option,
		    span_of(value));
	switch (option) {
	case OPT_JSON:		r->json = true; break;
	case OPT_YES:		r->yes = true; break;
	case OPT_DRY_RUN:	r->dry_run = true; break;
	case OPT_BOUNCE:	r->bounce = true; break;
	case OPT_VIA:		r->via = value; break;
	case OPT_TEXT:		r->text = value; break;
	case OPT_REASON:	r->reason = value; break;
	case OPT_QUIET:		r->quiet = true; break;
	case OPT_FOLLOW:	r->follow = true; break;
	case OPT_CHECK:		r->check = true; break;
	case OPT_PROMETHEUS:	r->prometheus = true; break;
	case OPT_SERVER:	r->server = value; break;
	case OPT_SELECTOR:	r->selector = value; break;
	case OPT_CERTIFICATE:	r->certificate = value; break;
	case OPT_HEADER:	r->header = true; break;
	case OPT_WHOLE:		r->whole = true; break;
	case OPT_COUNT:		r->count = value; break;
	case OPT_AGE:		r->age = value; break;
	case OPT_SINCE:
		return select_option(&r->select, SELECT_NEWER,
		    span_of(value));
	case OPT_FILE:		r->users_file = value; break;
	case OPT_USERS:		r->users_block = value; break;
	case 'f':		r->config = value; break;
	case 's':		r->socket = value; break;
	default:		return "there is no such option";
	}
	return NULL;
}

static const char *
option_name(int option)
{
	for (const struct option *o = options; o->name != NULL; o++)
		if (o->val == option)
			return o->name;
	return "";
}

/*
 * Options may stand anywhere: *seen gets a bit for each, and what is no option
 * ends up behind optind.
 */
static enum run_end
take_options(struct run *r, int argc, char **argv, uint64_t *seen)
{
	const char *wrong;
	int option;

	while ((option = getopt_long(argc, argv, "f:s:h", options, NULL)) !=
	    -1) {
		if (option == 'h') {
			print_help(stdout);
			exit(END_DONE);
		}
		if (option == '?')
			return END_USAGE;	/* getopt has said why */
		wrong = take_option(r, option, optarg);
		if (wrong != NULL) {
			run_complain("--%s: %s", option_name(option), wrong);
			return END_USAGE;
		}
		if (option < 64)
			*seen |= 1ull << option;
	}
	return END_DONE;
}

static enum run_end
refuse_foreign(const struct cmd *c, uint64_t seen)
{
	for (int option = 0; option < 64; option++)
		if ((seen >> option & 1) != 0 && taken_by(option) != 0 &&
		    (taken_by(option) & c->takes) == 0) {
			run_complain("%s%s%s does not take --%s", c->verb,
			    c->second[0] != '\0' ? " " : "", c->second,
			    option_name(option));
			return END_USAGE;
		}
	return END_DONE;
}

static enum run_end
take_args(struct run *r, const struct cmd *c)
{
	const char *wrong;

	if (r->arg_cnt > c->most) {
		run_complain("%s%s%s: what is \"%s\"?", c->verb,
		    c->second[0] != '\0' ? " " : "", c->second,
		    r->args[c->most]);
		return END_USAGE;
	}
	if ((c->takes & TAKES_SELECTION) == 0)
		return END_DONE;
	for (int i = 0; i < r->arg_cnt; i++) {
		wrong = select_id(&r->select, span_of(r->args[i]));
		if (wrong != NULL) {
			run_complain("%s: %s", r->args[i], wrong);
			return END_USAGE;
		}
	}
	return END_DONE;
}

int
main(int argc, char **argv)
{
	static struct run run = { .config = CONFIG_PATH };
	const struct cmd *c;
	uint64_t seen = 0;
	enum run_end end;
	char *why = NULL;
	int used;

	inherited_drop(inherited_named(argc, argv), 1);
	if ((end = take_options(&run, argc, argv, &seen)) != END_DONE)
		return end;
	if (optind == argc) {
		print_help(stderr);
		return END_USAGE;
	}
	c = cmd_find(argv + optind, argc - optind, &used, &why);
	if (c == NULL) {
		end = try_help(why != NULL ? why : "no memory");
		free(why);
		return end;
	}
	run.args = argv + optind + used;
	run.arg_cnt = argc - optind - used;
	if ((end = refuse_foreign(c, seen)) != END_DONE ||
	    (end = take_args(&run, c)) != END_DONE)
		return end;
	end = c->run(&run);
	if (fflush(stdout) == EOF && end == END_DONE)
		end = END_NOTHING;
	return end;
}
