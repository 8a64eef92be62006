/* What SMTP clients may say: LIN-06, 07, 13 to 15 and SEQ-12 to 16. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mail/command.h"
#include "mail/dsn.h"

static void
a_line_is_verb_and_arguments(void **state)
{
	struct command c;

	(void)state;
	assert_int_equal(command_parse(SPAN("mail FROM:<> \t "), &c), OK);
	assert_true(span_eq(c.verb, SPAN("mail")));
	assert_true(span_eq(c.args, SPAN("FROM:<>")));
	assert_int_equal(command_parse(SPAN("RSET "), &c), OK);
	assert_true(span_eq(c.verb, SPAN("RSET")));
	assert_int_equal(c.args.len, 0);
	assert_int_equal(command_parse(SPAN("NOOP \xce\xb4"), &c), OK);
}

static void
lines_that_are_no_command_are_refused(void **state)
{
	static const struct span bad[] = {
		{ "", 0 }, { " NOOP", 5 }, { "NO-OP", 5 }, { "N0OP", 4 },
		{ "EHLO a\0b", 8 }, { "NOOP\rRSET", 9 }, { "NOOP a\nb", 8 },
		{ "NOOP \x1b", 6 }, { "NOOP \x7f", 6 }, { "\x16\x03\x01", 3 },
		{ "NOOP\0", 5 }, { "MAIL:<a@x>", 10 },
	};
	struct command c;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (command_parse(bad[i], &c) != ERR_PEER)
			fail_msg("taken: %zu", i);
}

static void
mail_is_judged(void **state)
{
	static const struct {
		const char	  *args;
		enum command_fault want;
	} cases[] = {
		{ "FROM:<>",				FAULT_NONE },
		{ "from:<a@x>",				FAULT_NONE },
		{ "FROM:<a@x> SIZE=1 BODY=8BITMIME SMTPUTF8", FAULT_NONE },
		{ "FROM:<a@x> body=7bit",		FAULT_NONE },
		{ "FROM:<a@x> SIZE=99999999999999999999", FAULT_NONE },
		{ "FROM:<\xce\xb4@x> SIZE=1 SMTPUTF8",	FAULT_NONE },
		{ "FROM:<\xce\xb4@x> SIZE=1",		FAULT_UTF8 },
		{ "FROM:<\xff@x> SMTPUTF8",		FAULT_ADDRESS },
		{ "FROM:<postmaster>",			FAULT_ADDRESS },
		{ "FROM:<a>",				FAULT_NONE },
		{ "FROM:a SIZE=1",			FAULT_NONE },
		{ "FROM:a\tSIZE=1",			FAULT_ADDRESS },
		{ "FROM:<a@x",				FAULT_ADDRESS },
		{ "FROM: <a@x> SIZE=1",			FAULT_NONE },
		{ "FROM:  <a@x>",			FAULT_SYNTAX },
		{ "FROM:\t<a@x>",			FAULT_ADDRESS },
		{ "FROM:a@x SIZE=1",			FAULT_NONE },
		{ "FROM: a@x",				FAULT_NONE },
		{ "FROM:\"a b\"@x SIZE=1",		FAULT_NONE },
		{ "FROM:a@x\tSIZE=1",			FAULT_ADDRESS },
		{ "FROM:a@x>",				FAULT_ADDRESS },
		{ "FROM:a@x<",				FAULT_ADDRESS },
		{ "FROM:a@x SIZE",			FAULT_SYNTAX },
		{ "FROM:postmaster",			FAULT_ADDRESS },
		{ "FROM:@r:a@x",			FAULT_ADDRESS },
		{ "FROM:\xce\xb4@x",			FAULT_UTF8 },
		{ "FROM <a@x>",				FAULT_SYNTAX },
		{ "FROM:",				FAULT_SYNTAX },
		{ "",					FAULT_SYNTAX },
		{ "TO:<a@x>",				FAULT_SYNTAX },
		{ "FROM:<a@x>SIZE=1",			FAULT_SYNTAX },
		{ "FROM:<a@x> SIZE=1 SIZE=2",		FAULT_SYNTAX },
		{ "FROM:<a@x> SIZE=",			FAULT_SYNTAX },
		{ "FROM:<a@x> SIZE",			FAULT_SYNTAX },
		{ "FROM:<a@x> SIZE=-1",			FAULT_SYNTAX },
		{ "FROM:<a@x> SIZE=1x",			FAULT_SYNTAX },
		{ "FROM:<a@x> SIZE=000000000000000000001", FAULT_SYNTAX },
		{ "FROM:<a@x> BODY=foo",		FAULT_SYNTAX },
		{ "FROM:<a@x> BODY=BINARYMIME",		FAULT_NONE },
		{ "FROM:<a@x> SMTPUTF8=1",		FAULT_SYNTAX },
		{ "FROM:<a@x> AUTH=<>",			FAULT_NONE },
		{ "FROM:<a@x> AUTH=e+3Dmc2@x",		FAULT_NONE },
		{ "FROM:<a@x> AUTH=a+3db",		FAULT_SYNTAX },
		{ "FROM:<a@x> AUTH=a+3",		FAULT_SYNTAX },
		{ "FROM:<a@x> AUTH=a=b",		FAULT_SYNTAX },
		{ "FROM:<a@x> AUTH=\xce\xb4@x",		FAULT_SYNTAX },
		{ "FROM:<a@x> AUTH",			FAULT_SYNTAX },
		{ "FROM:<a@x> AUTH=",			FAULT_SYNTAX },
		{ "FROM:<a@x> SMTPUTF8 smtputf8",	FAULT_SYNTAX },
		{ "FROM:<a@x> RET=HDRS ENVID=QQ314159",	FAULT_NONE },
		{ "FROM:<> ret=full envid=a+2Bb",	FAULT_NONE },
		{ "FROM:<a@x> RET=HDRS RET=HDRS",	FAULT_SYNTAX },
		{ "FROM:<a@x> ENVID=a ENVID=b",		FAULT_SYNTAX },
		{ "FROM:<a@x> RET=BOTH",		FAULT_RET },
		{ "FROM:<a@x> RET",			FAULT_SYNTAX },
		{ "FROM:<a@x> RET=",			FAULT_SYNTAX },
		{ "FROM:<a@x> ENVID=a+b",		FAULT_ENVID },
		{ "FROM:<a@x> ENVID=\xce\xb4 SMTPUTF8",	FAULT_ENVID },
		{ "FROM:<a@x> ENVID",			FAULT_SYNTAX },
		{ "FROM:<a@x> NOTIFY=NEVER",		FAULT_PARAM },
		{ "FROM:<a@x> FOO=1",			FAULT_PARAM },
		{ "FROM:<a@x> FOO",			FAULT_PARAM },
		{ "FROM:<a@x> FOO=a=b",			FAULT_SYNTAX },
		{ "FROM:<a@x> =1",			FAULT_SYNTAX },
		{ "FROM:<a@x> -A=1",			FAULT_SYNTAX },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct command_mail m;

		if (command_mail(span_of(cases[i].args), true, &m) !=
		    cases[i].want)
			fail_msg("wrong: %s", cases[i].args);
	}
}

static void
mail_tells_what_was_said(void **state)
{
	struct command_mail m;

	(void)state;
	assert_int_equal(command_mail(SPAN("FROM:<a@x> SMTPUTF8 SIZE=42 "
	    "BODY=8bitmime"), true, &m), FAULT_NONE);
	assert_true(m.has_size && m.has_body && m.is_8bit && m.smtputf8);
	assert_int_equal(m.size, 42);
	assert_true(span_eq(m.sender.whole, SPAN("a@x")));
	assert_int_equal(command_mail(SPAN("FROM:<> BODY=7BIT"), true, &m),
	    FAULT_NONE);
	assert_true(m.has_body);
	assert_false(m.has_size || m.is_8bit || m.smtputf8);
	assert_int_equal(m.sender.kind, ADDRESS_NULL);
	assert_int_equal(m.ret, DSN_RET_NONE);
	assert_int_equal(m.envid.len, 0);
	assert_int_equal(command_mail(SPAN("FROM:<> RET=HDRS ENVID=x+20y"),
	    true, &m), FAULT_NONE);
	assert_int_equal(m.ret, DSN_RET_HDRS);
	assert_true(span_eq(m.envid, SPAN("x+20y")));
	assert_int_equal(command_mail(SPAN("FROM:<> SIZE=99999999999999999999"),
	    true, &m), FAULT_NONE);
	assert_true(m.size == UINT64_MAX);
}

static void
after_helo_there_are_no_parameters(void **state)
{
	struct command_mail m;
	struct command_rcpt r;

	(void)state;
	assert_int_equal(command_mail(SPAN("FROM:<a@x>"), false, &m),
	    FAULT_NONE);
	assert_int_equal(command_mail(SPAN("FROM:<a@x> SIZE=1"), false, &m),
	    FAULT_PARAM);
	assert_int_equal(command_rcpt(SPAN("TO:<a@x> FOO=1"), false, false, &r),
	    FAULT_PARAM);
	assert_int_equal(command_mail(SPAN("FROM:<a@x> RET=FULL"), false, &m),
	    FAULT_PARAM);
	assert_int_equal(command_rcpt(SPAN("TO:<a@x> NOTIFY=NEVER"), false,
	    false, &r), FAULT_PARAM);
}

static void
rcpt_is_judged(void **state)
{
	struct command_rcpt r;

	(void)state;
	assert_int_equal(command_rcpt(SPAN("To:<PostMaster>"), true, false, &r),
	    FAULT_NONE);
	assert_int_equal(r.rcpt.kind, ADDRESS_POSTMASTER);
	assert_int_equal(command_rcpt(SPAN("TO:<@r:a@x>"), true, false, &r),
	    FAULT_NONE);
	assert_true(span_eq(r.rcpt.whole, SPAN("a@x")));
	assert_int_equal(command_rcpt(SPAN("TO:<>"), true, false, &r),
	    FAULT_ADDRESS);
	assert_int_equal(command_rcpt(SPAN("TO:<v@o@x>"), true, false, &r),
	    FAULT_ADDRESS);
	assert_int_equal(command_rcpt(SPAN("TO: <a@x>"), true, false, &r),
	    FAULT_NONE);
	assert_int_equal(command_rcpt(SPAN("TO:POSTMASTER NOTIFY=NEVER"), true,
	    false, &r), FAULT_NONE);
	assert_int_equal(r.rcpt.kind, ADDRESS_POSTMASTER);
	assert_int_equal(command_rcpt(SPAN("TO:postmaster@x"), true, false,
	    &r), FAULT_NONE);
	assert_int_equal(r.rcpt.kind, ADDRESS_DOMAIN);
	assert_int_equal(command_rcpt(SPAN("TO:postmasters"), true, false, &r),
	    FAULT_NONE);
	assert_int_equal(r.rcpt.kind, ADDRESS_USER);
	assert_int_equal(command_rcpt(SPAN("TO: "), true, false, &r),
	    FAULT_SYNTAX);
	assert_int_equal(command_rcpt(SPAN("TO:<\xce\xb4@x>"), true, false,
	    &r), FAULT_UTF8);
	assert_int_equal(command_rcpt(SPAN("TO:<\xce\xb4@x>"), true, true, &r),
	    FAULT_NONE);
	assert_int_equal(command_rcpt(SPAN("TO:<a@x> SIZE=1"), true, false, &r),
	    FAULT_PARAM);
}

static void
rcpt_says_what_it_wants_of_reports(void **state)
{
	static const struct {
		const char	  *args;
		bool		   utf8;
		enum command_fault want;
	} cases[] = {
		{ "TO:<a@x> NOTIFY=SUCCESS,DELAY",	  false, FAULT_NONE },
		{ "TO:<a@x> ORCPT=rfc822;B@x notify=never", false, FAULT_NONE },
		{ "TO:<a@x> NOTIFY=NEVER,DELAY",	  false, FAULT_NOTIFY },
		{ "TO:<a@x> NOTIFY=NOW",		  false, FAULT_NOTIFY },
		{ "TO:<a@x> NOTIFY=",			  false, FAULT_SYNTAX },
		{ "TO:<a@x> NOTIFY=DELAY NOTIFY=DELAY",	  false, FAULT_SYNTAX },
		{ "TO:<a@x> ORCPT=B@x",			  false, FAULT_ORCPT },
		{ "TO:<a@x> ORCPT=rfc822;a+b",		  false, FAULT_ORCPT },
		{ "TO:<a@x> ORCPT=rfc822;a=b",		  false, FAULT_SYNTAX },
		{ "TO:<a@x> ORCPT=rfc822;a ORCPT=rfc822;a", false,
		    FAULT_SYNTAX },
		{ "TO:<a@x> ORCPT=utf-8;\xce\xb4@x",	  false, FAULT_ORCPT },
		{ "TO:<a@x> ORCPT=utf-8;\xce\xb4@x",	  true, FAULT_NONE },
		{ "TO:<a@x> ORCPT=utf-8;\\x{3B4}@x",	  false, FAULT_NONE },
		{ "TO:<a@x> ORCPT=rfc822;\xce\xb4@x",	  true, FAULT_ORCPT },
		{ "TO:<a@x> RET=FULL",			  false, FAULT_PARAM },
	};
	struct command_rcpt r;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (command_rcpt(span_of(cases[i].args), true, cases[i].utf8,
		    &r) != cases[i].want)
			fail_msg("wrong: %s", cases[i].args);
	assert_int_equal(command_rcpt(SPAN("TO:<a@x> NOTIFY=FAILURE,success "
	    "ORCPT=RFC822;Bob@X"), true, false, &r), FAULT_NONE);
	assert_int_equal(r.notify, DSN_FAILURE | DSN_SUCCESS);
	assert_true(span_eq(r.orcpt, SPAN("RFC822;Bob@X")));
	assert_int_equal(command_rcpt(SPAN("TO:<a@x>"), true, false, &r),
	    FAULT_NONE);
	assert_int_equal(r.notify, 0);
	assert_int_equal(r.orcpt.len, 0);
}

static void
ehlo_names_are_one_printable_word(void **state)
{
	char text[300];

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_true(command_ehlo_name((struct span){ text, 255 }));
	assert_false(command_ehlo_name((struct span){ text, 256 }));
	assert_true(command_ehlo_name(SPAN("my_pc-.local.")));
	assert_true(command_ehlo_name(SPAN("[IPv6:::1]")));
	assert_false(command_ehlo_name(SPAN("")));
	assert_false(command_ehlo_name(SPAN("a b")));
	assert_true(command_ehlo_name(SPAN("[x]")));
	assert_true(command_ehlo_name(SPAN("00:11:22:aa:bb:cc")));
	assert_true(command_ehlo_name(SPAN("http://a.example/(b)<c>")));
	assert_false(command_ehlo_name(SPAN("a\tb")));
	assert_false(command_ehlo_name(SPAN("\xce\xb4")));
	assert_false(command_ehlo_name(SPAN("a\0b")));
	assert_false(command_ehlo_name(SPAN("a\x7f")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_line_is_verb_and_arguments),
		cmocka_unit_test(lines_that_are_no_command_are_refused),
		cmocka_unit_test(mail_is_judged),
		cmocka_unit_test(mail_tells_what_was_said),
		cmocka_unit_test(after_helo_there_are_no_parameters),
		cmocka_unit_test(rcpt_is_judged),
		cmocka_unit_test(rcpt_says_what_it_wants_of_reports),
		cmocka_unit_test(ehlo_names_are_one_printable_word),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
