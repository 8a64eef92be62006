/*
 * Relays for the users of this host: homes that are out of reach are told of,
 * and what else does not fit.
 */
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
#define AS_HIM(options)							\
	"edge in { type smtp }\n"					\
	"queue q { type lmdb; relay r; aliases /etc/aliases }\n"	\
	"relay r { type maildrop; " options " }\n"
#define WORDS_10	" a b c d e f g h i j"
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
	{ AS_HIM("user recipient"), CONF_HOMES_THERE, "" },
	{ AS_HIM("user recipient"), CONF_HOMES_HIDDEN, HIDDEN },
	{ AS_HIM("user ann"), CONF_HOMES_HIDDEN, "" },
};

static const struct {
	const char	*text, *told;
} mistakes[] = {
	{ AS_HIM("minimum_uid 9"), "f:3:26: minimum_uid has no meaning without "
	    "`user recipient'" },
	{ AS_HIM("minimum_uid 9; user ann"), "f:3:26: minimum_uid has no "
	    "meaning without `user recipient'" },
	{ AS_HIM("user recipient; extra_args" WORDS_10 WORDS_10 WORDS_10
	    WORDS_10 WORDS_10 WORDS_10), "f:3:42: a program is started with "
	    "at most 55 words, and these are 60" },
	{ "edge in { type smtp }\nqueue q { type lmdb; relay r }\n"
	    "relay r { type pipe; args /usr/bin/procmail; user recipient }\n",
	    "f:2:7: warning: mail for root waits in queue q" },
	{ "edge in { type smtp }\nqueue q { type lmdb; relay r }\n"
	    "relay r { type maildir; path \"/m/{user}\"; detail_folder create "
	    "}\n", "f:3:43: addresses have no detail without "
	    "recipient_delimiter" },
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

static void
what_has_no_meaning_alone_is_told(void **state)
{
	for (size_t i = 0; i < sizeof(mistakes) / sizeof(mistakes[0]); i++) {
		const struct memory_file files[] = {
			{ "f", mistakes[i].text }, MEMORY_HOST };
		struct memory m = { .files = files };
		struct conf *c = NULL;

		(void)!memory_load(&m, &c, false);
		conf_free(&c);
		if (strncmp(m.told, mistakes[i].told,
		    strlen(mistakes[i].told)) != 0)
			fail_msg("row %zu: %s", i, m.told);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    homes_out_of_reach_are_told_where_they_are_needed),
		cmocka_unit_test(what_has_no_meaning_alone_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
