/*
 * Senders as others know them: in the envelope and in the text, of mail from
 * this host alone.
 *
 * room: edge
 */
#include "edge_kit.h"

static bool
has_header(const char *text)
{
	const struct grow *g = &kit_last()->header;

	return g->len > 0 && memmem(g->ptr, g->len, text, strlen(text)) !=
	    NULL;
}

/* "PATTERN ADDRESS"; and masquerade, or NULL, with here.example as ours. */
static void
use(const char *pattern, const char *to, const char *domain)
{
	struct sender_map *m = &kit.edge->set.senders;

	sender_map_fini(m);
	m->home = strdup("here.example");
	free(kit.edge->set.home);
	kit.edge->set.home = strdup(m->home);
	assert_int_equal(pattern_new(&m->homes), OK);
	assert_int_equal(pattern_add(m->homes, SPAN("@here.example"), 0), OK);
	if (domain != NULL)
		m->domain = strdup(domain);
	if (pattern == NULL)
		return;
	assert_int_equal(pattern_new(&m->patterns), OK);
	assert_int_equal(pattern_add(m->patterns, span_of(pattern), 0), OK);
	m->to = calloc(1, sizeof(*m->to));
	m->to[0] = strdup(to);
	m->to_cnt = 1;
}

static struct origin origin;	/* of the text: a program of this host	*/

static void
want_header(const char *header, const char *want)
{
	struct grow out = { NULL, 0, 0 };
	struct client_address root = client_address_user(0);
	enum err e;

	origin_init(&origin, &root);
	e = sender_map_header(&kit.edge->set.senders, &origin,
	    span_of(header), &out, 100000);

	if (want == NULL) {
		assert_int_equal(e, ERR_NONE);
	} else {
		assert_int_equal(e, OK);
		assert_true(out.len == strlen(want));
		assert_memory_equal(out.ptr, want, out.len);
	}
	grow_free(&out);
}

static void
from_and_sender_are_changed_and_nothing_else(void **state)
{
	use("@here.example", "me@provider.example", NULL);
	want_header("Received: from root@here.example\r\n"
	    "FROM: root (Cron Daemon)\r\n"
	    "To: root@here.example\r\n"
	    "Sender :\r\n \"a\" <Ann@HERE.example>,\r\n\tb@else.example\r\n"
	    "Subject: From: root\r\n"
	    " From: root\r\n"
	    "X-From: root\r\n\r\n",
	    "Received: from root@here.example\r\n"
	    "FROM: me@provider.example (Cron Daemon)\r\n"
	    "To: root@here.example\r\n"
	    "Sender :\r\n \"a\" <me@provider.example>,\r\n\tb@else.example\r\n"
	    "Subject: From: root\r\n"
	    " From: root\r\n"
	    "X-From: root\r\n\r\n");
	want_header("From: b@else.example\r\n\r\n", NULL);
	want_header("From: \r\n\r\n", NULL);
	want_header("", NULL);
	want_header("From: root", "From: me@provider.example");
}

static void
masquerade_keeps_the_user_and_comes_second(void **state)
{
	use("root@here.example", "me@provider.example", "example.org");
	want_header("From: root, ann <ann+x@here.example>, b@x.example\r\n",
	    "From: me@provider.example, ann <ann+x@example.org>, "
	    "b@x.example\r\n");
}

static void
long_lines_are_folded_and_a_flood_of_addresses_is_refused(void **state)
{
	struct grow out = { NULL, 0, 0 };
	char header[20000] = "From: ", *at = header + 6;
	size_t line = 0;

	origin.address = client_address_user(0);
	use("@here.example", "a-rather-long-account-name@provider.example",
	    NULL);
	for (int i = 0; i < 200; i++)
		at += sprintf(at, "%sx@here.example", i > 0 ? "," : "");
	assert_int_equal(sender_map_header(&kit.edge->set.senders, &origin,
	    span_of(header), &out, 100000), OK);
	for (size_t i = 0; i < out.len; i++) {
		line = out.ptr[i] == '\n' ? 0 : line + 1;
		assert_true(line < 998);
	}
	grow_free(&out);
	assert_int_equal(sender_map_header(&kit.edge->set.senders, &origin,
	    span_of(header), &out, 5000), ERR_FULL);
	grow_free(&out);
}

static void
envelope_and_text_of_a_program_here_say_the_same(void **state)
{
	use("@here.example", "me@provider.example", NULL);
	kit_connect_as(client_address_user(0));
	kit_say("EHLO x\r\nMAIL FROM:<root>\r\nRCPT TO:<v@far.example>\r\n"
	    "DATA\r\nFrom: root (Cron Daemon)\r\nSubject: x\r\n\r\n"
	    "hi\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()),
	    "220 250 250 250 354 250 ");
	assert_string_equal(kit_last()->sender, "me@provider.example");
	assert_true(kit_last()->header.len > 0);
	assert_true(has_header("\r\nFrom: me@provider.example (Cron "
	    "Daemon)\r\nSubject: x\r\n\r\n"));
	assert_int_equal(kit_last()->header_len, kit_last()->header.len);
	kit_say("MAIL FROM:<>\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 ");
	assert_string_equal(kit_last()->sender, "");
}

static void
what_strangers_send_is_left_alone(void **state)
{
	use("@here.example", "me@provider.example", NULL);
	kit_connect_from("192.0.2.7");
	kit_say("EHLO x\r\nMAIL FROM:<root@here.example>\r\n"
	    "RCPT TO:<v@far.example>\r\n"
	    "DATA\r\nFrom: root@here.example\r\n\r\nhi\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()),
	    "220 250 250 250 354 250 ");
	assert_string_equal(kit_last()->sender, "root@here.example");
	assert_true(has_header("\r\nFrom: root@here.example\r\n"));
}

static void
users_alone_get_our_name_in_all_fields_of_addresses(void **state)
{
	use(NULL, NULL, NULL);
	want_header("From: root (Cron Daemon)\r\n"
	    "To: root, Ann <ann>,\r\n\tbob@far.example\r\n"
	    "Cc: admins: eve, \"o'hara\";\r\n"
	    "Reply-To: www-data\r\n"
	    "Subject: root\r\n\r\n",
	    "From: root@here.example (Cron Daemon)\r\n"
	    "To: root@here.example, Ann <ann@here.example>,\r\n"
	    "\tbob@far.example\r\n"
	    "Cc: admins: eve@here.example, \"o'hara\"@here.example;\r\n"
	    "Reply-To: www-data@here.example\r\n"
	    "Subject: root\r\n\r\n");
	want_header("From: Cron Daemon\r\nTo: undisclosed-recipients:;\r\n"
	    "Cc: \r\nBcc: a@b, <>, (root)\r\n", NULL);
	use("root@here.example", "me@provider.example", NULL);
	want_header("From: root\r\nTo: root\r\n",
	    "From: me@provider.example\r\nTo: root@here.example\r\n");
}

static void
users_alone_that_strangers_send_are_left_alone(void **state)
{
	use(NULL, NULL, NULL);
	kit_connect_from("192.0.2.7");
	kit_say("EHLO x\r\nMAIL FROM:<root@here.example>\r\n"
	    "RCPT TO:<v@far.example>\r\n"
	    "DATA\r\nFrom: root\r\nTo: you\r\n\r\nhi\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()),
	    "220 250 250 250 354 250 ");
	assert_true(has_header("\r\nFrom: root\r\nTo: you\r\n"));
}

static void
a_text_without_a_header_is_not_touched(void **state)
{
	use("@here.example", "me@provider.example", NULL);
	kit_connect_as(client_address_user(0));
	kit_say("EHLO x\r\nMAIL FROM:<root>\r\nRCPT TO:<v@far.example>\r\n"
	    "DATA\r\nhello there\r\nFrom: root\r\n\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()),
	    "220 250 250 250 354 250 ");
	assert_true(has_header("\r\nFrom: root\r\n"));
}

#define T(name)	cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(from_and_sender_are_changed_and_nothing_else),
		T(masquerade_keeps_the_user_and_comes_second),
		T(long_lines_are_folded_and_a_flood_of_addresses_is_refused),
		T(envelope_and_text_of_a_program_here_say_the_same),
		T(what_strangers_send_is_left_alone),
		T(users_alone_get_our_name_in_all_fields_of_addresses),
		T(users_alone_that_strangers_send_are_left_alone),
		T(a_text_without_a_header_is_not_touched),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
