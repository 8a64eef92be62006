/*
 * Relay type mx: from a domain to the host that takes its mail.
 *
 * room: relay
 */
#include "mx_kit.h"
#include "relay/hop/pool.h"
#include "relay/smtp/smtp_client.h"

static void
the_best_host_gets_the_mail(void **state)
{
	struct hop *best = open_hop(1), *other = open_hop(2);
	struct delivery *d;

	dns_mx("d.example", 20, "b.example");
	dns_mx("d.example", 10, "a.example");
	dns_a("a.example", "127.0.0.2");
	dns_a("b.example", "127.0.0.3");
	open_relay("", "");
	for (int i = 0; i < 10; i++)
		d = deliver("d.example");
	want_done(d);
	assert_int_equal(best->messages, 10);
	assert_int_equal(other->connections, 0);
}

/* None at all, no address, a greeting, an EHLO, silence. */
static void
a_host_that_cannot_be_talked_to_is_passed_over(void **state)
{
	struct hop *refuses = open_hop(2), *is_busy = open_hop(3);
	struct hop *talks = open_hop(4), *last = open_hop(5);
	struct delivery *d;

	dns_mx("d.example", 1, "none.example");
	dns_mx("d.example", 2, "dead.example");
	dns_mx("d.example", 3, "refuses.example");
	dns_mx("d.example", 4, "busy.example");
	dns_mx("d.example", 5, "talks.example");
	dns_mx("d.example", 6, "last.example");
	dns_a("dead.example", "127.0.0.2");
	dns_a("refuses.example", "127.0.0.3");
	dns_a("busy.example", "127.0.0.4");
	dns_a("talks.example", "127.0.0.5");
	dns_a("last.example", "127.0.0.6");
	dns_failure("none.example", RESOLVE_A, TRUST_INSECURE);
	refuses->greeting = "554 5.7.1 Not you";
	is_busy->greeting = "421 4.3.2 Busy";
	talks->ehlo = "451 4.3.0 Odd";
	open_relay("", "");
	d = deliver("d.example");
	want_done(d);
	assert_int_equal(refuses->connections, 1);
	assert_int_equal(is_busy->connections, 1);
	assert_int_equal(talks->connections, 1);
	assert_int_equal(last->messages, 1);
}

static void
what_a_host_says_of_the_mail_is_final(void **state)
{
	struct hop *best = open_hop(1), *other = open_hop(2);
	struct delivery *d;

	dns_mx("d.example", 10, "a.example");
	dns_mx("d.example", 20, "b.example");
	dns_a("a.example", "127.0.0.2");
	dns_a("b.example", "127.0.0.3");
	open_relay("", "");
	best->rcpt = "550 5.1.1 Nobody";
	d = deliver("d.example");
	want(d, CLASS_NEVER, SCOPE_RECIPIENT, 550, "5.1.1 Nobody");
	best->rcpt = "450 4.2.1 Later";
	d = deliver("d.example");
	want(d, CLASS_LATER, SCOPE_RECIPIENT, 450, "4.2.1 Later");
	assert_int_equal(other->connections, 0);
}

#define UTF8_USER	"\303\244"

/* SMTPUTF8 of sender or recipient, the size, binary text. */
static void
a_host_that_lacks_what_is_needed_is_followed_by_the_next(void **state)
{
	static const struct {
		const char	*sender, *user;
		enum mail_body	 body;
		const char	*less, *more;
	} rows[] = {
		{ UTF8_USER "@a.example", "r", 0, "250-a\r\n250 PIPELINING",
		    "250-b\r\n250-8BITMIME\r\n250 SMTPUTF8" },
		{ "s@a.example", UTF8_USER, 0, "250 a",
		    "250-b\r\n250-8BITMIME\r\n250 SMTPUTF8" },
		{ "s@a.example", "r", 0, "250-a\r\n250 SIZE 13",
		    "250-b\r\n250 SIZE 14" },
		{ "s@a.example", "r", BODY_BINARYMIME, "250-a\r\n250 CHUNKING",
		    "250-b\r\n250-CHUNKING\r\n250 BINARYMIME" },
	};
	struct hop *best = open_hop(1), *other = open_hop(2);

	dns_mx("d.example", 10, "a.example");
	dns_mx("d.example", 20, "b.example");
	dns_a("a.example", "127.0.0.2");
	dns_a("b.example", "127.0.0.3");
	open_relay("idle_timeout 0", "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		world->wanted.sender = span_of(rows[i].sender);
		world->wanted.body = (uint8_t)rows[i].body;
		world->user = rows[i].user;
		best->ehlo = rows[i].less;
		other->ehlo = rows[i].more;
		want_done(deliver("d.example"));
		assert_int_equal(best->connections, i + 1);
		assert_int_equal(other->messages, i + 1);
	}
	assert_int_equal(best->messages, 0);
}

/* It was there, and says what it lacks; whoever needs nothing gets his mail. */
static void
when_no_host_has_it_the_best_of_them_decides(void **state)
{
	struct hop *best = open_hop(1), *other = open_hop(2);
	struct delivery *d;

	dns_mx("d.example", 10, "a.example");
	dns_mx("d.example", 20, "b.example");
	dns_mx("d.example", 30, "none.example");
	dns_a("a.example", "127.0.0.2");
	dns_a("b.example", "127.0.0.3");
	open_relay("", "");
	world->user = UTF8_USER;
	world->second = "r@d.example";
	d = deliver("d.example");
	want(d, CLASS_NEVER, SCOPE_RECIPIENT, 550, "5.6.7 ");
	assert_int_equal(d->rcpts[1].outcome->verdict.class, CLASS_DONE);
	assert_int_equal(best->messages, 1);
	assert_int_equal(other->messages, 0);
	world->wanted.sender = SPAN(UTF8_USER "@a.example");
	d = deliver("d.example");
	want(d, CLASS_NEVER, SCOPE_MESSAGE, 550, "5.6.7 ");
}

/* For that one may have it; and the domain is not down for others. */
static void
while_a_host_cannot_be_asked_nothing_lacks_for_good(void **state)
{
	struct hop *here = open_hop(2);
	struct delivery *d;

	dns_mx("first.example", 10, "down.example");
	dns_mx("first.example", 20, "b.example");
	dns_mx("last.example", 10, "b.example");
	dns_mx("last.example", 20, "down.example");
	dns_a("down.example", "127.0.0.2");
	dns_a("b.example", "127.0.0.3");
	open_relay("", "");
	for (int i = 0; i < 2; i++) {
		const char *domain = i == 0 ? "first.example" : "last.example";

		world->user = NULL;
		world->wanted.sender = SPAN(UTF8_USER "@a.example");
		d = deliver(domain);
		want(d, CLASS_LATER, SCOPE_MESSAGE, 451, "4.4.1 No host");
		world->wanted.sender = SPAN("s@a.example");
		world->user = UTF8_USER;
		d = deliver(domain);
		want(d, CLASS_LATER, SCOPE_RECIPIENT, 451, "4.4.1 No host");
	}
	assert_int_equal(here->messages, 0);
}

static void
when_no_host_can_be_talked_to_the_destination_is_down(void **state)
{
	struct hop *refuses = open_hop(2);
	struct delivery *d;

	dns_mx("d.example", 10, "a.example");
	dns_mx("d.example", 20, "b.example");
	dns_a("a.example", "127.0.0.2");
	dns_a("b.example", "127.0.0.3");
	refuses->greeting = "554 5.7.1 Not you";
	open_relay("", "");
	d = deliver("d.example");
	want(d, CLASS_LATER, SCOPE_DESTINATION, 554, "5.7.1 Not you");
}

/* RFC 5321 5.1: no host to be found is no error that passes. */
static void
where_no_host_can_be_the_mail_fails_at_once(void **state)
{
	struct delivery *d;

	dns_mx("gone.example", 10, "none.example");
	dns_mx("gone.example", 20, "nowhere.example");
	dns_mx("zero.example", 10, "zero.host.example");
	dns_a("zero.host.example", "0.0.0.0");
	dns_mx("cast.example", 10, "cast.host.example");
	dns_a("cast.host.example", "224.0.0.1");
	open_relay("", "");
	for (size_t i = 0; i < 3; i++) {
		static const char *const domains[] = { "gone.example",
			"zero.example", "cast.example" };

		d = deliver(domains[i]);
		want(d, CLASS_NEVER, SCOPE_DESTINATION, 550,
		    "5.4.4 No host of the domain has a usable address");
	}
}

/* One that cannot be asked about, or is down, or was not looked at. */
static void
where_a_host_may_be_the_mail_waits(void **state)
{
	struct delivery *d;
	char name[40];

	dns_mx("half.example", 10, "none.example");
	dns_mx("half.example", 20, "dumb.example");
	dns_failure("dumb.example", RESOLVE_A, TRUST_INSECURE);
	dns_mx("down.example", 10, "none.example");
	dns_mx("down.example", 20, "down.host.example");
	dns_a("down.host.example", "127.0.0.9");
	for (unsigned i = 0; i < 11; i++) {
		snprintf(name, sizeof(name), "none%u.example", i);
		dns_mx("many.example", 10, name);
	}
	open_relay("force_mx forced.example none.example", "");
	d = deliver("half.example");
	want(d, CLASS_LATER, SCOPE_DESTINATION, 451, "4.4.3 ");
	d = deliver("down.example");
	want(d, CLASS_LATER, SCOPE_DESTINATION, 451, "4.4.1 ");
	d = deliver("many.example");
	want(d, CLASS_LATER, SCOPE_DESTINATION, 451,
	    "4.4.4 None of the hosts tried");
	d = deliver("forced.example");
	want(d, CLASS_LATER, SCOPE_DESTINATION, 451, "4.4.4 ");
}

/* By MX, by its own address, by a literal: it is always a stranger's word. */
static void
hosts_near_by_are_not_connected_to_for_strangers(void **state)
{
	static const char *const domains[] = { "mx.example", "own.example",
		"mixed.example", "[127.0.0.2]", "[IPv6:::ffff:127.0.0.2]",
		"[10.0.0.1]", "localhost" };
	struct hop *near = open_hop(1);
	struct delivery *d;

	dns_mx("mx.example", 10, "a.example");
	dns_mx("mx.example", 20, "b.example");
	dns_a("a.example", "127.0.0.2");
	dns_a("b.example", "192.168.1.1");
	dns_a("own.example", "127.0.0.2");
	dns_a("localhost", "127.0.0.2");
	dns_mx("mixed.example", 10, "mixed.host.example");
	dns_a("mixed.host.example", "0.0.0.0");
	dns_a("mixed.host.example", "127.0.0.2");
	open_relay("private_targets no", "");
	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
		d = deliver(domains[i]);
		want(d, CLASS_NEVER, SCOPE_DESTINATION, 550,
		    "5.4.4 No host of the domain has a usable address");
	}
	assert_int_equal(near->connections, 0);
}

/* Nor over a connection that the administrator's word has made. */
static void
a_forced_host_may_be_near_by_and_is_no_way_in_for_others(void **state)
{
	struct hop *near = open_hop(1);
	struct delivery *d;

	dns_mx("other.example", 10, "near.example");
	dns_a("near.example", "127.0.0.2");
	open_relay("private_targets no; force_mx ours.example near.example",
	    "");
	d = deliver("ours.example");
	want_done(d);
	d = deliver("other.example");
	want(d, CLASS_NEVER, SCOPE_DESTINATION, 550, "5.4.4 ");
	d = deliver("ours.example");
	want_done(d);
	assert_int_equal(near->connections, 1);
	assert_int_equal(near->messages, 2);
}

static void
a_null_mx_ends_it_for_good(void **state)
{
	struct delivery *d;

	dns_mx("d.example", 0, ".");
	dns_a("d.example", "127.0.0.2");
	(void)open_hop(1);
	open_relay("", "");
	d = deliver("d.example");
	want(d, CLASS_NEVER, SCOPE_DESTINATION, 556, "5.1.10 ");
	assert_int_equal(world->hops[1].connections, 0);
}

static void
without_mx_the_domain_is_the_host(void **state)
{
	struct hop *h = open_hop(1);
	struct delivery *d;

	dns_a("d.example", "127.0.0.2");
	open_relay("", "");
	d = deliver("d.example");
	want_done(d);
	assert_int_equal(h->messages, 1);
}

/* RFC 5321 5.1: MX records that lead nowhere do not make it a host again. */
static void
with_an_mx_the_domain_is_no_host(void **state)
{
	struct hop *h = open_hop(1);
	struct delivery *d;

	dns_a("d.example", "127.0.0.2");
	dns_mx("d.example", 10, "none.example");
	dns_a("e.example", "127.0.0.2");
	dns_mx("e.example", 10, "127.0.0.2");
	open_relay("", "");
	d = deliver("d.example");
	want(d, CLASS_NEVER, SCOPE_DESTINATION, 550, "5.4.4 ");
	d = deliver("e.example");
	want(d, CLASS_NEVER, SCOPE_DESTINATION, 550, "5.4.4 ");
	assert_int_equal(h->connections, 0);
}

static void
what_is_no_domain_is_refused_for_good(void **state)
{
	static const char *const domains[] = { "none.example", "", "a b",
		"d\303\244.example", "[192.0.2.300]", "[]", "bare.example" };

	(void)name_row("bare.example", RESOLVE_TLSA);
	open_relay("", "");
	for (size_t i = 0; i < sizeof(domains) / sizeof(domains[0]); i++) {
		struct delivery *d = take(domains[i]);

		run();
		want(d, CLASS_NEVER, SCOPE_DESTINATION, 550, "5.1.2 ");
	}
}

static void
a_lookup_that_fails_keeps_the_mail(void **state)
{
	struct delivery *d;

	dns_failure("broken.example", RESOLVE_MX, TRUST_INSECURE);
	dns_failure("bogus.example", RESOLVE_MX, TRUST_BOGUS);
	dns_failure("half.example", RESOLVE_A, TRUST_BOGUS);
	open_relay("", "");
	d = deliver("broken.example");
	want(d, CLASS_LATER, SCOPE_DESTINATION, 451,
	    "4.4.3 The domain cannot be looked up");
	d = deliver("bogus.example");
	want(d, CLASS_LATER, SCOPE_DESTINATION, 451, "4.4.3 DNSSEC validation");
	d = deliver("half.example");
	want(d, CLASS_LATER, SCOPE_DESTINATION, 451, "4.4.3 DNSSEC validation");
}

static void
an_address_in_brackets_is_the_host(void **state)
{
	struct hop *h = open_hop(1);
	struct delivery *d;

	open_relay("", "");
	d = deliver("[127.0.0.2]");
	want_done(d);
	d = deliver("[ipv6:::ffff:127.0.0.2]");
	want(d, CLASS_NEVER, SCOPE_DESTINATION, 550, "5.4.4 ");
	assert_int_equal(h->messages, 1);
	assert_int_equal(world->question_cnt, 0);
}

static void
our_name_among_the_hosts_ends_the_list(void **state)
{
	struct hop *h = open_hop(1);
	struct delivery *d;

	dns_mx("loop.example", 10, "us.example");
	dns_mx("loop.example", 10, "a.example");
	dns_mx("edge.example", 10, "Front.example");
	dns_mx("backup.example", 20, "us.example");
	dns_mx("backup.example", 10, "a.example");
	dns_a("us.example", "127.0.0.3");
	dns_a("a.example", "127.0.0.2");
	open_relay("", "hostname front.example");
	d = deliver("loop.example");
	want(d, CLASS_NEVER, SCOPE_DESTINATION, 554, "5.4.6 ");
	d = deliver("edge.example");
	want(d, CLASS_NEVER, SCOPE_DESTINATION, 554, "5.4.6 ");
	d = deliver("us.example");
	want(d, CLASS_NEVER, SCOPE_DESTINATION, 554, "5.4.6 ");
	assert_int_equal(h->connections, 0);
	d = deliver("backup.example");
	want_done(d);
}

/* By the address of the listener, or any of ours where it listens on all. */
static void
our_own_address_and_port_end_it_too(void **state)
{
	struct hop *us = open_hop(1), *other = open_hop(2);
	struct delivery *d;
	char edge[200];

	dns_mx("loop.example", 10, "alias.example");
	dns_mx("loop.example", 20, "b.example");
	dns_a("alias.example", "127.0.0.2");
	dns_a("b.example", "127.0.0.3");
	snprintf(edge, sizeof(edge), "listener { interface 127.0.0.2; "
	    "port %u }", world->port);
	open_relay("", edge);
	d = deliver("loop.example");
	want(d, CLASS_NEVER, SCOPE_DESTINATION, 554, "5.4.6 ");
	d = deliver("[127.0.0.2]");
	want(d, CLASS_NEVER, SCOPE_DESTINATION, 554, "5.4.6 ");
	assert_int_equal(us->connections, 0);
	assert_int_equal(other->connections, 0);
	d = deliver("b.example");
	want_done(d);
}

static void
a_listener_on_all_addresses_is_known_by_loopback(void **state)
{
	struct delivery *d;
	char edge[200];

	(void)open_hop(1);
	dns_a("loop.example", "127.0.0.2");
	snprintf(edge, sizeof(edge), "listener { interface \"\"; port %u }",
	    world->port);
	open_relay("", edge);
	d = deliver("loop.example");
	want(d, CLASS_NEVER, SCOPE_DESTINATION, 554, "5.4.6 ");
	assert_int_equal(world->hops[1].connections, 0);
}

static void
the_same_address_with_another_port_is_not_ours(void **state)
{
	struct delivery *d;
	char edge[200];

	(void)open_hop(1);
	dns_a("d.example", "127.0.0.2");
	snprintf(edge, sizeof(edge), "listener { interface \"\"; port %u }",
	    world->port == 65535 ? 65534u : world->port + 1u);
	open_relay("", edge);
	d = deliver("d.example");
	want_done(d);
}

/* We are the second MX, under a name we do not know; the first is down. */
static void
a_better_host_that_is_down_keeps_the_mail(void **state)
{
	struct delivery *d;
	char edge[200];

	dns_mx("d.example", 10, "down.example");
	dns_mx("d.example", 20, "alias.example");
	dns_a("down.example", "127.0.0.3");
	dns_a("alias.example", "127.0.0.2");
	snprintf(edge, sizeof(edge), "listener { interface 127.0.0.2; "
	    "port %u }", world->port);
	open_relay("", edge);
	d = deliver("d.example");
	want(d, CLASS_LATER, SCOPE_DESTINATION, 451, "4.4.1 ");
}

/* So that not every message waits for it anew. */
static void
a_host_that_was_just_down_is_tried_last(void **state)
{
	struct hop *best = open_hop(1), *other = open_hop(2);

	dns_mx("d.example", 10, "a.example");
	dns_mx("d.example", 20, "b.example");
	dns_mx("e.example", 5, "a.example");
	dns_a("a.example", "127.0.0.2");
	dns_a("b.example", "127.0.0.3");
	best->greeting = "421 4.3.2 Busy";
	open_relay("idle_timeout 0", "");
	want_done(deliver("d.example"));
	assert_int_equal(best->connections, 1);
	best->greeting = "220 hop.example";
	want_done(deliver("d.example"));
	assert_int_equal(best->connections, 1);
	assert_int_equal(other->messages, 2);
	/* Where there is no other it is tried. */
	want_done(deliver("e.example"));
	assert_int_equal(best->messages, 1);
	/* And so it is when the other one is down. */
	other->greeting = "421 4.3.2 Busy";
	want_done(deliver("d.example"));
	assert_int_equal(best->messages, 2);
}

/* We are the worse one, and found out before the better one is tried. */
static void
a_host_tried_last_still_comes_before_ourselves(void **state)
{
	struct hop *best = open_hop(2);
	char edge[200];

	dns_mx("d.example", 10, "best.example");
	dns_mx("d.example", 20, "alias.example");
	dns_a("best.example", "127.0.0.3");
	dns_a("alias.example", "127.0.0.2");
	snprintf(edge, sizeof(edge), "listener { interface 127.0.0.2; "
	    "port %u }", world->port);
	best->greeting = "421 4.3.2 Busy";
	open_relay("", edge);
	want(deliver("d.example"), CLASS_LATER,
	    SCOPE_DESTINATION, 421, "4.3.2 ");
	want(deliver("d.example"), CLASS_LATER,
	    SCOPE_DESTINATION, 421, "4.3.2 ");
	best->greeting = "220 hop.example";
	want_done(deliver("d.example"));
}

static void
domains_of_one_host_share_its_connections(void **state)
{
	struct hop *h = open_hop(1);
	char name[32];

	dns_a("mx.example", "127.0.0.2");
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "d%d.example", i);
		dns_mx(name, 10, "mx.example");
	}
	open_relay("concurrent_connections 2", "");
	for (int i = 0; i < 50; i++) {
		snprintf(name, sizeof(name), "d%d.example", i);
		(void)take(name);
	}
	run();
	assert_int_equal(h->messages, 50);
	assert_in_range(h->connections, 1, 2);
}

/* Each domain's host has a name of its own, all of them the same address. */
static void
what_waits_for_a_busy_host_goes_back_untried(void **state)
{
	struct hop *h = open_hop(1);
	char name[32], host[32];

	h->greeting = NULL;			/* it is mute */
	for (int i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "d%d.example", i);
		snprintf(host, sizeof(host), "mx%d.example", i);
		dns_mx(name, 10, host);
		dns_a(host, "127.0.0.2");
	}
	open_relay("concurrent_connections 5", "");
	for (int i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "d%d.example", i);
		(void)take(name);
	}
	while (world->came_back_cnt < 24 || h->connections == 0)
		rest(20);
	assert_int_equal(world->last_back, BACK_BUSY);
	assert_int_not_equal(world->back[0]->host, 0);
	assert_in_range(h->connections, 1, 6);
	/* The queue may want one of the others too. */
	for (unsigned i = 0; i < world->delivery_cnt; i++)
		delivery_recall(world->deliveries[i]);
	timer_stop(&world->again);
	assert_int_equal(world->last_back, BACK_RECALLED);
	assert_int_equal(world->finished_cnt, 0);
}

static void
a_host_that_has_failed_is_not_tried_by_others_at_once(void **state)
{
	char name[32], host[32];

	for (int i = 0; i < 30; i++) {
		snprintf(name, sizeof(name), "d%d.example", i);
		snprintf(host, sizeof(host), "mx%d.example", i);
		dns_mx(name, 10, host);
		dns_a(host, "127.0.0.2");	/* nobody listens there */
	}
	open_relay("", "");
	want(deliver("d0.example"), CLASS_LATER, SCOPE_DESTINATION, 451,
	    "4.4.1 ");
	(void)take("d1.example");
	rest(50);
	assert_int_equal(world->last_back, BACK_DOWN);
	assert_int_equal(world->came_back_cnt > 0, true);
	assert_int_equal(world->deliveries[1]->host,
	    world->deliveries[0]->host);
}

static void
a_host_that_idles_too_long_is_forgotten(void **state)
{
	struct delivery *d;

	(void)open_hop(1);
	dns_a("d.example", "127.0.0.2");
	open_relay("idle_timeout 200ms", "");
	d = deliver("d.example");
	want_done(d);
	rest(50);
	assert_true(world->kind->is_busy(world->relay));
	rest(400);
	assert_false(world->kind->is_busy(world->relay));
	assert_int_equal(world->hops[1].connections, 1);
	d = deliver("d.example");
	want_done(d);
	assert_int_equal(world->hops[1].connections, 2);
}

/* All pools together: where no more may idle, the next one says QUIT. */
static void
no_more_connections_idle_than_are_left(void **state)
{
	const struct smtp_client_target target = {
		.dial = { .host = SPAN("127.0.0.2"), .port = world->port,
		    .families = RESOLVE_BOTH, .private_too = true,
		    .connect_ms = 1000 },
		.ehlo_as = SPAN("us.example"), .command_ms = 1000,
		.data_ms = 1000, .done_ms = 1000,
	};
	unsigned left = 1;
	const struct pool_limits limits = { 1, 10000, &left };
	struct pool *pools[2];

	(void)open_hop(1);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(pool_open(&pools[i], world->loop,
		    world->resolve, &smtp_client_hop, &target, &limits), OK);
		pool_take(pools[i], make_delivery("d.example"));
		run();
		rest(50);
		assert_int_equal(left, 0);
	}
	assert_true(pool_is_busy(pools[0]));
	assert_false(pool_is_busy(pools[1]));
	/* The one in use is not idle; then it is again, or gone. */
	pool_take(pools[0], make_delivery("d.example"));
	run();
	rest(50);
	assert_int_equal(left, 0);
	pool_close(&pools[0]);
	pool_close(&pools[1]);
	assert_int_equal(left, 1);
}

static void
a_forced_host_takes_the_place_of_the_dns(void **state)
{
	struct hop *plain = open_hop(1), *forced = open_hop(2);
	struct delivery *d;
	uint16_t port = world->port;
	char options[200];

	dns_mx("d.example", 0, ".");
	dns_a("host.example", "127.0.0.3");
	snprintf(options, sizeof(options), "force_mx D.example host.example; "
	    "force_mx e.example 127.0.0.2@%u; force_mx f.example 127.0.0.2@%u",
	    port, port == 1 ? 2 : 1);
	open_relay(options, "");
	d = deliver("d.example");
	want_done(d);
	d = deliver("e.example");
	want_done(d);
	d = deliver("f.example");
	want(d, CLASS_LATER, SCOPE_DESTINATION, 451, "4.4.1 ");
	assert_int_equal(forced->messages, 1);
	assert_int_equal(plain->messages, 1);
}

static void
connections_come_from_the_sources_in_turn(void **state)
{
	struct hop *h = open_hop(1), *other = open_hop(2);

	dns_a("a.example", "127.0.0.2");
	dns_a("b.example", "127.0.0.3");
	open_relay("source 127.0.0.77 2001:db8::1 127.0.0.78", "");
	(void)take("a.example");
	run();
	assert_string_equal(h->from, "127.0.0.77");
	(void)take("b.example");
	run();
	assert_string_equal(other->from, "127.0.0.78");
}

/* Whether ipv4_only says so (as all relays here) or a source's family. */
static void
hosts_of_another_family_are_left_out(void **state)
{
	static const struct {
		const char	*options, *own, *mx, *literal;
	} cases[] = {
		{ "ipv4_only yes", "six.example", "mx6.example", "[IPv6:::1]" },
		{ "ipv6_only yes", "four.example", "mx4.example",
		    "[127.0.0.2]" },
		{ "ipv6_only no; source ::1", "four.example", "mx4.example",
		    "[127.0.0.2]" },
	};
	static const char none[] = "5.4.4 No host of the domain has a usable";

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hop *h;

		tear_down(state);
		set_up(state);
		h = open_hop(1);
		dns_a("four.example", "127.0.0.2");
		dns_mx("mx4.example", 10, "four.example");
		dns_aaaa("six.example", "::1");
		dns_mx("mx6.example", 10, "six.example");
		(void)name_row("none.example", RESOLVE_TLSA);
		open_relay(cases[i].options, "");
		want(deliver(cases[i].own), CLASS_NEVER, SCOPE_DESTINATION,
		    550, none);
		want(deliver(cases[i].mx), CLASS_NEVER, SCOPE_DESTINATION,
		    550, none);
		want(deliver(cases[i].literal), CLASS_NEVER,
		    SCOPE_DESTINATION, 550, none);
		want(deliver("none.example"), CLASS_NEVER, SCOPE_DESTINATION,
		    550, "5.1.2 The domain has neither MX nor address");
		assert_int_equal(h->connections, 0);
	}
}

static void
a_source_that_is_not_here_is_our_own_trouble(void **state)
{
	struct delivery *d;

	(void)open_hop(1);
	dns_a("a.example", "127.0.0.2");
	open_relay("source 192.0.2.77", "");
	d = deliver("a.example");
	want(d, CLASS_LATER, SCOPE_OURS, 451,
	    "4.3.5 The source address 192.0.2.77 cannot be used here");
}

static void
being_stopped_ends_what_has_reached_no_host(void **state)
{
	struct delivery *d;

	world->is_mute = true;
	open_relay("", "");
	d = take("d.example");
	rest(20);
	assert_true(world->kind->is_busy(world->relay));
	world->kind->drain(world->relay);
	run();
	want(d, CLASS_LATER, SCOPE_OURS, 451, "4.3.2 ");
	assert_false(world->kind->is_busy(world->relay));
}

static void
text_that_went_away_during_the_lookup_is_our_own_trouble(void **state)
{
	struct hop *h = open_hop(1);
	struct delivery *d;

	dns_a("d.example", "127.0.0.2");
	open_relay("", "");
	d = take("d.example");
	delivery_orphan(d);
	run();
	want(d, CLASS_LATER, SCOPE_OURS, 451, "4.3.0 ");
	assert_int_equal(h->connections, 0);
}

#define MX_TEST(f)	cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		MX_TEST(the_best_host_gets_the_mail),
		MX_TEST(a_host_that_cannot_be_talked_to_is_passed_over),
		MX_TEST(what_a_host_says_of_the_mail_is_final),
		MX_TEST(
		    a_host_that_lacks_what_is_needed_is_followed_by_the_next),
		MX_TEST(when_no_host_has_it_the_best_of_them_decides),
		MX_TEST(while_a_host_cannot_be_asked_nothing_lacks_for_good),
		MX_TEST(when_no_host_can_be_talked_to_the_destination_is_down),
		MX_TEST(where_no_host_can_be_the_mail_fails_at_once),
		MX_TEST(where_a_host_may_be_the_mail_waits),
		MX_TEST(hosts_near_by_are_not_connected_to_for_strangers),
		MX_TEST(
		    a_forced_host_may_be_near_by_and_is_no_way_in_for_others),
		MX_TEST(a_null_mx_ends_it_for_good),
		MX_TEST(without_mx_the_domain_is_the_host),
		MX_TEST(with_an_mx_the_domain_is_no_host),
		MX_TEST(what_is_no_domain_is_refused_for_good),
		MX_TEST(a_lookup_that_fails_keeps_the_mail),
		MX_TEST(an_address_in_brackets_is_the_host),
		MX_TEST(our_name_among_the_hosts_ends_the_list),
		MX_TEST(our_own_address_and_port_end_it_too),
		MX_TEST(a_listener_on_all_addresses_is_known_by_loopback),
		MX_TEST(the_same_address_with_another_port_is_not_ours),
		MX_TEST(a_better_host_that_is_down_keeps_the_mail),
		MX_TEST(a_host_that_was_just_down_is_tried_last),
		MX_TEST(a_host_tried_last_still_comes_before_ourselves),
		MX_TEST(domains_of_one_host_share_its_connections),
		MX_TEST(what_waits_for_a_busy_host_goes_back_untried),
		MX_TEST(a_host_that_has_failed_is_not_tried_by_others_at_once),
		MX_TEST(a_host_that_idles_too_long_is_forgotten),
		MX_TEST(no_more_connections_idle_than_are_left),
		MX_TEST(a_forced_host_takes_the_place_of_the_dns),
		MX_TEST(connections_come_from_the_sources_in_turn),
		MX_TEST(hosts_of_another_family_are_left_out),
		MX_TEST(a_source_that_is_not_here_is_our_own_trouble),
		MX_TEST(being_stopped_ends_what_has_reached_no_host),
		MX_TEST(
		    text_that_went_away_during_the_lookup_is_our_own_trouble),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
