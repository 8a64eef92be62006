/* test_http_reply.c - X-Smtp-Reply, read and written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "http/http_reply.h"

static struct http_reply r;

static bool
reads(const char *value)
{
	return http_reply_read(span_of(value), &r);
}

static void
says(const char *value, unsigned code, const char *text, const char *command)
{
	assert_true(reads(value));
	assert_int_equal(r.code, code);
	assert_true(span_eq((struct span){ r.text, r.text_len },
	    span_of(text)));
	assert_true(span_eq((struct span){ r.command, r.command_len },
	    span_of(command)));
}

static void
what_upstream_writes_is_read(void **state)
{
	says("250; message=\"2.6.0 Message accepted for delivery\"", 250,
	    "2.6.0 Message accepted for delivery", "");
	says("550; message=\"5.1.1 No\"; command=\"RCPT\"", 550, "5.1.1 No",
	    "RCPT");
	says("  450 ; MESSAGE=\"4.0.0 x\" ;command=mail", 450, "4.0.0 x",
	    "MAIL");
	says("250;", 250, "", "");
}

static void
a_code_without_its_semicolon_counts_as_no_field(void **state)
{
	static const char *const none[] = { "", "250", "25", "250 ok",
	    "250ok;", "2500;", "199;", "600;", "560;", "x250; message=\"a\"",
	    "-25;" };

	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_false(reads(none[i]));
}

static void
quotes_behind_a_backslash_are_part_of_the_words(void **state)
{
	says("550; message=\"5.7.1 \\\"a\\\\b\\\" no; really\"; x=\"y\"", 550,
	    "5.7.1 \"a\\b\" no; really", "");
}

static void
words_that_cannot_be_read_are_left_out(void **state)
{
	says("550; message=\"5.1.1 no end", 550, "", "");
	says("550; command=\"RCPT\"; message=\"a\"b; x=\"\\", 550, "a",
	    "RCPT");
	says("550; ; message=\"a\"", 550, "", "");
	says("550; a b=\"c\"; message=\"a\"", 550, "", "");
}

static void
no_control_gets_through(void **state)
{
	says("550; message=\"a\tb\x01\x7f\"", 550, "a b??", "");
}

static void
what_is_too_long_is_cut(void **state)
{
	char value[2 * REPLY_TEXT_MAX];
	size_t len = 0;

	len = (size_t)snprintf(value, sizeof(value), "550; command=\""
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ\"; message=\"");
	memset(value + len, 'm', REPLY_TEXT_MAX + 100);
	strcpy(value + len + REPLY_TEXT_MAX + 100, "\"");
	assert_true(reads(value));
	assert_int_equal(r.text_len, REPLY_TEXT_MAX);
	assert_int_equal(r.command_len, HTTP_REPLY_COMMAND_MAX);
}

static void
what_is_written_is_read_again(void **state)
{
	char buf[HTTP_REPLY_MAX], text[REPLY_TEXT_MAX];
	size_t len;

	memset(text, '"', sizeof(text));
	assert_true(http_reply_write(452, (struct span){ text, sizeof(text) },
	    SPAN("DATA"), buf, sizeof(buf), &len));
	assert_true(len <= sizeof(buf));
	assert_true(http_reply_read((struct span){ buf, len }, &r));
	assert_int_equal(r.code, 452);
	assert_memory_equal(r.text, text, sizeof(text));
	assert_int_equal(r.text_len, sizeof(text));
	assert_true(http_reply_write(250, SPAN("2.6.0 a\r\nb"), SPAN(""), buf,
	    sizeof(buf), &len));
	assert_true(span_eq((struct span){ buf, len },
	    SPAN("250; message=\"2.6.0 a??b\"")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_upstream_writes_is_read),
		cmocka_unit_test(
		    a_code_without_its_semicolon_counts_as_no_field),
		cmocka_unit_test(
		    quotes_behind_a_backslash_are_part_of_the_words),
		cmocka_unit_test(words_that_cannot_be_read_are_left_out),
		cmocka_unit_test(no_control_gets_through),
		cmocka_unit_test(what_is_too_long_is_cut),
		cmocka_unit_test(what_is_written_is_read_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
