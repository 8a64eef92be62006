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
	    "new     (connect) EHLO HELO LHLO RSET NOOP VRFY HELP QUIT\n"
	    "ready   EHLO HELO LHLO STARTTLS AUTH MAIL RSET NOOP VRFY HELP "
	    "QUIT\n"
	    "mail    EHLO HELO LHLO RCPT RSET NOOP VRFY HELP QUIT\n"
	    "rcpt    EHLO HELO LHLO RCPT DATA BDAT RSET NOOP VRFY HELP QUIT\n"
	    "data    (end)\n"
	    "chunk   (chunk) (last)\n"
	    "chunks  EHLO HELO LHLO BDAT RSET NOOP VRFY HELP QUIT\n"
	    "secure  (secured)\n"
	    "auth    (response)\n"
	    "pending\n"
	    "shut    QUIT\n"
	    "closed \n");
	free(got);
}

static void
each_stage_has_these_checks(void **state)
{
	char *got = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&got, &len);

	stage_print(out);
	fclose(out);
	assert_string_equal(got,
	    "CONNECT  rules, dnsbl (resolver), name (resolver), lua\n"
	    "EHLO     lua\n"
	    "STARTTLS lua\n"
	    "AUTH     login (users, 454 4.7.0 if away), lua\n"
	    "MAIL     rules, spf (resolver), lua, "
	    "queue (queue, 451 4.3.0 if away)\n"
	    "RCPT     rules, dnsbl (resolver), limits, lua, "
	    "queue (queue, 451 4.3.0 if away)\n"
	    "DATA     name (resolver), lua, queue (queue, 451 4.3.0 if away)"
	    "\n"
	    "END      text, lua, queue (queue, 451 4.3.0 if away), lua\n"
	    "RSET     lua\n"
	    "QUIT     lua\n");
	free(got);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_state_takes_these_commands),
		cmocka_unit_test(each_stage_has_these_checks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
