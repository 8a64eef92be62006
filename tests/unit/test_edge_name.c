/*
 * What a client is called: by whom it is believed, who waits for it, and for
 * how long.
 *
 * room: edge
 */
#include "edge_dns.h"

#include "edge/client/client_name.h"

#define PTR		"1.2.0.192.in-addr.arpa"
#define NAME(bytes)	bytes, sizeof(bytes)	/* its NUL is the root */

static int
setup(void **state)
{
	dns_start();
	kit.edge->set.client_names = true;
	dns_know(PTR, RESOLVE_PTR, RESOLVED, NAME("\4liar\7example"));
	dns_know(PTR, RESOLVE_PTR, RESOLVED, NAME("\4mail\7example"));
	dns_know("liar.example", RESOLVE_A, RESOLVED, "\300\0\2\2", 4);
	dns_know("mail.example", RESOLVE_A, RESOLVED, "\300\0\2\3", 4);
	dns_know("mail.example", RESOLVE_A, RESOLVED, "\300\0\2\1", 4);
	return 0;
}

static int
teardown(void **state)
{
	dns_stop();
	return 0;
}

static void
want_trace(const char *text)
{
	char header[4096];

	assert_true(span_cstr(grow_span(&kit_last()->header), header,
	    sizeof(header)));
	if (strstr(header, text) == NULL)
		fail_msg("%s", header);
}

static void
send_mail(void)
{
	kit_say(KIT_ENVELOPE "DATA\r\n");
	kit_hear();
	kit_say("A: b\r\n\r\nx\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 ");
}

static void
a_name_that_has_the_address_is_in_the_trace(void **state)
{
	kit_ready();
	send_mail();
	want_trace("from client.example (mail.example [192.0.2.1])");
}

static void
one_that_has_another_is_not_believed(void **state)
{
	dns.rows[3].rdata = "\300\0\2\4";
	dns.rows[4].rdata = "\300\0\2\5";
	kit_ready();
	send_mail();
	want_trace("from client.example ([192.0.2.1])");
}

/* The DNS of the client's own: what looks like an address proves nothing. */
static void
an_address_is_no_name(void **state)
{
	dns.row_cnt = 0;
	dns_know(PTR, RESOLVE_PTR, RESOLVED, NAME("\003192\0010\0012\0011"));
	dns_know(PTR, RESOLVE_PTR, RESOLVED, "\4mail", 5);
	dns_know(PTR, RESOLVE_PTR, RESOLVED, "", 0);
	kit_ready();
	send_mail();
	want_trace("from client.example ([192.0.2.1])");
	assert_string_equal(dns.asked, "12 " PTR ",");
}

static void
the_text_waits_for_it_and_nothing_before(void **state)
{
	dns.is_mute = true;
	kit_ready();
	kit_say(KIT_ENVELOPE);
	assert_string_equal(kit_codes(kit_hear()), "250 250 ");
	kit_want("DATA\r\n", "");
	dns_speak();
	assert_string_equal(kit_codes(kit_hear()), "354 ");
	kit_say("A: b\r\n\r\nx\r\n.\r\n");
	kit_hear();
	want_trace("from client.example (mail.example [192.0.2.1])");
}

static void
a_client_that_leaves_costs_nothing(void **state)
{
	dns.is_mute = true;
	kit_ready();
	kit_say(KIT_ENVELOPE "DATA\r\n");
	kit_hear();
	kit_hang_up();
	kit_turn(KIT_TURNS);
	dns_speak();
	kit_ready();
	send_mail();
}

static void
the_banner_waits_where_it_shows_it(void **state)
{
	free(kit.edge->set.banner);
	kit.edge->set.banner = strdup("mx hello {client_host}, well");
	kit.edge->set.banner_has_name = true;
	dns.is_mute = true;
	kit_connect();
	assert_string_equal(kit_hear(), "");
	dns_speak();
	assert_string_equal(kit_hear(), "220 mx hello mail.example, well\r\n");
	kit_connect_from("192.0.2.9");
	assert_string_equal(kit_hear(), "220 mx hello [192.0.2.9], well\r\n");
	kit_connect_from("127.0.0.1");
	assert_string_equal(kit_hear(), "220 mx hello localhost, well\r\n");
}

static void
nobody_is_asked_unless_it_is_wanted(void **state)
{
	kit.edge->set.client_names = false;
	kit_ready();
	send_mail();
	want_trace("from client.example ([192.0.2.1])");
	kit.edge->set.client_names = true;
	kit_connect_from("127.0.0.1");
	kit_say("EHLO x\r\n");
	kit_hear();
	send_mail();
	want_trace("from x (localhost [127.0.0.1])");
	assert_int_equal(dns.asked_cnt, 0);
}

int
main(void)
{
#define CLAIM(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		CLAIM(a_name_that_has_the_address_is_in_the_trace),
		CLAIM(one_that_has_another_is_not_believed),
		CLAIM(an_address_is_no_name),
		CLAIM(the_text_waits_for_it_and_nothing_before),
		CLAIM(a_client_that_leaves_costs_nothing),
		CLAIM(the_banner_waits_where_it_shows_it),
		CLAIM(nobody_is_asked_unless_it_is_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
