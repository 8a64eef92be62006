/*
 * rmail.c - RFC 976 2.4: each host on the way puts a "From" line in front, with
 * "remote from HOST" at its end; together they are the path back.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "ctl/sendmail/rmail.h"

#define LINE_MAX_FROM	2048

static bool
is_called_so(const char *name)
{
	const char *slash = strrchr(name, '/');

	return strcmp(slash != NULL ? slash + 1 : name, "rmail") == 0;
}

static void
fail(const char *why)
{
	fprintf(stderr, "rmail: %s\n", why);
	exit(EX_DATAERR);
}

/* The sender of one line; false: it is none. */
static bool
take_from(char *line, char *sender, size_t cap)
{
	char *at = line[0] == '>' ? line + 1 : line, *end, *remote;
	char whole[LINE_MAX_FROM];

	if (strncmp(at, "From ", 5) != 0)
		return false;
	at += 5;
	remote = strstr(at, " remote from ");
	end = at + strcspn(at, " \r\n");
	if (end == at)
		fail("the From line names no sender");
	if (remote != NULL) {
		remote += strlen(" remote from ");
		remote[strcspn(remote, " \r\n")] = '\0';
	}
	*end = '\0';
	/* A path of hosts with a domain at its end is an address. */
	if (strchr(at, '@') == NULL && remote != NULL && remote[0] != '\0') {
		snprintf(whole, sizeof(whole), "%s@%s", at, remote);
		at = whole;
	}
	if (strlcpy(sender, at, cap) >= cap)
		fail("the sender is too long");
	return true;
}

static bool
read_line(char *line, size_t cap)
{
	if (fgets(line, (int)cap, stdin) == NULL)
		return false;
	if (strchr(line, '\n') == NULL)
		fail("the first line is too long");
	return true;
}

/* The lines in front of the message, and no more: a field of its header does
 * not begin with ">". */
static void
read_from(char *sender, size_t cap)
{
	char line[LINE_MAX_FROM];
	int c;

	if (!read_line(line, sizeof(line)) || !take_from(line, sender, cap))
		fail("the first line is not \"From SENDER\"");
	while ((c = getc(stdin)) == '>') {
		(void)ungetc(c, stdin);
		if (read_line(line, sizeof(line)))
			(void)take_from(line, sender, cap);
	}
	if (c != EOF)
		(void)ungetc(c, stdin);
}

void
rmail_args(int *argc, char ***argv)
{
	static char sender[LINE_MAX_FROM];
	static char name[] = "sendmail", dot[] = "-i", from[] = "-f",
	    end[] = "--";
	char **args;
	int cnt = 0;

	if (*argc < 1 || !is_called_so((*argv)[0]))
		return;
	if ((args = calloc((size_t)*argc + 5, sizeof(*args))) == NULL)
		exit(EX_TEMPFAIL);
	read_from(sender, sizeof(sender));
	args[cnt++] = name;
	args[cnt++] = dot;
	args[cnt++] = from;
	args[cnt++] = sender;
	args[cnt++] = end;
	for (int i = 1; i < *argc; i++)
		if ((*argv)[i][0] != '-')
			args[cnt++] = (*argv)[i];
	*argc = cnt;
	*argv = args;
}
