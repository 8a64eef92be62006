/*
 * SPF at MAIL: what each result means by option, who is not judged, what stands
 * in the header section, and what a DNS that is away comes to.
 *
 * room: edge
 */
#include "edge_dns.h"

#include "edge/stage/spf_check.h"

static int
setup(void **state)
{
	dns_start();
	kit_users();
	kit.edge->set.spf = true;
	kit.edge->set.spf_reject = 1u << SPF_FAIL;
	return 0;
}

static int
teardown(void **state)
{
	dns_stop();
	return 0;
}

/* A TXT record of one string. */
static void
know(const char *name, const char *text)
{
	static char bytes[16][256];
	char *b = bytes[dns.row_cnt];
	size_t len = strlen(text);

	assert_true(dns.row_cnt < 16 && len < 255);
	b[0] = (char)len;
	memcpy(b + 1, text, len);
	dns_know(name, RESOLVE_TXT, RESOLVED, b, len + 1);
}

#define MAIL	"MAIL FROM:<ann@x.example>\r\n"
#define OK_MAIL	"250 2.1.0 <ann@x.example> Ok\r\n"

static void
greet(const char *ip)
{
	kit_connect_from(ip);
	kit_say("EHLO h.example\r\n");
	kit_hear();
}

static void
want_field(const char *text)
{
	char header[4096];

	kit_say("RCPT TO:<v@test.example>\r\nDATA\r\n");
	kit_hear();
	kit_say("A: b\r\n\r\nx\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 ");
	assert_true(span_cstr(grow_span(&kit_last()->header), header,
	    sizeof(header)));
	if (strncmp(header, text, strlen(text)) != 0)
		fail_msg("%s", header);
}

static void
who_may_send_is_taken_and_the_field_says_so(void **state)
{
	know("x.example", "v=spf1 ip4:192.0.2.1 -all");
	greet("192.0.2.1");
	kit_want(MAIL, OK_MAIL);
	want_field("Received-SPF: pass\r\n\treceiver=mx.test.example; "
	    "identity=mailfrom; client-ip=192.0.2.1;\r\n"
	    "\tenvelope-from=\"ann@x.example\";\r\n\thelo=\"h.example\";\r\n"
	    "Received: from h.example");
}

static void
who_may_not_hears_why(void **state)
{
	know("x.example", "v=spf1 mx exp=why.%{d} -all");
	know("why.x.example", "%{i} is not ours");
	dns_know("x.example", RESOLVE_MX, RESOLVED, "\0\1\1m\1x\7example", 15);
	dns_know("m.x.example", RESOLVE_A, RESOLVED, "\300\0\2\2", 4);
	greet("192.0.2.1");
	kit_want(MAIL, "550 5.7.23 SPF fail: [192.0.2.1] for x.example: "
	    "192.0.2.1 is not ours\r\n");
	greet("192.0.2.2");
	kit_want(MAIL, OK_MAIL);
}

static void
only_the_results_that_are_named_are_refused(void **state)
{
	know("x.example", "v=spf1 ~all");
	greet("192.0.2.1");
	kit_want(MAIL, OK_MAIL);
	want_field("Received-SPF: softfail\r\n");
	kit.edge->set.spf_reject |= 1u << SPF_SOFTFAIL | 1u << SPF_NONE;
	greet("192.0.2.1");
	kit_want(MAIL, "550 5.7.23 SPF softfail: [192.0.2.1] may not send "
	    "mail of x.example\r\n");
	kit_want("MAIL FROM:<a@none.example>\r\n", "550 5.7.23 SPF none: "
	    "[192.0.2.1] may not send mail of none.example\r\n");
}

static void
of_nobody_the_name_of_the_client_is_judged(void **state)
{
	know("h.example", "v=spf1 -all");
	greet("192.0.2.1");
	kit_want("MAIL FROM:<>\r\n", "550 5.7.23 SPF fail: [192.0.2.1] may "
	    "not send mail of h.example\r\n");
}

static void
a_record_that_is_wrong_is_no_fail(void **state)
{
	know("x.example", "v=spf1 ip4:1.2.3 -all");
	greet("192.0.2.1");
	kit_want(MAIL, OK_MAIL);
	want_field("Received-SPF: permerror\r\n");
	kit.edge->set.spf_reject |= 1u << SPF_PERMERROR;
	greet("192.0.2.1");
	kit_want(MAIL, "550 5.7.24 SPF permerror: the records of x.example "
	    "cannot be used\r\n");
}

static void
a_dns_that_fails_passes_or_is_tried_again(void **state)
{
	dns_know("x.example", RESOLVE_TXT, RESOLVED_FAILED, NULL, 0);
	greet("192.0.2.1");
	kit_want(MAIL, OK_MAIL);
	want_field("Received-SPF: temperror\r\n");
	kit.edge->set.spf_reject |= 1u << SPF_TEMPERROR;
	greet("192.0.2.1");
	kit_want(MAIL, "451 4.7.24 SPF temperror: the records of x.example "
	    "cannot be used\r\n");
	resolve_close(&kit.edge->resolve);	/* there is none at all */
	kit_want(MAIL, "451 4.7.24 SPF temperror: the records of x.example "
	    "cannot be used\r\n");
}

static void
who_is_known_is_not_judged(void **state)
{
	know("x.example", "v=spf1 -all");
	kit_connect();
	kit_say("EHLO x\r\nAUTH PLAIN AGFubgBzZWNyZXQ=\r\n");
	kit_hear();
	kit_vault_says(LOGIN_GOOD);
	kit_hear();
	kit_want(MAIL, OK_MAIL);
	greet("10.1.2.3");
	kit_want(MAIL, OK_MAIL);
	greet("127.0.0.1");
	kit_want(MAIL, OK_MAIL);
	assert_int_equal(dns.asked_cnt, 0);
}

static void
a_client_that_leaves_costs_nothing(void **state)
{
	know("x.example", "v=spf1 a -all");
	dns.is_mute = true;
	greet("192.0.2.1");
	kit_want(MAIL, "");
	kit_hang_up();
	kit_turn(KIT_TURNS);
	dns_speak();
	greet("192.0.2.1");
	kit_want(MAIL, "550 5.7.23 SPF fail: [192.0.2.1] may not send mail "
	    "of x.example\r\n");
}

static void
a_domain_of_letters_is_asked_about_by_its_a_label(void **state)
{
	know("xn--bcher-kva.example", "v=spf1 -all");
	greet("192.0.2.1");
	kit_say("MAIL FROM:<a@b\303\274cher.example> SMTPUTF8\r\n");
	assert_string_equal(kit_codes(kit_hear()), "550 ");
}

int
main(void)
{
#define CLAIM(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)
	static const struct CMUnitTest tests[] = {
		CLAIM(who_may_send_is_taken_and_the_field_says_so),
		CLAIM(who_may_not_hears_why),
		CLAIM(only_the_results_that_are_named_are_refused),
		CLAIM(of_nobody_the_name_of_the_client_is_judged),
		CLAIM(a_record_that_is_wrong_is_no_fail),
		CLAIM(a_dns_that_fails_passes_or_is_tried_again),
		CLAIM(who_is_known_is_not_judged),
		CLAIM(a_client_that_leaves_costs_nothing),
		CLAIM(a_domain_of_letters_is_asked_about_by_its_a_label),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
