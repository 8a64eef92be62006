/* What senders ask of reports: RFC 3461 4, and addresses of RFC 6533 3. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mail/dsn.h"

static void
notify_is_never_or_a_list(void **state)
{
	static const struct {
		const char	*text;
		int		 want;	/* -1: refused */
	} cases[] = {
		{ "NEVER", DSN_NEVER },
		{ "never", DSN_NEVER },
		{ "SUCCESS", DSN_SUCCESS },
		{ "Failure", DSN_FAILURE },
		{ "delay,SUCCESS", DSN_DELAY | DSN_SUCCESS },
		{ "SUCCESS,FAILURE,DELAY",
		    DSN_SUCCESS | DSN_FAILURE | DSN_DELAY },
		{ "DELAY,DELAY", DSN_DELAY },
		{ "NEVER,FAILURE", -1 }, { "DELAY,NEVER", -1 },
		{ "", -1 }, { ",", -1 }, { "SUCCESS,", -1 },
		{ ",SUCCESS", -1 }, { "SUCCESS,,DELAY", -1 },
		{ "SUCCESS;DELAY", -1 }, { "SUCCESSES", -1 },
		{ "SUCC", -1 }, { "FAILURE, DELAY", -1 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint8_t out = 0xaa;
		bool taken = dsn_read_notify(span_of(cases[i].text), &out);

		if (taken != (cases[i].want >= 0) ||
		    (taken && out != cases[i].want) || (!taken && out != 0xaa))
			fail_msg("wrong: %s", cases[i].text);
	}
}

static void
a_notify_is_written_as_it_is_read(void **state)
{
	char text[DSN_NOTIFY_TEXT];
	unsigned valid = 0;

	(void)state;
	assert_int_equal(dsn_notify_text(0, text).len, 0);
	for (unsigned n = 1; n < 256; n++) {
		uint8_t back = 0;

		if (!dsn_is_notify((uint8_t)n))
			continue;
		valid++;
		assert_true(dsn_read_notify(dsn_notify_text((uint8_t)n, text),
		    &back));
		assert_int_equal(back, n);
	}
	assert_int_equal(valid, 8);	/* never, and seven lists */
}

static void
without_notify_failure_and_delay_are_told(void **state)
{
	(void)state;
	assert_true(dsn_wants(0, DSN_FAILURE) && dsn_wants(0, DSN_DELAY));
	assert_false(dsn_wants(0, DSN_SUCCESS));
	assert_false(dsn_wants(DSN_NEVER, DSN_FAILURE));
	assert_false(dsn_wants(DSN_NEVER, DSN_DELAY));
	assert_false(dsn_wants(DSN_SUCCESS, DSN_FAILURE));
	assert_true(dsn_wants(DSN_SUCCESS, DSN_SUCCESS));
}

static void
ret_is_one_of_two(void **state)
{
	uint8_t ret = 0;

	(void)state;
	assert_true(dsn_read_ret(SPAN("full"), &ret));
	assert_int_equal(ret, DSN_RET_FULL);
	assert_true(dsn_read_ret(SPAN("HDRS"), &ret));
	assert_int_equal(ret, DSN_RET_HDRS);
	assert_false(dsn_read_ret(SPAN("HDR"), &ret));
	assert_false(dsn_read_ret(SPAN(""), &ret));
}

static void
envid_is_xtext_of_what_can_be_printed(void **state)
{
	static const char *const good[] = {
		"QQ314159", "a+20b", "+2B+3D", "a\"(),<>@[]\\;:~!",
		"+09",
	};
	static const char *const bad[] = {
		"", "a b", "a=b", "a+b", "a+2", "+", "a+2b", "a+3d", "+0A",
		"+00", "+7F", "+E9", "\xc3\xa9", "+G0", "a\x7f",
	};
	char text[DSN_ENVID_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (!dsn_is_envid(span_of(good[i])))
			fail_msg("refused: %s", good[i]);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (dsn_is_envid(span_of(bad[i])))
			fail_msg("taken: %s", bad[i]);
	memset(text, 'x', sizeof(text));
	assert_true(dsn_is_envid((struct span){ text, 100 }));
	assert_false(dsn_is_envid((struct span){ text, 101 }));
}

static void
orcpt_has_a_type_and_an_address(void **state)
{
	static const struct {
		const char	*text;
		bool		 ascii, utf8;	/* taken so */
	} cases[] = {
		{ "rfc822;Bob@Example.COM", true, true },
		{ "RFC822;a+2Bb@x.example", true, true },
		{ "x400;/c=us", false, false },
		{ "x400;/c+3Dus/cn+3DA+20B/", true, true },
		{ "rfc822;", true, true },
		{ "rfc822", false, false },
		{ ";a@b", false, false },
		{ "rfc 822;a@b", false, false },
		{ "rfc.822;a@b", false, false },
		{ "x+16;a@b", false, false },
		{ "rfc822;a b@c", false, false },
		{ "rfc822;a+0D+0Ab@c", false, false },
		{ "rfc822;\xc3\xa9@c", false, false },
		{ "rfc822;a;b@c", true, true },
		{ "rfc822;\"a\\\"b\"@c", true, true },
		{ "utf-8;\xc3\xa9@c", false, true },
		{ "utf-8;\\x{E9}@c", true, true },
		{ "UTF-8;\\x{2764}\\x{1F600}\\x{10FFFF}@c", true, true },
		{ "utf-8;\\x{2B}\\x{3D}\\x{5C}\\x{20}\\x{09}@c", true, true },
		{ "utf-8;a+2Bb@c", true, true },
		{ "utf-8;a+b@c", false, false },
		{ "utf-8;a\\b@c", false, false },
		{ "utf-8;\\x{41}@c", false, false },
		{ "utf-8;\\x{0E9}@c", false, false },
		{ "utf-8;\\x{D800}@c", false, false },
		{ "utf-8;\\x{110000}@c", false, false },
		{ "utf-8;\\x{0D}\\x{0A}@c", false, false },
		{ "utf-8;\\x{}@c", false, false },
		{ "utf-8;\\x{E9", false, false },
		{ "utf-8;\xc3", false, false },
		{ "utf-8;\xed\xa0\x80@c", false, false },
		{ "utf-8;", false, false },
	};
	char text[DSN_ORCPT_MAX + 2] = "rfc822;";

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		if (dsn_is_orcpt(span_of(cases[i].text), false) !=
		    cases[i].ascii ||
		    dsn_is_orcpt(span_of(cases[i].text), true) !=
		    cases[i].utf8)
			fail_msg("wrong: %s", cases[i].text);
	memset(text + 7, 'x', sizeof(text) - 8);
	assert_false(dsn_is_orcpt(span_of(text), true));
	text[DSN_ORCPT_MAX] = '\0';
	assert_true(dsn_is_orcpt(span_of(text), false));
}

static void
xtext_is_undone_and_made(void **state)
{
	char buf[100];

	(void)state;
	assert_int_equal(dsn_decode(SPAN("a+20b+2B+3D~"), buf), 6);
	assert_memory_equal(buf, "a b+=~", 6);
	assert_int_equal(dsn_decode(SPAN("+2b+"), buf), 4);
	assert_memory_equal(buf, "+2b+", 4);
	assert_int_equal(dsn_encode(SPAN("a b+=\xc3\xa9~"), buf, 100), 18);
	assert_memory_equal(buf, "a+20b+2B+3D+C3+A9~", 18);
	assert_int_equal(dsn_encode(SPAN("ab+"), buf, 4), 0);
	assert_int_equal(dsn_encode(SPAN("ab+"), buf, 5), 5);
}

static void
an_orcpt_goes_to_ascii_where_smtputf8_is_not(void **state)
{
	char buf[DSN_ORCPT_MAX], text[DSN_ORCPT_MAX];
	struct span s;

	(void)state;
	s = dsn_orcpt_ascii(SPAN("utf-8;\xc3\xa9\xe2\x9d\xa4"
	    "\xf0\x9f\x98\x80@c"), buf);
	assert_true(span_eq(s, SPAN("utf-8;\\x{E9}\\x{2764}\\x{1F600}@c")));
	assert_true(dsn_is_orcpt(s, false));
	s = dsn_orcpt_ascii(SPAN("rfc822;Bob+2B@X.example"), buf);
	assert_true(span_eq(s, SPAN("rfc822;Bob+2B@X.example")));
	memcpy(text, "utf-8;", 6);
	for (size_t i = 6; i < 206; i += 2)
		memcpy(text + i, "\xc3\xa9", 2);
	assert_int_equal(dsn_orcpt_ascii((struct span){ text, 206 }, buf).len,
	    0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(notify_is_never_or_a_list),
		cmocka_unit_test(a_notify_is_written_as_it_is_read),
		cmocka_unit_test(without_notify_failure_and_delay_are_told),
		cmocka_unit_test(ret_is_one_of_two),
		cmocka_unit_test(envid_is_xtext_of_what_can_be_printed),
		cmocka_unit_test(orcpt_has_a_type_and_an_address),
		cmocka_unit_test(xtext_is_undone_and_made),
		cmocka_unit_test(an_orcpt_goes_to_ascii_where_smtputf8_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
