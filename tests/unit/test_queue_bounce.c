/*
 * test_queue_bounce - the report is well-formed whatever is put into it.
 * room: queue
 */
#include "queue_kit.h"

#include "queue/bounce/bounce.h"
#include "queue/bounce/bounce_original.h"
#include "queue/bounce/bounce_status.h"

#define BOUNDARY "--01000000-0000-0000-0000-000000000000"

static struct bounce
about(const struct bounce_rcpt *r, uint32_t cnt)
{
	return (struct bounce){
		.id = { { 1 } }, .of = { { 2 } },
		.hostname = SPAN("mx.example.org"),
		.home = SPAN("example.org"),
		.to = SPAN("from@example.org"),
		.header = SPAN("Subject: x\r\n\r\n"), .rcpts = r,
		.rcpt_cnt = cnt,
	};
}

static struct bounce_text
write_bounce(const struct bounce *b)
{
	struct bounce_text t;

	assert_int_equal(bounce_write(&t, b), OK);
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
check_form(const struct bounce_text *t, bool ascii)
{
	size_t column = 0;

	assert_memory_equal(t->text + t->header_len - 4, "\r\n\r\n", 4);
	assert_int_equal(strlen(t->text), t->len);
	for (size_t i = 0; i < t->len; i++) {
		unsigned char c = (unsigned char)t->text[i];

		assert_true(!ascii || c < 0x7f);
		assert_true(c >= ' ' || c == '\r' || c == '\n' || c == '\t');
		if (c == '\r')
			assert_int_equal(t->text[i + 1], '\n');
		if (c == '\n')
			assert_int_equal(t->text[i - 1], '\r');
		column = c == '\n' ? 0 : column + 1;
		assert_true(column <= 999);
	}
	assert_int_equal(lines(t, BOUNDARY), 3);
	assert_int_equal(lines(t, BOUNDARY "--"), 1);
}

static void
each_recipient_has_its_own_fields(void **state)
{
	struct bounce_rcpt r[2] = {
		{ .action = REPORT_FAILED, .address = SPAN("a@example.net"),
		    .reply = SPAN("5.1.1 No such user"), .code = 550,
		    .hop = SPAN("mx.example.net[192.0.2.7]:25"),
		    .is_theirs = true, .tried_ms = 86400000 },
		{ .action = REPORT_FAILED, .address = SPAN("b@example.net"),
		    .reply = SPAN("4.4.1 Timed out"), .is_late = true },
	};
	struct bounce b = about(r, 2);
	struct bounce_text t = write_bounce(&b);

	check_form(&t, true);
	assert_int_equal(t.flags, 0);
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
	assert_int_equal(lines(&t,
	    "Last-Attempt-Date: Fri, 02 Jan 1970 00:00:00 +0000"), 1);
	assert_int_equal(lines(&t, "    Subject: x"), 1);
	assert_int_equal(lines(&t, "Subject: x"), 1);
	free(t.text);
}

/* RFC 3464 2.3.5 and 2.3.6: who has said it, and by what protocol. */
static void
what_nobody_said_by_smtp_is_not_said_to_be(void **state)
{
	struct bounce_rcpt r = {
		.action = REPORT_FAILED, .address = SPAN("a@example.net"),
		.reply = SPAN("5.6.7 The next hop does not offer SMTPUTF8"),
		.code = 550, .hop = SPAN("mx.example.net[192.0.2.7]:25"),
	};
	struct bounce b = about(&r, 1);
	struct bounce_text t = write_bounce(&b);

	assert_int_equal(lines(&t, "Diagnostic-Code: x-postern; "
	    "5.6.7 The next hop does not offer SMTPUTF8"), 1);
	assert_null(strstr(t.text, "Remote-MTA"));
	assert_null(strstr(t.text, " said: "));
	free(t.text);
}

static void
remote_mta_is_a_name_of_the_dns_or_a_literal(void **state)
{
	static const char *const cases[][2] = {
		{ "mx.example.net[2001:db8::7]:25", "dns; mx.example.net" },
		{ "mx.example.net:587", "dns; mx.example.net" },
		{ "localhost[127.0.0.1]:24", "dns; localhost" },
		{ "192.0.2.7[192.0.2.7]:25", "dns; [192.0.2.7]" },
		{ "192.0.2.7:25", "dns; [192.0.2.7]" },
		{ "2001:db8::7[2001:db8::7]:25", "dns; [IPv6:2001:db8::7]" },
		{ "/run/dovecot/lmtp", NULL }, { "", NULL },
		{ "a b\r\nc[x y]:1", NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bounce_rcpt r = {
			.action = REPORT_FAILED, .code = 550,
			.address = SPAN("a@b.example"), .is_theirs = true,
			.hop = span_of(cases[i][0]), .reply = SPAN("no"),
		};
		struct bounce b = about(&r, 1);
		struct bounce_text t = write_bounce(&b);
		char line[128];

		snprintf(line, sizeof(line), "Remote-MTA: %s", cases[i][1] ==
		    NULL ? "" : cases[i][1]);
		if (cases[i][1] != NULL)
			assert_int_equal(lines(&t, line), 1);
		else
			assert_null(strstr(t.text, "Remote-MTA"));
		free(t.text);
	}
}

static void
foreign_text_cannot_break_out_of_its_line(void **state)
{
	static char huge[40000];
	struct bounce_rcpt r = {
		.action = REPORT_FAILED, .address = SPAN("a\xff@example.net"),
		.reply = SPAN("5.0.0 x\r\nStatus: 2.0.0\r\n\r\n" BOUNDARY
		    "--\r\n\0\x80"),
		.hop = SPAN("h\r\nAction: delivered"), .code = 550,
		.orcpt = SPAN("rfc822;a+0D+0AAction:+20relayed"),
		.is_theirs = true,
	};
	struct bounce b = about(&r, 1);
	struct bounce_text t;

	b.envid = SPAN("x+0D+0AReporting-MTA:+20y");
	b.is_utf8 = true;
	memset(huge, 'y', sizeof(huge));
	memcpy(huge, "X: \xc3\xa9\r\nno\0pe\n\r", 15);
	memcpy(huge + 20000, "\r\n" BOUNDARY "x\r\n", 44);
	memcpy(huge + 39000, "\r\n", 2);
	b.header = (struct span){ huge, sizeof(huge) };
	t = write_bounce(&b);
	check_form(&t, false);
	assert_int_equal(lines(&t, "Status: 2.0.0"), 0);
	assert_int_equal(lines(&t, "Action: delivered"), 0);
	assert_int_equal(lines(&t, "Action: relayed"), 0);
	assert_int_equal(lines(&t, "Reporting-MTA: y"), 0);
	free(t.text);
}

static void
addresses_beyond_ascii_take_the_forms_of_rfc_6533(void **state)
{
	struct bounce_rcpt r = {
		.action = REPORT_FAILED, .reply = SPAN("5.1.1 no"),
		.address = SPAN("\xc3\xa9@example.net"), .code = 550,
		.orcpt = SPAN("utf-8;\\x{E9}@example.net"),
	};
	struct bounce b = about(&r, 1);
	struct bounce_text t;

	b.header = SPAN("Subject: \xc3\xa9t\xc3\xa9\r\n\r\n");
	t = write_bounce(&b);
	check_form(&t, false);
	assert_int_equal(t.flags, MAIL_8BIT);
	assert_int_equal(lines(&t,
	    "Content-Type: message/global-delivery-status"), 1);
	assert_int_equal(lines(&t, "Content-Type: message/global-headers"), 1);
	assert_int_equal(lines(&t, "Content-Transfer-Encoding: 8bit"), 2);
	assert_int_equal(lines(&t,
	    "Final-Recipient: utf-8; \xc3\xa9@example.net"), 1);
	assert_int_equal(lines(&t,
	    "Original-Recipient: utf-8; \\x{E9}@example.net"), 1);
	assert_int_equal(lines(&t, "Subject: \xc3\xa9t\xc3\xa9"), 1);
	free(t.text);
	b.to = SPAN("\xc3\xa9@example.org");
	t = write_bounce(&b);
	assert_int_equal(t.flags, MAIL_8BIT | MAIL_SMTPUTF8);
	free(t.text);
}

static void
ascii_is_reported_in_the_forms_all_programs_know(void **state)
{
	struct bounce_rcpt r = {
		.action = REPORT_FAILED, .reply = SPAN("5.1.1 n\xc3\xb6"),
		.address = SPAN("a@example.net"), .code = 550,
	};
	struct bounce b = about(&r, 1);
	struct bounce_text t;

	b.header = SPAN("Subject: raw \xe9\r\n\r\n");
	t = write_bounce(&b);
	check_form(&t, true);
	assert_int_equal(lines(&t, "Content-Type: message/delivery-status"),
	    1);
	assert_int_equal(lines(&t, "Content-Type: text/rfc822-headers"), 1);
	assert_int_equal(lines(&t, "Subject: raw ?"), 1);
	free(t.text);
}

static void
what_the_client_named_is_named_again(void **state)
{
	struct bounce_rcpt r = {
		.action = REPORT_DELIVERED, .reply = SPAN("2.0.0 Ok"),
		.address = SPAN("a@example.net"), .code = 250,
		.orcpt = SPAN("RFC822;b+2Bc@example.com"), .is_theirs = true,
		.hop = SPAN("mx.example.net[192.0.2.7]:25"),
	};
	struct bounce b = about(&r, 1);
	struct bounce_text t;

	b.envid = SPAN("QQ+2B314159");
	t = write_bounce(&b);
	check_form(&t, true);
	assert_int_equal(lines(&t, "Original-Envelope-Id: QQ+314159"), 1);
	assert_int_equal(lines(&t,
	    "Original-Recipient: RFC822; b+c@example.com"), 1);
	assert_int_equal(lines(&t, "Action: delivered"), 1);
	assert_int_equal(lines(&t, "Status: 2.0.0"), 1);
	assert_int_equal(lines(&t, "Subject: Your message was delivered"), 1);
	free(t.text);
}

static void
a_delay_says_until_when_and_that_nothing_need_be_done(void **state)
{
	struct bounce_rcpt r = {
		.action = REPORT_DELAYED, .address = SPAN("a@example.net"),
		.reply = SPAN("4.4.1 Connection refused"), .code = 451,
		.until_ms = 5 * 86400000,
	};
	struct bounce b = about(&r, 1);
	struct bounce_text t = write_bounce(&b);

	check_form(&t, true);
	assert_int_equal(lines(&t, "Action: delayed"), 1);
	assert_int_equal(lines(&t, "Status: 4.4.1"), 1);
	assert_int_equal(lines(&t,
	    "Will-Retry-Until: Tue, 06 Jan 1970 00:00:00 +0000"), 1);
	assert_int_equal(lines(&t,
	    "    It is tried until: Tue, 06 Jan 1970 00:00:00 +0000"), 1);
	assert_non_null(strstr(t.text, "need not do anything"));
	assert_non_null(strstr(t.text, "could not be reached"));
	free(t.text);
}

/* A subject that programs encoded is read by people as it was written. */
static void
people_read_which_message_it_was_and_why(void **state)
{
	struct bounce_rcpt r = {
		.action = REPORT_FAILED, .address = SPAN("a@example.net"),
		.reply = SPAN("4.2.2 Over quota, and quite a long reply it is "
		    "that goes on and on behind the end of any line there is"),
		.code = 452, .is_late = true, .is_theirs = true,
		.hop = SPAN("mx.example.net[192.0.2.7]:25"),
	};
	struct bounce b = about(&r, 1);
	struct bounce_text t;

	b.header = SPAN("Subject: =?utf-8?Q?F=C3=BCr?=\r\n"
	    " =?iso-8859-1?B?IGRpY2jk?= you\r\n"
	    "Message-ID: <1@example.org>\r\n\r\n");
	t = write_bounce(&b);
	check_form(&t, true);
	assert_int_equal(lines(&t,
	    "    Subject: F=C3=BCr dich=C3=A4 you"), 1);
	assert_non_null(strstr(t.text, "\r\n    It was tried for as long as"));
	assert_non_null(strstr(t.text, "mailbox"));
	assert_non_null(strstr(t.text,
	    "\r\n    mx.example.net[192.0.2.7]:25 said: 452 4.2.2 Over"));
	assert_int_equal(lines(&t, "In-Reply-To: <1@example.org>"), 1);
	free(t.text);
}

static void
a_message_is_returned_whole_when_it_can_be(void **state)
{
	static char line[1200];
	struct bounce_rcpt r = {
		.action = REPORT_FAILED, .reply = SPAN("5.1.1 no"),
		.address = SPAN("a@example.net"), .code = 550,
	};
	struct bounce b = about(&r, 1);
	struct bounce_text t;

	b.has_body = true;
	b.body = SPAN("Sch\xc3\xb6n\r\n");
	t = write_bounce(&b);
	check_form(&t, false);
	assert_int_equal(t.flags, MAIL_8BIT);
	assert_int_equal(lines(&t, "Content-Type: message/rfc822"), 1);
	assert_non_null(strstr(t.text,
	    "Subject: x\r\n\r\nSch\xc3\xb6n\r\n\r\n" BOUNDARY "--"));
	assert_non_null(strstr(t.text, "Your message is returned"));
	free(t.text);
	memset(line, 'x', sizeof(line) - 2);
	memcpy(line + sizeof(line) - 2, "\r\n", 2);
	b.body = (struct span){ line, sizeof(line) };
	t = write_bounce(&b);
	check_form(&t, true);
	assert_int_equal(lines(&t, "Content-Type: text/rfc822-headers"), 1);
	assert_non_null(strstr(t.text, "The header of your message"));
	free(t.text);
}

static void
a_status_has_the_class_of_what_became_of_it(void **state)
{
	static const struct {
		enum report action;
		uint16_t code;
		bool is_late;
		const char *reply, *status;
	} cases[] = {
		{ REPORT_FAILED, 550, false, "5.7.1 no", "5.7.1" },
		{ REPORT_FAILED, 550, false, "5.7.1x no", "5.0.0" },
		{ REPORT_FAILED, 550, false, "4.2.2 no", "5.2.2" },
		{ REPORT_FAILED, 550, false, "5.01.001 no", "5.1.1" },
		{ REPORT_FAILED, 421, true, "5.7", "4.4.7" },
		{ REPORT_FAILED, 450, true, "4.2.0 Later", "4.2.0" },
		{ REPORT_FAILED, 0, true, "", "4.4.7" },
		{ REPORT_FAILED, 0, false, "", "5.0.0" },
		{ REPORT_FAILED, 554, true, "5.3.2 Down", "5.3.2" },
		{ REPORT_DELAYED, 554, false, "5.3.2 Down", "4.3.2" },
		{ REPORT_DELAYED, 0, false, "", "4.0.0" },
		{ REPORT_RELAYED, 250, false, "Ok", "2.0.0" },
		{ REPORT_NONE, 421, false, "5.7", "4.0.0" },
		{ REPORT_NONE, 250, false, "2.1.5 Ok", "2.1.5" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bounce_rcpt r = {
			.action = cases[i].action, .code = cases[i].code,
			.is_late = cases[i].is_late,
			.reply = span_of(cases[i].reply),
		};

		assert_string_equal(bounce_status(&r).text, cases[i].status);
	}
}

static void
a_reply_is_told_in_plain_words(void **state)
{
	static const struct {
		const char *reply;
		enum notice_reason reason;
	} cases[] = {
		{ "5.1.1 x", NOTICE_REASON_unknown },
		{ "5.1.2 x", NOTICE_REASON_domain },
		{ "5.2.2 x", NOTICE_REASON_full },
		{ "5.3.4 x", NOTICE_REASON_big },
		{ "5.4.1 x", NOTICE_REASON_unreachable },
		{ "5.4.6 x", NOTICE_REASON_loop },
		{ "5.7.1 x", NOTICE_REASON_refused },
		{ "5.7.8 x", NOTICE_REASON_secure },
		{ "sorry, USER UNKNOWN here", NOTICE_REASON_unknown },
		{ "looks like spam", NOTICE_REASON_refused },
		{ "", NOTICE_REASON_other },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bounce_rcpt r = { .action = REPORT_FAILED,
		    .code = 550, .reply = span_of(cases[i].reply) };

		assert_int_equal(bounce_status_reason(&r), cases[i].reason);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_recipient_has_its_own_fields),
		cmocka_unit_test(what_nobody_said_by_smtp_is_not_said_to_be),
		cmocka_unit_test(remote_mta_is_a_name_of_the_dns_or_a_literal),
		cmocka_unit_test(foreign_text_cannot_break_out_of_its_line),
		cmocka_unit_test(
		    addresses_beyond_ascii_take_the_forms_of_rfc_6533),
		cmocka_unit_test(
		    ascii_is_reported_in_the_forms_all_programs_know),
		cmocka_unit_test(what_the_client_named_is_named_again),
		cmocka_unit_test(
		    a_delay_says_until_when_and_that_nothing_need_be_done),
		cmocka_unit_test(people_read_which_message_it_was_and_why),
		cmocka_unit_test(a_message_is_returned_whole_when_it_can_be),
		cmocka_unit_test(a_status_has_the_class_of_what_became_of_it),
		cmocka_unit_test(a_reply_is_told_in_plain_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
