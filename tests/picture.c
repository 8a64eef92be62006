/*
 * picture - the house as its lists have it: the processes, what they may say
 * to each other, the table of the SMTP dialogue, who judges a client at each
 * of its stages, and what a relay replies of its own.  `make picture'.
 *
 * tests/lint/picture.sh compares ARCHITECTURE.md with the first two.
 */
#include <stdio.h>
#include <string.h>

#include "bus/messages.h"
#include "edge/smtp/session.h"
#include "edge/stage/stage.h"

static const struct {
	unsigned	 flag;
	const char	*word;
} mays[] = {
	{ MAY_ACCEPT, "accept" }, { MAY_DIAL, "dial" }, { MAY_ASK, "ask" },
	{ MAY_FILES, "files" }, { MAY_READ, "read" }, { MAY_STORE, "store" },
	{ MAY_THREADS, "threads" }, { MAY_TAKE, "take" },
	{ MAY_EXEC, "exec" }, { MAY_PIPES, "pipes" },
	{ MAY_MARK, "mark" },
	{ MAY_BECOME, "become" }, { MAY_PICK, "pick" },
};

static void
print_processes(void)
{
	static const char *const roots[] = { "host", "empty", "own" };

	printf("%-10s %-17s %-16s %-6s %s\n", "process", "program", "user",
	    "root", "may");
	for (unsigned r = 0; r < ROLE__COUNT; r++) {
		const struct role_row *row = role_row(r);

		printf("%-10s %-17s %-16s %-6s", row->name, row->program,
		    row->user[0] == '\0' ? "the block's" : row->user,
		    roots[row->root]);
		for (size_t i = 0; i < sizeof(mays) / sizeof(mays[0]); i++)
			if (row->may & mays[i].flag)
				printf(" %s", mays[i].word);
		printf("\n");
	}
}

/* hello is everybody's, and no arrow. */
static void
print_arrow(unsigned from, unsigned to)
{
	unsigned cnt = 0;
	int column = 0;

	for (unsigned type = 0; type < MSG__COUNT; type++) {
		const char *name = msg_name(type);

		if (type == MSG_hello || !msg_allowed(type, from, to) ||
		    from == to)
			continue;
		if (cnt++ == 0)
			column = printf("%-9s-> %-9s", role_row(from)->name,
			    role_row(to)->name);
		if (column + 1 + (int)strlen(name) > 78)
			column = printf("\n%21s", "") - 1;
		column += printf(" %s", name);
	}
	if (cnt > 0)
		printf("\n");
}

static void
print_replies(void)
{
	static const struct {
		const char	*class, *scope, *text, *why;
		unsigned	 code;
	} rows[] = {
#define OWN(name, class, scope, code, text, why)			\
		{ #class, #scope, text, why, code },
#include "relay/own.def"
#undef OWN
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const char *of = strstr(rows[i].text, "%s");
		size_t len = of != NULL ? (size_t)(of - rows[i].text) :
		    strlen(rows[i].text);

		printf("%-6s %-11s  %u %.*s%s%s\n%21s%s\n", rows[i].class,
		    rows[i].scope, rows[i].code, (int)len, rows[i].text,
		    of != NULL ? "..." : "", of != NULL ? of + 2 : "", "",
		    rows[i].why);
	}
}

int
main(void)
{
	print_processes();
	printf("\n");
	for (unsigned from = 0; from < ROLE__COUNT; from++)
		for (unsigned to = 0; to < ROLE__COUNT; to++)
			print_arrow(from, to);
	printf("\n");
	session_print_table(stdout);
	printf("\n");
	stage_print(stdout);
	printf("\n");
	print_replies();
	return 0;
}
