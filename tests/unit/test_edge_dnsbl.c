/*
 * Lists in the DNS: who is on one, who is not asked about, and what a list
 * that is away, or odd, means.
 *
 * room: edge
 */
#include "edge_dns.h"

#define OWN	"1.2.0.192."
#define A(a, b, c, d)	((const char[]){ (char)(a), b, c, (char)(d) }), 4

static int
setup(void **state)
{
	struct dnsbls *set;

	dns_start();
	kit_users();
	set = &kit.edge->set.dnsbls;
	set->threshold = 1;
	assert_int_equal(dnsbl_add(set, SPAN("a.example")), OK);
	assert_int_equal(dnsbl_add(set, SPAN("b.example*2")), OK);
	assert_int_equal(dnsbl_add(set, SPAN("good.example*-3")), OK);
	assert_int_equal(nets_add(&set->ignored, SPAN("127.255.255.0/24")),
	    OK);
	return 0;
}

static int
teardown(void **state)
{
	dns_stop();
	return 0;
}

static void
sender(const char *ip)
{
	kit_connect_from(ip);
	kit_say("EHLO x\r\nMAIL FROM:<a@other.example>\r\n");
	kit_hear();
}

#define RCPT	"RCPT TO:<v@test.example>\r\n"

static void
want_taken(void)
{
	kit_want(RCPT, "250 2.1.5 <v@test.example> Ok\r\n");
}

static void
who_is_on_no_list_is_welcome(void **state)
{
	sender("192.0.2.1");
	want_taken();
	want_taken();
	assert_string_equal(dns.asked, "1 " OWN "a.example,1 " OWN
	    "b.example,1 " OWN "good.example,");
}

static void
the_list_that_counts_most_is_named_with_its_words(void **state)
{
	dns_know(OWN "a.example", RESOLVE_A, RESOLVED, A(127, 0, 0, 2));
	dns_know(OWN "b.example", RESOLVE_A, RESOLVED, A(127, 0, 0, 4));
	dns_know(OWN "b.example", RESOLVE_TXT, RESOLVED,
	    "\7see it \4here", 13);
	sender("192.0.2.1");
	kit_want(RCPT, "554 5.7.1 Client [192.0.2.1] is listed by b.example: "
	    "see it here\r\n");
}

static void
a_reason_cannot_break_the_line(void **state)
{
	dns_know(OWN "a.example", RESOLVE_A, RESOLVED, A(127, 0, 0, 2));
	dns_know(OWN "a.example", RESOLVE_TXT, RESOLVED,
	    "\4a\r\nb\2\377c", 8);
	sender("192.0.2.1");
	kit_want(RCPT, "554 5.7.1 Client [192.0.2.1] is listed by a.example: "
	    "a??b?c\r\n");
	kit_want(RCPT, "554 5.7.1 Client [192.0.2.1] is listed by a.example: "
	    "a??b?c\r\n");
	assert_int_equal(dns.asked_cnt, 4);	/* once in a session */
}

static void
a_list_that_speaks_for_a_client_counts_against_others(void **state)
{
	dns_know(OWN "b.example", RESOLVE_A, RESOLVED, A(127, 0, 0, 2));
	dns_know(OWN "good.example", RESOLVE_A, RESOLVED, A(127, 0, 0, 2));
	sender("192.0.2.1");
	want_taken();
}

static void
less_than_the_threshold_is_not_enough(void **state)
{
	kit.edge->set.dnsbls.threshold = 3;
	dns_know(OWN "b.example", RESOLVE_A, RESOLVED, A(127, 0, 0, 2));
	sender("192.0.2.1");
	want_taken();
	dns_know("2.2.0.192.a.example", RESOLVE_A, RESOLVED, A(127, 0, 0, 2));
	dns_know("2.2.0.192.b.example", RESOLVE_A, RESOLVED, A(127, 0, 0, 2));
	sender("192.0.2.2");
	kit_want(RCPT, "554 5.7.1 Client [192.0.2.2] is listed by b.example"
	    "\r\n");
}

/* A list that is given up answers anything, or says so in its own way. */
static void
answers_that_are_none_do_not_count(void **state)
{
	dns_know(OWN "a.example", RESOLVE_A, RESOLVED, A(203, 0, 113, 1));
	dns_know(OWN "b.example", RESOLVE_A, RESOLVED,
	    A(127, (char)255, (char)255, 254));
	sender("192.0.2.1");
	want_taken();
}

static void
a_list_that_fails_has_nobody(void **state)
{
	dns_know(OWN "a.example", RESOLVE_A, RESOLVED_FAILED, NULL, 0);
	sender("192.0.2.1");
	want_taken();
}

static void
an_ipv6_client_is_asked_about_by_nibbles(void **state)
{
	struct client_address a = { .family = 6, .bytes = { 0x20, 0x01, 0x0d,
	    0xb8, [15] = 0x1f } };

	kit_connect_as(a);
	kit_say("EHLO x\r\nMAIL FROM:<a@other.example>\r\n");
	kit_hear();
	want_taken();
	assert_memory_equal(dns.asked, "1 f.1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0."
	    "0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.a.example,", 76);
}

static void
who_is_known_and_mail_to_postmaster_come_through(void **state)
{
	dns_know(OWN "a.example", RESOLVE_A, RESOLVED, A(127, 0, 0, 2));
	sender("192.0.2.1");
	kit_say("RCPT TO:<postmaster>\r\nRCPT TO:<PostMaster@test.example>"
	    "\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 250 ");
	assert_int_equal(dns.asked_cnt, 0);
	kit_say(RCPT);
	assert_string_equal(kit_codes(kit_hear()), "554 ");
	dns.asked_cnt = 0;
	kit_connect();
	kit_say("EHLO x\r\nAUTH PLAIN AGFubgBzZWNyZXQ=\r\n");
	kit_hear();
	kit_vault_says(LOGIN_GOOD);
	kit_hear();
	kit_say("MAIL FROM:<a@other.example>\r\n" RCPT);
	assert_string_equal(kit_codes(kit_hear()), "250 250 ");
	sender("10.1.2.3");
	want_taken();
	sender("127.0.0.1");
	want_taken();
	assert_int_equal(dns.asked_cnt, 0);
}

static void
at_connect_the_greeting_is_the_answer(void **state)
{
	kit.edge->set.dnsbls.at_connect = true;
	dns_know(OWN "a.example", RESOLVE_A, RESOLVED, A(127, 0, 0, 2));
	kit_connect();
	assert_string_equal(kit_hear(), "554 5.7.1 Client [192.0.2.1] is "
	    "listed by a.example\r\n");
	kit_say("EHLO x\r\n");
	assert_string_equal(kit_codes(kit_hear()), "503 ");
	kit_connect_from("192.0.2.2");
	assert_string_equal(kit_codes(kit_hear()), "220 ");
}

static void
lists_that_are_away_hold_nobody_for_long(void **state)
{
	dns.is_mute = true;
	sender("192.0.2.1");
	kit_want(RCPT, "");
	kit_hang_up();			/* a client that leaves */
	kit_turn(KIT_TURNS);
	dns_know("9.2.0.192.b.example", RESOLVE_A, RESOLVED, A(127, 0, 0, 2));
	sender("192.0.2.9");
	kit_want(RCPT, "");
	for (unsigned i = 0; i < dns.held_cnt; i++)	/* one list answers */
		if (strcmp(dns.held[i].name, "9.2.0.192.b.example") == 0)
			dns_answer(dns.held[i].request, RESOLVE_A,
			    dns.held[i].name);
	kit_wait(DNSBL_PATIENCE_MS);
	kit_wait(DNSBL_REASON_MS + 200);
	assert_string_equal(kit_hear(), "554 5.7.1 Client [192.0.2.9] is "
	    "listed by b.example\r\n");
}

static void
without_a_resolver_all_are_welcome(void **state)
{
	dns_stop();
	kit_start();			/* nobody has linked it to one */
	assert_int_equal(dnsbl_add(&kit.edge->set.dnsbls, SPAN("a.example")),
	    OK);
	sender("192.0.2.1");
	want_taken();
	assert_int_equal(dnsbl_add(&kit.edge->set.dnsbls, SPAN("a*x")),
	    ERR_PEER);
}

int
main(void)
{
#define CLAIM(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		CLAIM(who_is_on_no_list_is_welcome),
		CLAIM(the_list_that_counts_most_is_named_with_its_words),
		CLAIM(a_reason_cannot_break_the_line),
		CLAIM(a_list_that_speaks_for_a_client_counts_against_others),
		CLAIM(less_than_the_threshold_is_not_enough),
		CLAIM(answers_that_are_none_do_not_count),
		CLAIM(a_list_that_fails_has_nobody),
		CLAIM(an_ipv6_client_is_asked_about_by_nibbles),
		CLAIM(who_is_known_and_mail_to_postmaster_come_through),
		CLAIM(at_connect_the_greeting_is_the_answer),
		CLAIM(lists_that_are_away_hold_nobody_for_long),
		CLAIM(without_a_resolver_all_are_welcome),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
