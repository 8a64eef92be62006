/*
 * Who may ask what: every question a tool can put has a row, and groups are
 * what the table says.
 * room: ctl/control
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bus/messages.h"
#include "ctl/control/rights.h"

#define ALL	1234567		/* no group of anybody's */
#define READ	1234568
#define NOBODY	((uid_t)65534)

static enum right
of(gid_t gid, gid_t other)
{
	const gid_t gids[] = { 7654321, other };

	return rights_by(NOBODY - 1, gid, gids, 2);
}

static void
groups_have_their_rights(void **state)
{
	rights_set(ALL, READ);
	assert_int_equal(of(1, 2), RIGHT_NONE);
	assert_int_equal(of(READ, 2), RIGHT_READ);
	assert_int_equal(of(1, READ), RIGHT_READ);
	assert_int_equal(of(READ, ALL), RIGHT_ALL);
	assert_int_equal(of(ALL, READ), RIGHT_ALL);
	assert_int_equal(rights_by(0, 1, NULL, 0), RIGHT_ALL);
	assert_int_equal(rights_by(geteuid(), 1, NULL, 0), RIGHT_ALL);
}

static void
where_there_is_no_such_group_nobody_is_in_it(void **state)
{
	rights_set((gid_t)-1, (gid_t)-1);
	assert_int_equal(of((gid_t)-1, (gid_t)-1), RIGHT_NONE);
}

static void
every_question_of_a_tool_has_a_row_and_nothing_else_has(void **state)
{
	for (unsigned type = 0; type < MSG__COUNT; type++) {
		bool asks = type != MSG_hello && msg_allowed(type, ROLE_TOOL,
		    ROLE_CONTROL);

		if (rights_allow(RIGHT_ALL, type) != asks)
			fail_msg("%s", msg_name(type));
		assert_false(rights_allow(RIGHT_NONE, type));
	}
}

/* Root and we are believed in what they say, for they may act for others. */
static void
we_ourselves_say_who_we_are(void **state)
{
	char who[RIGHTS_WHO_MAX];
	int ends[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
	rights_who(ends[0], who);
	assert_string_equal(who, "");
	close(ends[0]);
	close(ends[1]);
	rights_who(ends[0], who);
	assert_string_equal(who, "nobody known");
}

static void
who_may_read_changes_nothing(void **state)
{
	static const unsigned changes[] = { MSG_edit_ask, MSG_suspend_ask,
	    MSG_reload_want, MSG_users_want };

	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		assert_false(rights_allow(RIGHT_READ, changes[i]));
	assert_true(rights_allow(RIGHT_READ, MSG_status_ask));
	assert_true(rights_allow(RIGHT_READ, MSG_story_ask));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_have_their_rights),
		cmocka_unit_test(where_there_is_no_such_group_nobody_is_in_it),
		cmocka_unit_test(
		    every_question_of_a_tool_has_a_row_and_nothing_else_has),
		cmocka_unit_test(who_may_read_changes_nothing),
		cmocka_unit_test(we_ourselves_say_who_we_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
