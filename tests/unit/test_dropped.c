/* test_dropped - the form of a file in the drop directory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "mail/dropped.h"
#include "mail/dsn.h"

#define WHOLE								\
	"postern-drop 1\nfrom ann@here.example\nret hdrs\n"		\
	"envid order+207\nnotify failure,delay\nhas 8bit utf8\n"	\
	"rcpt bob@there.example\nrcpt eve@there.example\ntext 12\n"

static void
assert_span(struct span got, const char *want)
{
	if (!span_eq(got, span_of(want)))
		fail_msg("\"%.*s\", should be \"%s\"", (int)got.len, got.ptr,
		    want);
}

static void
what_is_written_can_be_read(void **state)
{
	char *rcpts[] = { (char *)(uintptr_t)"bob@there.example",
	    (char *)(uintptr_t)"eve@there.example" };
	const struct dropped d = {
		.sender = SPAN("ann@here.example"), .ret = DSN_RET_HDRS,
		.envid = SPAN("order+207"),
		.notify = DSN_FAILURE | DSN_DELAY,
		.is_8bit = true, .is_utf8 = true, .rcpt_cnt = 2,
		.text_len = 12,
	};
	struct dropped got;
	struct span rcpt;
	char buf[512];
	size_t len = dropped_write(&d, rcpts, buf, sizeof(buf));

	assert_int_equal(dropped_read((struct span){ buf, len }, &got), OK);
	assert_int_equal(got.head_len, len);
	assert_span(got.sender, "ann@here.example");
	assert_int_equal(got.ret, DSN_RET_HDRS);
	assert_span(got.envid, "order+207");
	assert_int_equal(got.notify, DSN_FAILURE | DSN_DELAY);
	assert_true(got.is_8bit && got.is_utf8);
	assert_int_equal(got.rcpt_cnt, 2);
	assert_int_equal(got.text_len, 12);
	assert_true(dropped_rcpt(&got.rcpts, &rcpt));
	assert_span(rcpt, "bob@there.example");
	assert_true(dropped_rcpt(&got.rcpts, &rcpt));
	assert_span(rcpt, "eve@there.example");
	assert_false(dropped_rcpt(&got.rcpts, &rcpt));
	for (size_t cap = 0; cap < len; cap++)
		assert_int_equal(dropped_write(&d, rcpts, buf, cap), 0);
}

/* Of today, and of years from now. */
static void
a_file_of_form_1_is_read_for_good(void **state)
{
	struct dropped d;

	assert_int_equal(dropped_read(SPAN(WHOLE "Hello, you\r\n"), &d), OK);
	assert_int_equal(d.head_len, sizeof(WHOLE) - 1);
	assert_int_equal(d.rcpt_cnt, 2);
	assert_int_equal(dropped_read(SPAN("postern-drop 1\nfrom\n"
	    "rcpt bob\ntext 0\n"), &d), OK);
	assert_span(d.sender, "");
	assert_int_equal(d.notify, 0);
	assert_false(d.is_8bit || d.is_utf8);
}

static void
what_ends_early_may_become_whole(void **state)
{
	struct dropped d;

	for (size_t len = 0; len < sizeof(WHOLE) - 1; len++)
		assert_int_equal(dropped_read((struct span){ WHOLE, len },
		    &d), ERR_AGAIN);
}

static void
what_is_no_such_file_is_refused(void **state)
{
	static const char *const bad[] = {
		"\n", "From ann\n", "postern-drop 1 \n", "postern-drop\n",
		"postern-drap", "postern-drop 1\n\n",
		"postern-drop 1\nrcpt bob\ntext 0\n",
		"postern-drop 1\nfrom ann\ntext 0\n",
		"postern-drop 1\nfrom ann\nrcpt \ntext 0\n",
		"postern-drop 1\nfrom ann\nrcpt\ntext 0\n",
		"postern-drop 1\nfromann\nrcpt bob\ntext 0\n",
		"postern-drop 1\nfrom ann\nrcpt bob\nret full\ntext 0\n",
		"postern-drop 1\nfrom ann\nret all\nrcpt bob\ntext 0\n",
		"postern-drop 1\nfrom ann\nenvid\nrcpt bob\ntext 0\n",
		"postern-drop 1\nfrom ann\nenvid a b\nrcpt bob\ntext 0\n",
		"postern-drop 1\nfrom ann\nnotify now\nrcpt bob\ntext 0\n",
		"postern-drop 1\nfrom ann\nhas utf8 8bit\nrcpt b\ntext 0\n",
		"postern-drop 1\nfrom ann\nrcpt bob\ntext\n",
		"postern-drop 1\nfrom ann\nrcpt bob\ntext -1\n",
		"postern-drop 1\nfrom ann\nrcpt bob\ntext 1 \n",
		"postern-drop 1\nfrom\nrcpt b\ntext 18446744073709551615\n",
		"postern-drop 1\nfrom ann\r\nrcpt bob\ntext 0\n",
		"postern-drop 1\nfrom ann\nrcpt bob\tx\ntext 0\n",
		"postern-drop 1\nfrom ann\nfrom eve\nrcpt bob\ntext 0\n",
	};
	struct dropped d;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (dropped_read(span_of(bad[i]), &d) != ERR_PEER)
			fail_msg("passes: %s", bad[i]);
	assert_int_equal(dropped_read(SPAN("postern-drop 1\nfrom a\0b\n"
	    "rcpt bob\ntext 0\n"), &d), ERR_PEER);
}

static void
a_newer_form_is_not_guessed_at(void **state)
{
	struct dropped d;

	assert_int_equal(dropped_read(SPAN("postern-drop 2\nwho knows\n"),
	    &d), ERR_FULL);
}

static void
no_line_and_no_list_is_longer_than_it_may_be(void **state)
{
	char text[DROPPED_LINE_MAX * 2], *name = text + 512;
	char *rcpts[DROPPED_RCPTS_MAX + 1], buf[8192];
	struct dropped d = { .rcpt_cnt = 1 };
	int len = snprintf(text, sizeof(text), "postern-drop 1\nfrom ");

	memset(text + len, 'a', sizeof(text) - (size_t)len);
	assert_int_equal(dropped_read((struct span){ text, sizeof(text) },
	    &d), ERR_PEER);
	memset(name, 'a', DROPPED_LINE_MAX);
	name[DROPPED_LINE_MAX] = '\0';
	rcpts[0] = name;
	assert_int_equal(dropped_write(&d, rcpts, buf, sizeof(buf)), 0);
	for (unsigned i = 0; i <= DROPPED_RCPTS_MAX; i++)
		rcpts[i] = (char *)(uintptr_t)"bob@there.example";
	d.rcpt_cnt = DROPPED_RCPTS_MAX;
	assert_true(dropped_write(&d, rcpts, buf, sizeof(buf)) > 0);
	d.rcpt_cnt++;
	assert_int_equal(dropped_write(&d, rcpts, buf, sizeof(buf)), 0);
}

/* Two lines in one value would be a recipient nobody named. */
static void
what_cannot_stand_in_a_line_is_not_written(void **state)
{
	char *rcpts[] = { (char *)(uintptr_t)"bob\nrcpt eve" };
	struct dropped d = { .rcpt_cnt = 1 };
	char buf[512];

	assert_int_equal(dropped_write(&d, rcpts, buf, sizeof(buf)), 0);
	rcpts[0] = (char *)(uintptr_t)"bob";
	d.sender = SPAN("ann\r");
	assert_int_equal(dropped_write(&d, rcpts, buf, sizeof(buf)), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_can_be_read),
		cmocka_unit_test(a_file_of_form_1_is_read_for_good),
		cmocka_unit_test(what_ends_early_may_become_whole),
		cmocka_unit_test(what_is_no_such_file_is_refused),
		cmocka_unit_test(a_newer_form_is_not_guessed_at),
		cmocka_unit_test(no_line_and_no_list_is_longer_than_it_may_be),
		cmocka_unit_test(what_cannot_stand_in_a_line_is_not_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
