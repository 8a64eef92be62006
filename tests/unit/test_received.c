/* The trace field, and that no client breaks out of it (ADR-06). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mail/received.h"

static struct received
sample(void)
{
	return (struct received){
		.helo = SPAN("c.example"), .client = SPAN("192.0.2.1"),
		.by = SPAN("mx.example.org"), .with = SPAN("ESMTP"),
		.id = { { 1 } }, .for_rcpt = SPAN("a@x"),
		.when_ms = 1795234320000,
	};
}

static void
assert_builds(const struct received *r, const char *want)
{
	char buf[RECEIVED_TEXT_MAX];
	size_t len;

	assert_int_equal(received_build(r, buf, sizeof(buf), &len), OK);
	if (!span_eq((struct span){ buf, len }, span_of(want)))
		fail_msg("%.*s", (int)len, buf);
}

#define TAIL	"\r\n\tby mx.example.org with ESMTP id "		\
		"01000000-0000-0000-0000-000000000000"
#define DATE	"Sat, 21 Nov 2026 04:12:00 +0000\r\n"

static void
the_field_is_as_the_standard_has_it(void **state)
{
	struct received r = sample();

	(void)state;
	assert_builds(&r, "Received: from c.example ([192.0.2.1])" TAIL
	    "\r\n\tfor <a@x>; " DATE);
	r.for_rcpt.len = 0;
	r.client = SPAN("2001:db8::1");
	r.helo = SPAN("[IPv6:2001:db8::1]");
	assert_builds(&r, "Received: from [IPv6:2001:db8::1] "
	    "([IPv6:2001:db8::1])" TAIL ";\r\n\t" DATE);
	r.name = SPAN("mail.example");
	assert_builds(&r, "Received: from [IPv6:2001:db8::1] "
	    "(mail.example [IPv6:2001:db8::1])" TAIL ";\r\n\t" DATE);
	r.name = SPAN("bad)name");
	assert_builds(&r, "Received: from [IPv6:2001:db8::1] "
	    "([IPv6:2001:db8::1])" TAIL ";\r\n\t" DATE);
	r.client.len = 0;
	r.helo.len = 0;
	assert_builds(&r, "Received: from unknown" TAIL ";\r\n\t" DATE);
}

static void
a_name_cannot_break_out(void **state)
{
	struct received r = sample();

	(void)state;
	r.for_rcpt.len = 0;
	r.helo = SPAN("a\r\nX: (b;\0\xff\x1b\"[");
	assert_builds(&r, "Received: from a??X???b?????? ([192.0.2.1])" TAIL
	    ";\r\n\t" DATE);
}

static void
foreign_parts_are_refused(void **state)
{
	struct received r;
	char buf[RECEIVED_TEXT_MAX];
	size_t len = 7;

	(void)state;
	r = sample();
	r.client = SPAN("1.2.3.4]\r\nX:");
	assert_int_equal(received_build(&r, buf, sizeof(buf), &len), ERR_PEER);
	r = sample();
	r.by = SPAN("a b");
	assert_int_equal(received_build(&r, buf, sizeof(buf), &len), ERR_PEER);
	r = sample();
	r.with = SPAN("ESMTP\r\n");
	assert_int_equal(received_build(&r, buf, sizeof(buf), &len), ERR_PEER);
	r = sample();
	r.for_rcpt = SPAN("a@x>\r\nX:");
	assert_int_equal(received_build(&r, buf, sizeof(buf), &len), ERR_PEER);
	assert_int_equal(len, 7);
}

static void
utf8_recipients_are_named_by_utf8smtp_only(void **state)
{
	struct received r = sample();
	char buf[RECEIVED_TEXT_MAX];
	size_t len;

	(void)state;
	r.for_rcpt = SPAN("\xce\xb4@x");
	assert_builds(&r, "Received: from c.example ([192.0.2.1])" TAIL
	    ";\r\n\t" DATE);
	r.with = received_with(false, true, true, false, true);
	assert_int_equal(received_build(&r, buf, sizeof(buf), &len), OK);
	assert_non_null(memmem(buf, len, "for <\xce\xb4@x>", 9));
}

static void
the_longest_field_fits_and_a_short_buffer_is_told(void **state)
{
	struct received r = sample();
	char buf[RECEIVED_TEXT_MAX], name[255], rcpt[254];
	size_t len, again;

	(void)state;
	memset(name, 'a', sizeof(name));
	memset(rcpt, 'b', sizeof(rcpt));
	rcpt[60] = '@';
	rcpt[120] = rcpt[180] = rcpt[240] = '.';
	r.helo = r.by = (struct span){ name, sizeof(name) };
	r.for_rcpt = (struct span){ rcpt, sizeof(rcpt) };
	r.client = SPAN("ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255");
	r.with = SPAN("UTF8LMTPSA");
	assert_int_equal(received_build(&r, buf, sizeof(buf), &len), OK);
	assert_int_equal(received_build(&r, buf, len, &again), OK);
	assert_int_equal(received_build(&r, buf, len - 1, &again), ERR_FULL);
}

static void
the_protocol_has_its_word(void **state)
{
	static const char *const words[16] = {
		/* by 8 extended, 4 utf8, 2 auth, 1 tls */
		"SMTP", "SMTP", "SMTP", "SMTP", "SMTP", "SMTP", "SMTP", "SMTP",
		"ESMTP", "ESMTPS", "ESMTPA", "ESMTPSA",
		"UTF8SMTP", "UTF8SMTPS", "UTF8SMTPA", "UTF8SMTPSA",
	};

	(void)state;
	for (unsigned i = 0; i < 16; i++)
		assert_true(span_eq(received_with(false, i & 8, i & 4,
		    i & 1, i & 2), span_of(words[i])));
	assert_true(span_eq(received_with(true, true, false, false, false),
	    SPAN("LMTP")));
	assert_true(span_eq(received_with(true, true, true, true, true),
	    SPAN("UTF8LMTPSA")));
}

static void
a_local_client_is_named_by_its_uid_alone(void **state)
{
	struct received r = sample();

	(void)state;
	r.is_local = true;
	r.uid = 4294967295u;
	r.client = SPAN("unix uid=4294967295");
	assert_builds(&r, "Received: from localhost (uid 4294967295)" TAIL
	    "\r\n\tfor <a@x>; " DATE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_field_is_as_the_standard_has_it),
		cmocka_unit_test(a_name_cannot_break_out),
		cmocka_unit_test(foreign_parts_are_refused),
		cmocka_unit_test(utf8_recipients_are_named_by_utf8smtp_only),
		cmocka_unit_test(
		    the_longest_field_fits_and_a_short_buffer_is_told),
		cmocka_unit_test(the_protocol_has_its_word),
		cmocka_unit_test(a_local_client_is_named_by_its_uid_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
