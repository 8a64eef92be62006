/* Relays whose users' homes are out of reach: they are told of. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "conf_memory.h"

#define USERS(options)							\
	"edge in { type smtp }\n"					\
	"queue q { type lmdb; relay r; aliases /etc/aliases }\n"	\
	"relay r { type local" options " }\n"
#define HIDDEN								\
	"f:3:7: warning: relay r needs the homes of users, and this unit " \
	"hides them: give it ProtectHome=no, by `systemctl edit postern'\n"

static const struct {
	const char	*text;
	enum conf_homes	 homes;
	const char	*told;
} rows[] = {
	{ USERS(""), CONF_HOMES_HIDDEN, "" },
	{ USERS("; path \"~/Maildir/\""), CONF_HOMES_THERE, "" },
	{ USERS("; path \"~/Maildir/\""), CONF_HOMES_HIDDEN, HIDDEN },
	{ USERS("; forward_file yes"), CONF_HOMES_HIDDEN, HIDDEN },
	{ USERS("; forward_file yes"), CONF_HOMES_READ_ONLY, "" },
	{ USERS("; path \"~/Maildir/\""), CONF_HOMES_READ_ONLY,
	    "f:3:7: warning: relay r writes to the homes of users, and for "
	    "this unit they are read-only" },
};

/* A unit that hides them is no mistake of the file: another may have it. */
static void
homes_out_of_reach_are_told_where_they_are_needed(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct memory_file files[] = { { "f", rows[i].text },
			MEMORY_HOST };
		struct memory m = { .files = files, .homes = rows[i].homes };
		struct conf *c = NULL;

		assert_int_equal(memory_load(&m, &c, false), OK);
		conf_free(&c);
		if (strncmp(m.told, rows[i].told, strlen(rows[i].told)) != 0 ||
		    (rows[i].told[0] == '\0' && m.told_len > 0))
			fail_msg("row %zu: %s", i, m.told);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    homes_out_of_reach_are_told_where_they_are_needed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
