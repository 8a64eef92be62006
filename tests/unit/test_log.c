/* A log line stays one line, whatever stands in it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/log.h"

static char got[LOG_LINE_MAX + 1];
static size_t got_len;
static int got_cnt;

static void
keep(enum log_level level, const char *line, size_t len)
{
	(void)level;
	assert_true(len <= LOG_LINE_MAX);
	memcpy(got, line, len);
	got[len] = '\0';
	got_len = len;
	got_cnt++;
}

static void
log_reply(struct span s)
{
	struct log_line l;

	log_begin(&l, LOG_delivered);
	log_str(&l, LOG_KEY_reply, s);
	log_num(&l, LOG_KEY_code, -1);
	log_end(&l);
}

static void
values_are_quoted_when_they_must_be(void **state)
{
	static const struct {
		struct span	 value;
		const char	*text;
	} cases[] = {
		{ { "ok", 2 },		"ok" },
		{ { "", 0 },		"\"\"" },
		{ { "a b", 3 },		"\"a b\"" },
		{ { "a=b", 3 },		"\"a=b\"" },
		{ { "a\"\\", 3 },	"\"a\\\"\\\\\"" },
		{ { "a\r\n\0\x1b", 5 },	"\"a\\x0d\\x0a\\x00\\x1b\"" },
		{ { "\x7f", 1 },	"\"\\x7f\"" },
		{ { "\xce\xb4", 2 },	"\"\xce\xb4\"" },
		{ { "\xc2\x85", 2 },	"\"\\xc2\\x85\"" },
		{ { "\xed\xa0\x80", 3 }, "\"\\xed\\xa0\\x80\"" },
		{ { "\xe2\x80\xae", 3 }, "\"\\xe2\\x80\\xae\"" },
		{ { "\xe2\x82\xac", 3 }, "\"\xe2\x82\xac\"" },
		{ { "\xff", 1 },	"\"\\xff\"" },
		{ { "\xce", 1 },	"\"\\xce\"" },
	};
	char want[128];

	(void)state;
	log_setup("edge in", keep, false);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		log_reply(cases[i].value);
		snprintf(want, sizeof(want),
		    "edge in: event=delivered reply=%s code=-1\n",
		    cases[i].text);
		assert_string_equal(got, want);
	}
}

static void
a_line_is_cut_at_a_value_and_never_too_long(void **state)
{
	static char big[LOG_LINE_MAX * 2];

	(void)state;
	log_setup("", keep, false);
	for (size_t len = 3900; len < 4200; len++) {
		struct span big_span = { big, len };

		memset(big, 'x', sizeof(big));
		log_reply(big_span);
		assert_int_equal(got[got_len - 1], '\n');
		if (len > LOG_LINE_MAX)
			assert_string_equal(got, "event=delivered\n");
		memset(big, '\n', sizeof(big));
		log_reply(big_span);
		assert_string_equal(got, "event=delivered\n");
	}
}

static void
debug_lines_come_when_asked_for(void **state)
{
	(void)state;
	got_cnt = 0;
	log_setup("p", keep, false);
	log_why(LOG_dispatched, "x", 0);
	assert_int_equal(got_cnt, 0);
	log_setup("p", keep, true);
	log_why(LOG_dispatched, "x y", 0);
	assert_int_equal(got_cnt, 1);
	assert_string_equal(got, "p: event=dispatched why=\"x y\"\n");
	log_setup("p", NULL, true);
	log_why(LOG_trouble, "x", 0);
	assert_int_equal(got_cnt, 1);
}

static void
rows_are_in_order_and_explained(void **state)
{
	(void)state;
	for (int i = 0; i < LOG_EVENT__COUNT; i++) {
		assert_true(strlen(log_event_meaning(i)) > 0);
		if (i > 0 && strcmp(log_event_name(i - 1),
		    log_event_name(i)) >= 0)
			fail_msg("event %s", log_event_name(i));
	}
	for (int i = 0; i < LOG_KEY__COUNT; i++) {
		assert_true(strlen(log_key_meaning(i)) > 0);
		if (i > 0 && strcmp(log_key_name(i - 1), log_key_name(i)) >= 0)
			fail_msg("key %s", log_key_name(i));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_quoted_when_they_must_be),
		cmocka_unit_test(a_line_is_cut_at_a_value_and_never_too_long),
		cmocka_unit_test(debug_lines_come_when_asked_for),
		cmocka_unit_test(rows_are_in_order_and_explained),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
