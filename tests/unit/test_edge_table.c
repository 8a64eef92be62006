/*
 * The order of the dialogue, as a picture: a change of the table shows here.
 *
 * room: edge
 */
#include "edge_kit.h"

static void
each_state_takes_these_commands(void **state)
{
	char *got = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&got, &len);

	session_print_table(out);
	fclose(out);
	assert_string_equal(got,
	    "new    EHLO HELO RSET NOOP VRFY HELP QUIT\n"
	    "ready  EHLO HELO STARTTLS AUTH MAIL RSET NOOP VRFY HELP QUIT\n"
	    "mail   EHLO HELO RCPT RSET NOOP VRFY HELP QUIT\n"
	    "rcpt   EHLO HELO RCPT DATA RSET NOOP VRFY HELP QUIT\n"
	    "ask   \n"
	    "data  \n"
	    "wait  \n"
	    "secure\n"
	    "auth  \n"
	    "login \n"
	    "shut   QUIT\n"
	    "closed\n");
	free(got);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_state_takes_these_commands),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
