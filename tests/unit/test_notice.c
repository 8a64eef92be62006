/*
 * test_notice - the words of reports: read, checked, and taken apart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "mail/encoded.h"
#include "mail/notice.h"

static void
the_houses_own_words_are_whole(void **state)
{
	struct notice own;

	notice_default(&own);
	for (int i = 0; i < NOTICE_PART__COUNT; i++) {
		assert_true(own.parts[i].len > 0);
		assert_true(i == NOTICE_recipient || own.subjects[i].len > 0);
	}
	for (int i = 0; i < NOTICE_REASON__COUNT; i++)
		assert_true(own.reasons[i].len > 0);
}

static void
what_a_text_has_not_is_the_houses_own(void **state)
{
	struct notice n, own;
	struct notice_error error;

	notice_default(&own);
	assert_int_equal(notice_read(&n, SPAN("# ours\r\n[delayed]\r\n"
	    "Subject:  Sp\xc3\xa4ter \r\nNoch nicht: {recipients}\r\n"
	    "[reasons]\nfull:  Voll. \n"), &error), OK);
	assert_true(span_eq(n.subjects[NOTICE_delayed],
	    SPAN("Sp\xc3\xa4ter")));
	assert_true(span_eq(n.parts[NOTICE_delayed],
	    SPAN("Noch nicht: {recipients}\r\n")));
	assert_true(span_eq(n.reasons[NOTICE_REASON_full], SPAN("Voll.")));
	assert_true(span_eq(n.parts[NOTICE_failed],
	    own.parts[NOTICE_failed]));
}

static void
a_fault_is_told_with_its_place(void **state)
{
	static const struct {
		const char *text;
		unsigned line, column;
	} cases[] = {
		{ "x\n", 1, 1 },
		{ "\n[failed\n", 2, 8 },
		{ "[foo]\n", 1, 2 },
		{ "[failed]\nHello\n", 2, 1 },
		{ "[failed]\nSubject:\n", 2, 9 },
		{ "[failed]\nSubject: a\nHi {nobody}\n", 3, 4 },
		{ "[failed]\nSubject: a\nHi {reply}\n", 3, 4 },
		{ "[recipient]\n{subject}\n", 2, 1 },
		{ "[failed]\nSubject: a\nHi { {{ {recipients}\n", 3, 4 },
		{ "[failed]\nSubject: a\nno one\n", 3, 1 },
		{ "[failed]\nSubject: {date}\n", 2, 9 },
		{ "[reasons]\nlazy: x\n", 2, 1 },
		{ "[reasons]\nfull:\n", 2, 5 },
		{ "[reasons]\n[reasons]\n", 2, 2 },
		{ "[reasons]\nfull: \xff\n", 2, 7 },
		{ "[reasons]\nfull: a\001\n", 2, 8 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct notice_error error = { .line = 0 };
		struct notice n;

		assert_int_equal(notice_read(&n, span_of(cases[i].text),
		    &error), ERR_PEER);
		assert_int_equal(error.line, cases[i].line);
		assert_int_equal(error.column, cases[i].column);
		assert_true(strlen(error.why) > 0);
	}
}

static void
a_line_is_taken_apart(void **state)
{
	struct span line = SPAN("a{{b} {date}{x}\nc");
	static const char *const want[] = { "a", "{", "b} ", "{date}", "{x}\n",
	    "c" };
	struct notice_run run;
	size_t i = 0;

	for (; notice_next(&line, &run); i++) {
		assert_true(span_eq(run.text, span_of(want[i])));
		assert_int_equal(run.is_field, i == 3);
	}
	assert_int_equal(i, 6);
}

/* RFC 2047 6.2 and 8. */
static void
encoded_words_are_read(void **state)
{
	static const char *const cases[][2] = {
		{ "plain", "plain" },
		{ "=?ISO-8859-1?Q?a?= b", "a b" },
		{ "=?us-ascii?q?a?=\r\n  =?UTF-8?B?w6k=?=", "a\xc3\xa9" },
		{ "=?UTF-8?Q?a_b=20c?=", "a b c" },
		{ "=?koi8-r?B?w6k=?= x", "=?koi8-r?B?w6k=?= x" },
		{ "=?utf-8?Q?=zz?=", "=?utf-8?Q?=zz?=" },
		{ "=?utf-8?Q?", "=?utf-8?Q?" }, { "=?", "=?" }, { "", "" },
		{ "=?utf-8?X?a?=", "=?utf-8?X?a?=" },
	};
	char buf[64];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		size_t len = encoded_read_words(span_of(cases[i][0]), buf,
		    sizeof(buf));

		assert_true(span_eq((struct span){ buf, len },
		    span_of(cases[i][1])));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_houses_own_words_are_whole),
		cmocka_unit_test(what_a_text_has_not_is_the_houses_own),
		cmocka_unit_test(a_fault_is_told_with_its_place),
		cmocka_unit_test(a_line_is_taken_apart),
		cmocka_unit_test(encoded_words_are_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
