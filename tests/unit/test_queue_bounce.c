/*
 * test_queue_bounce - the report is well-formed whatever is put into it.
 * room: queue
 */
#include "queue_kit.h"

#include "queue/bounce.h"

static struct bounce_text
write_bounce(struct span to, struct span header, const struct bounce_rcpt *r,
    uint32_t cnt)
{
	struct bounce b = {
		.id = { { 1 } }, .of = { { 2 } },
		.hostname = SPAN("mx.example.org"), .to = to,
		.header = header, .rcpts = r, .rcpt_cnt = cnt,
	};
	struct bounce_text t;

	assert_int_equal(bounce_write(&t, &b), OK);
	return t;
}

/* How often a line stands in the text. */
static unsigned
lines(const struct bounce_text *t, const char *line)
{
	unsigned cnt = 0;
	size_t len = strlen(line);

	for (const char *p = t->text; (p = strstr(p, line)) != NULL; p += len)
		if ((p == t->text || p[-1] == '\n') && p[len] == '\r')
			cnt++;
	return cnt;
}

static void
check_form(const struct bounce_text *t)
{
	size_t column = 0;

	assert_memory_equal(t->text + t->header_len - 4, "\r\n\r\n", 4);
	for (size_t i = 0; i < t->len; i++) {
		unsigned char c = (unsigned char)t->text[i];

		assert_true(c < 0x7f);
		assert_true(c >= ' ' || c == '\r' || c == '\n' || c == '\t');
		if (c == '\r')
			assert_int_equal(t->text[i + 1], '\n');
		if (c == '\n')
			assert_int_equal(t->text[i - 1], '\r');
		column = c == '\n' ? 0 : column + 1;
		assert_true(column <= 999);
	}
	assert_int_equal(lines(t, "--01000000-0000-0000-0000-000000000000"),
	    3);
	assert_int_equal(lines(t, "--01000000-0000-0000-0000-000000000000--"),
	    1);
}

static void
each_failed_recipient_has_its_own_fields(void **state)
{
	struct bounce_rcpt r[2] = {
		{ SPAN("a@example.net"), SPAN("5.1.1 No such user"),
		    SPAN("mx.example.net"), 550, false },
		{ SPAN("b@example.net"), SPAN("4.4.1 Timed out"),
		    { NULL, 0 }, 0, true },
	};
	struct bounce_text t = write_bounce(SPAN("from@example.org"),
	    SPAN("Subject: x\r\n\r\n"), r, 2);

	check_form(&t);
	assert_int_equal(lines(&t, "To: <from@example.org>"), 1);
	assert_int_equal(lines(&t, "Auto-Submitted: auto-replied"), 1);
	assert_int_equal(lines(&t, "Reporting-MTA: dns; mx.example.org"), 1);
	assert_int_equal(lines(&t, "Final-Recipient: rfc822; a@example.net"),
	    1);
	assert_int_equal(lines(&t, "Final-Recipient: rfc822; b@example.net"),
	    1);
	assert_int_equal(lines(&t, "Action: failed"), 2);
	assert_int_equal(lines(&t, "Status: 5.1.1"), 1);
	assert_int_equal(lines(&t, "Status: 4.4.1"), 1);
	assert_int_equal(lines(&t, "Remote-MTA: dns; mx.example.net"), 1);
	assert_int_equal(lines(&t,
	    "Diagnostic-Code: smtp; 550 5.1.1 No such user"), 1);
	assert_int_equal(lines(&t, "Subject: x"), 1);
	free(t.text);
}

static void
foreign_text_cannot_break_out_of_its_line(void **state)
{
	static char huge[40000];
	struct bounce_rcpt r = {
		SPAN("a\xff@example.net"),
		SPAN("5.0.0 x\r\nStatus: 2.0.0\r\n\r\n--01000000-0000-0000-"
		    "0000-000000000000--\r\n\0\x80"),
		SPAN("h\r\nAction: delivered"), 550, false,
	};
	struct bounce_text t;

	memset(huge, 'y', sizeof(huge));
	memcpy(huge, "X: \xc3\xa9\r\nno\0pe\n\r", 15);
	memcpy(huge + 39000, "\r\n", 2);
	t = write_bounce(SPAN("from@example.org"),
	    (struct span){ huge, sizeof(huge) }, &r, 1);
	check_form(&t);
	assert_int_equal(lines(&t, "Status: 2.0.0"), 0);
	assert_int_equal(lines(&t, "Action: delivered"), 0);
	free(t.text);
}

static void
an_address_beyond_ascii_is_written_as_rfc_6533_says(void **state)
{
	struct bounce_rcpt r = {
		SPAN("\xc3\xa9@example.net"), SPAN("5.1.1 no"), { NULL, 0 },
		550, false,
	};
	struct bounce_text t = write_bounce(SPAN("from@example.org"),
	    SPAN(""), &r, 1);
	struct bounce b = { .to = SPAN("\xc3\xa9@example.org") };

	assert_int_equal(lines(&t,
	    "Final-Recipient: utf-8; \\x{E9}@example.net"), 1);
	assert_true(bounce_is_utf8(&b));
	free(t.text);
}

static void
a_status_is_the_replys_own_or_one_that_fits(void **state)
{
	struct bounce_rcpt r = { .reply = SPAN("5.7.1 no"), .code = 550 };

	assert_true(span_eq(bounce_status(&r), SPAN("5.7.1")));
	r.reply = SPAN("5.7.1x no");
	assert_true(span_eq(bounce_status(&r), SPAN("5.0.0")));
	r.reply = SPAN("5.7");
	r.code = 421;
	assert_true(span_eq(bounce_status(&r), SPAN("4.0.0")));
	r.is_late = true;
	assert_true(span_eq(bounce_status(&r), SPAN("4.4.7")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_failed_recipient_has_its_own_fields),
		cmocka_unit_test(foreign_text_cannot_break_out_of_its_line),
		cmocka_unit_test(
		    an_address_beyond_ascii_is_written_as_rfc_6533_says),
		cmocka_unit_test(a_status_is_the_replys_own_or_one_that_fits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
