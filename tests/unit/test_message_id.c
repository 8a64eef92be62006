/*
 * The name of a message out of its header section, and the next hop's out of
 * its reply.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "mail/command.h"
#include "mail/hop_id.h"
#include "mail/message_id.h"

static void
assert_span(struct span s, const char *text)
{
	if (!span_eq(s, span_of(text)))
		fail_msg("\"%.*s\" instead of \"%s\"", (int)s.len, s.ptr,
		    text);
}

static void
the_id_is_what_stands_in_the_brackets(void **state)
{
	static const struct {
		const char *header, *id;
	} rows[] = {
		{ "Message-ID: <a@b>\r\n\r\n", "a@b" },
		{ "From: x\r\nMESSAGE-id:<a@b>\r\nTo: y\r\n\r\n", "a@b" },
		{ "Message-ID:\r\n\t<a@b>\r\nTo: y\r\n", "a@b" },
		{ "Message-Id : <a@b> (made here)\r\n", "a@b" },
		{ "Message-ID: a@b\r\nTo: <c@d>\r\n", "a@b" },
		{ "Message-ID: <a@b>\r\nMessage-ID: <c@d>\r\n", "a@b" },
		{ "X-Message-ID: <a@b>\r\n\r\n", "" },
		{ "To: x\r\n Message-ID: <a@b>\r\n\r\n", "" },
		{ "To: x\r\n\r\nMessage-ID: <a@b>\r\n", "" },
		{ "Message-ID:\r\nTo: <c@d>\r\n", "" },
		{ "Message-ID: <a\x01@b>\r\n", "a" },
		{ "Message-ID: <a b@c>\r\n", "a" },
		{ "Message-ID: <a@b", "a@b" },
		{ "Message-ID", "" },
		{ "", "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_span(message_id_find(span_of(rows[i].header)),
		    rows[i].id);
}

static void
a_long_id_is_the_same_cut_wherever_it_comes_from(void **state)
{
	char header[1024], said[600];
	struct span a, b;

	memset(said, 'x', sizeof(said));
	said[sizeof(said) - 1] = '\0';
	(void)snprintf(header, sizeof(header), "Message-ID: <%s@b>\r\n\r\n",
	    said);
	a = message_id_find(span_of(header));
	b = message_id_clean(span_of(said));
	assert_int_equal(a.len, MESSAGE_ID_KEPT);
	assert_true(span_eq(a, b));
}

static void
what_a_person_types_is_cleaned(void **state)
{
	assert_span(message_id_clean(span_of("<a@b>")), "a@b");
	assert_span(message_id_clean(span_of("  a@b ")), "a@b");
	assert_span(message_id_clean(span_of("Message-ID: <a@b>")), "a@b");
	assert_span(message_id_clean(span_of("")), "");
}

static void
the_next_hops_name_is_found_in_its_reply(void **state)
{
	static const struct {
		const char *reply, *id;
	} rows[] = {
		{ "2.0.0 Ok: queued as 4XyZ12", "4XyZ12" },
		{ "2.0.0 Ok: queued as 4XyZ12.", "4XyZ12" },
		{ "2.6.0 Message queued as "
		    "0193778a-1c2b-7f00-8000-000000000001",
		    "0193778a-1c2b-7f00-8000-000000000001" },
		{ "OK id=1rAbCd-000123-Xy", "1rAbCd-000123-Xy" },
		{ "2.0.0 3ATBx0Yz001 Message accepted for delivery",
		    "3ATBx0Yz001" },
		{ "2.0.0 <a@b> kF3Jx9abcd Saved", "kF3Jx9abcd" },
		{ "2.6.0 <x@y> [InternalId=42, Hostname=h] Queued mail for "
		    "delivery", "42" },
		{ "2.0.0 OK  1700000000 a1-20020a05 - gsmtp", "a1-20020a05" },
		{ "2.0.0 Message accepted for delivery", "" },
		{ "2.0.0 Ok: queued as ", "" },
		{ "Ok", "" },
		{ "", "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_span(hop_id_find(span_of(rows[i].reply)), rows[i].id);
}

static void
a_path_is_named_as_it_was_said(void **state)
{
	assert_span(command_path_said(span_of("TO:<a@b> NOTIFY=NEVER")),
	    "a@b");
	assert_span(command_path_said(span_of("FROM: a@b SIZE=1")), "a@b");
	assert_span(command_path_said(span_of("FROM:<>")), "");
	assert_span(command_path_said(span_of("TO:<\"a>b\"@c>")),
	    "\"a>b\"@c");
	assert_span(command_path_said(span_of("TO:<no end")), "no end");
	assert_span(command_path_said(span_of("nonsense")), "");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_id_is_what_stands_in_the_brackets),
		cmocka_unit_test(
		    a_long_id_is_the_same_cut_wherever_it_comes_from),
		cmocka_unit_test(what_a_person_types_is_cleaned),
		cmocka_unit_test(the_next_hops_name_is_found_in_its_reply),
		cmocka_unit_test(a_path_is_named_as_it_was_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
