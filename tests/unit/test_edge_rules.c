/*
 * Who may speak and whom mail may reach: the relay attempts of old must all
 * fail at RCPT.
 *
 * room: edge
 */
#include <netinet/in.h>

#include "edge_kit.h"

static void
only_recipients(const char *a, const char *b)
{
	struct rules *r = &kit.edge->set.rules;

	assert_int_equal(rules_add_rcpt(r, span_of(a)), OK);
	if (b != NULL)
		assert_int_equal(rules_add_rcpt(r, span_of(b)), OK);
}

static void
tricks_do_not_reach_a_foreign_domain(void **state)
{
	static const char *const foreign[] = {
		"<v@other.example>", "<v%other.example@test.example>",
		"<v%other.example@[127.0.0.1]>", "<v%other.example>",
		"<\"v@other.example\"@test.example>", "<\"v@other.example\">",
		"<\"v%other.example\"@test.example>",
		"<v@other.example@test.example>",
		"<v@test.example@other.example>",
		"<@test.example:v@other.example>",
		"<@[127.0.0.1]:v@other.example>",
		"<other.example!v@test.example>",
		"<test.example!v@other.example>", "<other.example!v>",
		"<other.example!v@[127.0.0.1]>", "<v@[127.0.0.1]>",
		"<v@[IPv6:::1]>", "<v@localhost>", "<v@LOCALHOST.>",
		"<v@127.0.0.1>", "<v@0x7f.1>", "<v@test.example.>",
		"<v@test.example\t>", "<v@other.example.test.example>",
		"<v:other.example@test.example>", "<v;x@test.example>",
		"<v\\,x@test.example>", "<|cmd@test.example>",
		"</etc/passwd@test.example>", "<\"|cmd\"@test.example>",
		"<:include:/etc/passwd@test.example>", "<>", "<test.example>",
		"<v@other.example> ORCPT=rfc822;v@test.example",
	};
	char line[300];
	const char *said;

	only_recipients("@test.example", NULL);
	kit.edge->set.max_errors = 1000;
	kit_ready();
	kit_want("MAIL FROM:<a@test.example>\r\n",
	    "250 2.1.0 <a@test.example> Ok\r\n");
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		snprintf(line, sizeof(line), "RCPT TO:%s\r\n", foreign[i]);
		kit_say(line);
		said = kit_hear();
		if (said[0] != '5')
			fail_msg("%s: %s", foreign[i], said);
	}
	kit_want("DATA\r\n", "554 5.5.1 No valid recipients given\r\n");
	assert_int_equal(kit_last()->rcpt_cnt, 0);
}

static void
what_is_listed_is_taken_in_any_case(void **state)
{
	only_recipients("@test.example", "ann%x@other.example");
	kit_ready();
	kit_say("MAIL FROM:<>\r\nRCPT TO:<v@TEST.example>\r\n"
	    "RCPT TO:<@other.example:v@test.example>\r\n"
	    "RCPT TO:<Ann%X@other.Example>\r\n"
	    "RCPT TO:<Postmaster@test.example>\r\n"
	    "RCPT TO:<\"a b\"@test.example>\r\n");
	assert_string_equal(kit_codes(kit_hear()),
	    "250 250 250 250 250 250 ");
}

static void
a_refusal_names_the_recipient(void **state)
{
	only_recipients("@test.example", NULL);
	kit_ready();
	kit_say("MAIL FROM:<>\r\n");
	kit_hear();
	kit_want("RCPT TO:<v@other.example>\r\n",
	    "550 5.7.1 Recipient <v@other.example> Not allowed\r\n");
}

static void
postmaster_is_always_taken_and_gets_our_name(void **state)
{
	only_recipients("@test.example", NULL);
	kit_ready();
	kit_say("MAIL FROM:<>\r\nRCPT TO:<PostMaster>\r\nDATA\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 250 354 250 ");
	assert_string_equal(kit_last()->rcpts,
	    "PostMaster@mx.test.example,");
}

static void
a_bare_user_is_ours_when_we_know_who_asks(void **state)
{
	only_recipients("@test.example", NULL);
	free(kit.edge->set.home);
	kit.edge->set.home = strdup("test.example");
	kit_connect_as(client_address_user(1000));
	kit_say("EHLO x\r\nMAIL FROM:<ann>\r\nRCPT TO:<root>\r\n"
	    "RCPT TO:Postmaster\r\nRCPT TO:<\"a b\">\r\nDATA\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()),
	    "220 250 250 250 250 250 354 250 ");
	assert_string_equal(kit_last()->rcpts, "root@test.example,"
	    "Postmaster@test.example,\"a b\"@test.example,");
	assert_string_equal(kit_last()->sender, "ann@test.example");
}

static void
a_bare_user_of_a_stranger_is_no_address(void **state)
{
	kit_ready();
	kit_want("MAIL FROM:<ann>\r\n", "501 5.1.7 Bad address syntax\r\n");
	kit_say("MAIL FROM:<>\r\n");
	kit_hear();
	kit_want("RCPT TO:<root>\r\n", "501 5.1.3 Bad address syntax\r\n");
}

static void
a_domain_behind_a_long_user_may_be_too_much(void **state)
{
	char line[512];

	free(kit.edge->set.home);
	kit.edge->set.home = malloc(DOMAIN_MAX + 1);
	memset(kit.edge->set.home, 'a', DOMAIN_MAX);
	kit.edge->set.home[DOMAIN_MAX] = '\0';
	kit_connect_as(client_address_user(1000));
	kit_say("EHLO x\r\nMAIL FROM:<>\r\n");
	kit_hear();
	snprintf(line, sizeof(line), "RCPT TO:<%064d>\r\n", 7);
	kit_want(line, "501 5.1.3 Bad address syntax\r\n");
}

static void
strangers_hear_554_and_may_only_quit(void **state)
{
	assert_int_equal(rules_add_net(&kit.edge->set.rules,
	    SPAN("192.0.2.0/25")), OK);
	kit_connect_from("192.0.2.127");
	assert_string_equal(kit_codes(kit_hear()), "220 ");
	kit_connect_from("192.0.2.128");
	kit_want("", "554 5.7.1 Client not allowed\r\n");
	kit_say("EHLO x\r\nMAIL FROM:<>\r\nQUIT\r\n");
	assert_string_equal(kit_codes(kit_hear()), "503 503 221 ");
	assert_true(kit.is_closed);
}

static void
networks_match_at_every_width(void **state)
{
	struct client_address a = { .family = 4,
	    .bytes = { 192, 0, 2, 129 } };
	struct client_address b = { .family = 6,
	    .bytes = { 0x20, 0x01, 0x0d, 0xb8 } };
	static const struct {
		const char *net;
		bool is_a, is_b;
	} rows[] = {
		{ "192.0.2.129", true, false },
		{ "192.0.2.128", false, false },
		{ "192.0.2.128/31", true, false },
		{ "192.0.2.130/31", false, false },
		{ "0.0.0.0/0", true, false },
		{ "::/0", false, true },
		{ "2001:db8::/32", false, true },
		{ "2001:db9::/32", false, false },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rules r = { 0 };

		assert_int_equal(rules_add_net(&r, span_of(rows[i].net)), OK);
		assert_int_equal(rules_client(&r, &a), rows[i].is_a);
		assert_int_equal(rules_client(&r, &b), rows[i].is_b);
		rules_fini(&r);
	}
}

static void
words_that_are_no_network_are_refused(void **state)
{
	static const char *const rows[] = {
		"", "x", "192.0.2.1/33", "::/129", "192.0.2.1/", "1.2.3/8",
		"192.0.2.1/a",
	};
	struct rules r = { 0 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(rules_add_net(&r, span_of(rows[i])),
		    ERR_PEER);
	rules_fini(&r);
}

static void
an_ipv6_host_counts_by_its_64(void **state)
{
	struct sockaddr_in6 one = { .sin6_family = AF_INET6 }, two;
	struct client_address a, b;
	char text[CLIENT_ADDRESS_TEXT];
	struct limits *c;
	unsigned cnt;

	one.sin6_addr.s6_addr[0] = 0x20;
	one.sin6_addr.s6_addr[15] = 1;
	two = one;
	two.sin6_addr.s6_addr[8] = 9;
	assert_true(client_address_of((struct sockaddr *)&one, &a));
	assert_true(client_address_of((struct sockaddr *)&two, &b));
	assert_int_equal(limits_new(&c, 7), OK);
	assert_int_equal(limits_enter(c, &a, &cnt), OK);
	assert_int_equal(cnt, 1);
	assert_int_equal(limits_enter(c, &b, &cnt), OK);
	assert_int_equal(cnt, 2);
	limits_leave(c, &a);
	limits_leave(c, &b);
	assert_int_equal(limits_enter(c, &b, &cnt), OK);
	assert_int_equal(cnt, 1);
	client_address_net_text(&b, text);
	assert_string_equal(text, "2000::/64");
	limits_free(&c);
}

static void
each_user_of_a_unix_socket_counts_alone_and_rules_pass_him(void **state)
{
	struct client_address ann = client_address_user(1000);
	struct client_address bob = client_address_user(4294967294u);
	struct rules r = { 0 };
	char text[CLIENT_ADDRESS_TEXT];
	struct limits *c;
	unsigned cnt;

	assert_int_equal(limits_new(&c, 7), OK);
	assert_int_equal(limits_enter(c, &ann, &cnt), OK);
	assert_int_equal(limits_enter(c, &ann, &cnt), OK);
	assert_int_equal(cnt, 2);
	assert_int_equal(limits_enter(c, &bob, &cnt), OK);
	assert_int_equal(cnt, 1);
	limits_free(&c);
	client_address_text(&ann, text);
	assert_string_equal(text, "unix uid=1000");
	client_address_net_text(&bob, text);
	assert_string_equal(text, "uid:4294967294");
	assert_true(client_address_uid(&bob) == 4294967294u);
	assert_false(client_address_is_loopback(&ann));
	assert_int_equal(rules_add_net(&r, SPAN("192.0.2.0/24")), OK);
	assert_true(rules_client(&r, &ann));
	rules_fini(&r);
}

/* Rules as the configuration gives them. */
static void
a_sender_is_taken_by_list_or_expression(void **state)
{
	struct rules *r = &kit.edge->set.rules;

	assert_int_equal(pattern_new(&r->senders), OK);
	assert_int_equal(pattern_add(r->senders, SPAN("@test.example"), 0),
	    OK);
	assert_int_equal(rules_add_sender_regex(r,
	    SPAN("a+@x[.]example|b@y[.]example")), OK);
	kit_ready();
	for (int i = 0; i < 5; i++) {
		static const char *const good[] = { "v@TEST.example", "",
		    "aaa@x.example", "b@y.example", "a@x.example" };
		char line[200];

		snprintf(line, sizeof(line), "MAIL FROM:<%s>\r\nRSET\r\n",
		    good[i]);
		kit_say(line);
		assert_string_equal(kit_codes(kit_hear()), "250 250 ");
	}
	kit_want("MAIL FROM:<c@x.example>\r\n",
	    "550 5.7.1 Sender <c@x.example> Not allowed\r\n");
	kit_want("MAIL FROM:<a@x.example.evil>\r\n",
	    "550 5.7.1 Sender <a@x.example.evil> Not allowed\r\n");
	kit_want("MAIL FROM:<xb@y.example>\r\n",
	    "550 5.7.1 Sender <xb@y.example> Not allowed\r\n");
}

static void
a_recipient_is_taken_by_list_or_expression(void **state)
{
	only_recipients("@test.example", NULL);
	assert_int_equal(rules_add_rcpt_regex(&kit.edge->set.rules,
	    SPAN("t-[0-9]+@x[.]example")), OK);
	kit_ready();
	kit_say("MAIL FROM:<>\r\nRCPT TO:<v@test.example>\r\n"
	    "RCPT TO:<t-12@x.example>\r\nRCPT TO:<postmaster>\r\n"
	    "RCPT TO:<t-@x.example>\r\nRCPT TO:<at-1@x.example>\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 250 250 250 550 550 ");
}

static void
denied_networks_are_refused_among_those_that_may(void **state)
{
	struct rules *r = &kit.edge->set.rules;

	assert_int_equal(rules_add_net(r, SPAN("192.0.2.0/24")), OK);
	assert_int_equal(nets_add(&r->denied, SPAN("192.0.2.8/29")), OK);
	kit_connect_from("192.0.2.7");
	assert_string_equal(kit_codes(kit_hear()), "220 ");
	kit_connect_from("192.0.2.8");
	assert_string_equal(kit_hear(),
	    "554 5.7.1 Client not allowed\r\n");
}

static void
log_in(void)
{
	kit_connect();
	kit_say("EHLO x\r\nAUTH PLAIN AGFubgBzZWNyZXQ=\r\n");  /* ann */
	kit_hear();
	kit_vault_says(LOGIN_GOOD);
	kit_hear();
}

static void
a_login_may_use_its_senders_and_no_other(void **state)
{
	struct rules *r = &kit.edge->set.rules;
	struct address a = { 0 };

	assert_int_equal(rules_add_login(r, SPAN("ann"),
	    SPAN("ann@test.example")), OK);
	assert_int_equal(rules_add_login(r, SPAN("*"), SPAN("self")), OK);
	assert_int_equal(rules_add_login(r, SPAN("ann"), SPAN("@x.example")),
	    OK);
	kit_users();
	log_in();
	kit_say("MAIL FROM:<ann@test.example>\r\nRSET\r\n"
	    "MAIL FROM:<any@X.example>\r\nRSET\r\nMAIL FROM:<>\r\n"
	    "RSET\r\n");
	assert_string_equal(kit_codes(kit_hear()),
	    "250 250 250 250 250 250 ");
	kit_want("MAIL FROM:<bob@test.example>\r\n",
	    "553 5.7.1 Sender <bob@test.example> Not allowed\r\n");
	assert_int_equal(address_parse(SPAN("bob@y.example"), true, &a), OK);
	assert_true(rules_login_sender(r, SPAN("bob@Y.example"), &a));
	assert_false(rules_login_sender(r, SPAN("eve@y.example"), &a));
	assert_false(rules_login_sender(r, SPAN("@y.example"), &a));
	assert_false(rules_login_sender(r, SPAN("bob"), &a));
}

static void
a_banner_may_say_that_there_is_no_service(void **state)
{
	kit.edge->set.banner_code = 554;
	kit_connect();
	assert_string_equal(kit_hear(), "554 mx.test.example ESMTP\r\n");
	kit_say("EHLO x\r\nMAIL FROM:<>\r\nQUIT\r\n");
	assert_string_equal(kit_codes(kit_hear()), "503 503 221 ");
}

#define T(name)	cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(tricks_do_not_reach_a_foreign_domain),
		T(what_is_listed_is_taken_in_any_case),
		T(a_refusal_names_the_recipient),
		T(postmaster_is_always_taken_and_gets_our_name),
		T(a_bare_user_is_ours_when_we_know_who_asks),
		T(a_bare_user_of_a_stranger_is_no_address),
		T(a_domain_behind_a_long_user_may_be_too_much),
		T(strangers_hear_554_and_may_only_quit),
		T(a_sender_is_taken_by_list_or_expression),
		T(a_recipient_is_taken_by_list_or_expression),
		T(denied_networks_are_refused_among_those_that_may),
		T(a_login_may_use_its_senders_and_no_other),
		T(a_banner_may_say_that_there_is_no_service),
		cmocka_unit_test(networks_match_at_every_width),
		cmocka_unit_test(words_that_are_no_network_are_refused),
		cmocka_unit_test(an_ipv6_host_counts_by_its_64),
		cmocka_unit_test(
		    each_user_of_a_unix_socket_counts_alone_and_rules_pass_him),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
