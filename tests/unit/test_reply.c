/* The replies of a server, as a client reads them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mail/reply.h"

static void
good_lines_are_read(void **state)
{
	static const struct {
		const char	*line;
		unsigned	 code;
		bool		 more, has_dsn;
		const char	*text;
	} cases[] = {
		{ "250",		250, false, false, "" },
		{ "250 ",		250, false, false, "" },
		{ "250\r",		250, false, false, "" },
		{ "250-",		250, true,  false, "" },
		{ "250-SIZE 1",		250, true,  false, "SIZE 1" },
		{ "250 2.1.5 ok \t",	250, false, true,  "ok" },
		{ "250-2.1.5 ok",	250, true,  true,  "ok" },
		{ "550 5.1.1",		550, false, true,  "" },
		{ "550 5.710.999 x",	550, false, true,  "x" },
		{ "550 4.1.1 no",	550, false, false, "4.1.1 no" },
		{ "354 3.0.0 go",	354, false, false, "3.0.0 go" },
		{ "550 5.1 no",		550, false, false, "5.1 no" },
		{ "550 5.1.1no",	550, false, false, "5.1.1no" },
		{ "550 5.01.1 no",	550, false, false, "5.01.1 no" },
		{ "550 5.1000.1 no",	550, false, false, "5.1000.1 no" },
		{ "550 55.1.1 no",	550, false, false, "55.1.1 no" },
		{ "599 \xff\x1b",	599, false, false, "\xff\x1b" },
		{ "250x",		250, false, false, "x" },
		{ "250+ok",		250, false, false, "+ok" },
		{ "250\tok",		250, false, false, "ok" },
		{ "250 a\rb\nc",	250, false, false, "a\rb\nc" },
		{ "421\r\r",		421, false, false, "" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct reply r;

		if (reply_line(span_of(cases[i].line), &r) != OK ||
		    r.code != cases[i].code || r.more != cases[i].more ||
		    r.has_dsn != cases[i].has_dsn ||
		    !span_eq(r.text, span_of(cases[i].text)))
			fail_msg("wrong: %s", cases[i].line);
	}
}

static void
any_octet_may_stand_in_the_text(void **state)
{
	struct reply r;

	(void)state;
	assert_int_equal(reply_line((struct span){ "554 5.7.1 a\0b\0", 14 },
	    &r), OK);
	assert_true(r.has_dsn);
	assert_true(span_eq(r.text, (struct span){ "a\0b\0", 4 }));
}

static void
the_enhanced_code_is_told(void **state)
{
	struct reply r;

	(void)state;
	assert_int_equal(reply_line(SPAN("452 4.3.100 full"), &r), OK);
	assert_int_equal(r.dsn_class, 4);
	assert_int_equal(r.dsn_subject, 3);
	assert_int_equal(r.dsn_detail, 100);
}

static void
what_is_no_reply_is_refused(void **state)
{
	static const struct span bad[] = {
		{ "", 0 }, { "25", 2 }, { "2500", 4 }, { "199 x", 5 },
		{ "600 x", 5 }, { "000", 3 }, { "25x ok", 6 }, { " 250", 4 },
		{ "2500 ok", 7 }, { "-50 ok", 6 }, { "\000250", 4 },
		{ "HTTP/1.1 200", 12 },
	};
	struct reply r = { .code = 7 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (reply_line(bad[i], &r) != ERR_PEER)
			fail_msg("taken: %zu", i);
	assert_int_equal(r.code, 7);
}

static void
keywords_are_noted(void **state)
{
	struct ehlo e = { .has = 0 };

	(void)state;
	reply_ehlo(SPAN("size 1000"), &e);
	assert_int_equal(e.has, EHLO_SIZE);
	assert_int_equal(e.size, 1000);
	reply_ehlo(SPAN("SIZE"), &e);
	assert_int_equal(e.size, 0);
	reply_ehlo(SPAN("SIZE -1"), &e);
	assert_int_equal(e.size, 0);
	reply_ehlo(SPAN("8BITMIME"), &e);
	reply_ehlo(SPAN("AUTH=LOGIN PLAIN"), &e);
	assert_int_equal(e.has, EHLO_SIZE | EHLO_8BITMIME | EHLO_AUTH);
	reply_ehlo(SPAN("PIPELININGX"), &e);
	reply_ehlo(SPAN(""), &e);
	reply_ehlo(SPAN("XFOO SMTPUTF8"), &e);
	assert_int_equal(e.has, EHLO_SIZE | EHLO_8BITMIME | EHLO_AUTH);
	reply_ehlo(SPAN("SMTPUTF8"), &e);
	reply_ehlo(SPAN("pipelining"), &e);
	reply_ehlo(SPAN("ENHANCEDSTATUSCODES"), &e);
	assert_int_equal(e.has, EHLO_SIZE | EHLO_8BITMIME | EHLO_AUTH |
	    EHLO_SMTPUTF8 | EHLO_PIPELINING | EHLO_ENHANCEDSTATUSCODES);
}

static void
the_ways_to_log_in_are_noted(void **state)
{
	static const struct { struct span line; unsigned auth; } cases[] = {
		{ { "AUTH", 4 }, 0 },
		{ { "AUTH PLAIN", 10 }, EHLO_AUTH_PLAIN },
		{ { "AUTH CRAM-MD5 login", 19 }, EHLO_AUTH_LOGIN },
		{ { "auth  LOGIN  PLAIN ", 19 },
		    EHLO_AUTH_LOGIN | EHLO_AUTH_PLAIN },
		{ { "AUTH=PLAIN X", 12 }, EHLO_AUTH_PLAIN },
		{ { "AUTH PLAINER XLOGIN", 19 }, 0 },
		{ { "XAUTH PLAIN", 11 }, 0 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ehlo e = { .has = 0 };

		reply_ehlo(cases[i].line, &e);
		assert_int_equal(e.auth, cases[i].auth);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_lines_are_read),
		cmocka_unit_test(any_octet_may_stand_in_the_text),
		cmocka_unit_test(the_enhanced_code_is_told),
		cmocka_unit_test(what_is_no_reply_is_refused),
		cmocka_unit_test(keywords_are_noted),
		cmocka_unit_test(the_ways_to_log_in_are_noted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
