/*
 * Which relay a recipient is for, whether it knows him, and what deliveries a
 * message becomes.
 * room: queue
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "mail/pattern.h"
#include "queue/route/route_sender.h"
#include "queue/route/split.h"
#include "queue/store/store_intake.h"
#include "sys/clock.h"

#define MANY	100000

struct choice {
	const char	*rcpt;
	const char	*relay;		/* NULL: none			*/
	const char	*destination;
	const char	*rule;
};

static struct routes *
new_routes(void)
{
	struct routes *r;

	assert_int_equal(route_new(&r), OK);
	assert_int_equal(route_add_relay(r, SPAN("internet"), ROUTE_MX), OK);
	assert_int_equal(route_add_relay(r, SPAN("dovecot"), ROUTE_LOCAL), OK);
	assert_int_equal(route_add_relay(r, SPAN("lists"), ROUTE_OUT), OK);
	return r;
}

static void
add(struct routes *r, const char *pattern, const char *relay)
{
	assert_int_equal(route_add(r, ROUTE_BY_RCPT, span_of(pattern),
	    ROUTE_DOES_RELAY, span_of(relay)), OK);
}

/* Where mail from somebody to somebody goes. */
static enum route_verdict
find(const struct routes *r, const char *rcpt, struct route *out)
{
	return route_find(r, &(struct route_ask){ .rcpt = span_of(rcpt) },
	    out);
}

static void
add_rcpt(struct routes *r, const char *relay, const char *pattern)
{
	assert_int_equal(route_add_rcpt(r, span_of(relay), span_of(pattern)),
	    OK);
}

static void
try_all(const struct routes *r, const struct choice *cases, size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		struct route got;
		enum route_verdict v = find(r, cases[i].rcpt, &got);

		print_message("%s\n", cases[i].rcpt);
		if (cases[i].relay == NULL) {
			assert_int_equal(v, ROUTE_NOWHERE);
			continue;
		}
		assert_int_equal(v, ROUTE_FOUND);
		assert_string_equal(got.relay, cases[i].relay);
		assert_string_equal(got.destination, cases[i].destination);
		assert_int_equal(got.rule.len, strlen(cases[i].rule));
		assert_memory_equal(got.rule.ptr != NULL ? got.rule.ptr : "",
		    cases[i].rule, got.rule.len);
	}
}

static void
the_first_pattern_that_fits_says_the_relay(void **state)
{
	static const struct choice cases[] = {
		{ "ann@example.org", "dovecot", "dovecot", "@Example.org" },
		{ "ANN@EXAMPLE.ORG", "dovecot", "dovecot", "@Example.org" },
		{ "team@example.org", "lists", "lists", "team@example.org" },
		{ "Team@Example.Org", "lists", "lists", "team@example.org" },
		{ "\"team\"@example.org", "lists", "lists",
		    "team@example.org" },
		{ "\"te\\am\"@example.org", "lists", "lists",
		    "team@example.org" },
		{ "late@example.org", "dovecot", "dovecot", "@Example.org" },
		{ "a@b.example.org", "lists", "lists", "@.example.org" },
		{ "a@c.b.Example.org", "lists", "lists", "@.example.org" },
		{ "a@notexample.org", "internet", "notexample.org", "" },
		{ "a@Far.Example.NET", "internet", "far.example.net", "" },
		{ "a@[192.0.2.1]", "internet", "[192.0.2.1]", "" },
		{ "a@[IPv6:2001:DB8::1]", "internet", "[ipv6:2001:db8::1]",
		    "" },
		{ "a@B\xc3\x9c" "cher.example", "internet",
		    "xn--bcher-kva.example", "" },
		{ "a@xn--BCHER-kva.example", "internet",
		    "xn--bcher-kva.example", "" },
	};
	struct routes *r = new_routes();

	add(r, "team@example.org", "lists");
	add(r, "@Example.org", "dovecot");
	add(r, "late@example.org", "lists");
	add(r, "@.example.org", "lists");
	assert_int_equal(route_set_last(r, SPAN("internet")), OK);
	try_all(r, cases, sizeof(cases) / sizeof(cases[0]));
	assert_false(route_asks(r));
	assert_null(route_only(r));
	route_free(&r);
}

static void
without_a_last_resort_the_rest_has_no_route(void **state)
{
	static const struct choice cases[] = {
		{ "ann@example.org", "dovecot", "dovecot",
		    "ann@example.org" },
		{ "bob@example.org", NULL, NULL, NULL },
		{ "ann@sub.example.org", NULL, NULL, NULL },
		{ "PostMaster@example.org", "dovecot", "dovecot",
		    "ann@example.org" },
		{ "postmaster@example.net", NULL, NULL, NULL },
		{ "x@y.example.com", "lists", "lists", "@.example.com" },
		{ "x@example.com", NULL, NULL, NULL },
		{ "x@[192.0.2.1]", NULL, NULL, NULL },
	};
	struct routes *r = new_routes();

	add(r, "ann@example.org", "dovecot");
	add(r, "@.example.com", "lists");
	try_all(r, cases, sizeof(cases) / sizeof(cases[0]));
	assert_true(route_asks(r));
	route_free(&r);
}

static void
a_relay_that_has_recipients_takes_no_others(void **state)
{
	static const struct {
		const char	*rcpt, *dsn, *text;
	} cases[] = {
		{ "ann@example.org", "2.1.5", "Ok" },
		{ "Ann@EXAMPLE.org", "2.1.5", "Ok" },
		{ "postmaster@example.org", "2.1.5", "Ok" },
		{ "bob@example.org", "5.1.1",
		    "No such recipient at example.org" },
		{ "bob@example.net", "5.1.1", "No such recipient here" },
		{ "postmaster@example.net", "5.1.1",
		    "No such recipient here" },
		{ "any@example.com", "2.1.5", "Ok" },
		{ "any@deep.example.com", "5.1.1", "No such recipient here" },
		{ "nobody", "5.1.3", "That is no address" },
		{ "", "5.1.3", "That is no address" },
		{ "a@b@c", "5.1.3", "That is no address" },
	};
	struct routes *r = new_routes();

	add_rcpt(r, "dovecot", "ann@example.org");
	add_rcpt(r, "dovecot", "@example.com");
	assert_int_equal(route_set_last(r, SPAN("dovecot")), OK);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct route_reply reply;
		struct route got;

		(void)route_judge(r, &(struct route_ask){
		    .rcpt = span_of(cases[i].rcpt) }, &got, &reply);
		assert_string_equal(reply.text, cases[i].text);
		assert_string_equal(reply.dsn, cases[i].dsn);
		assert_int_equal(reply.code,
		    cases[i].dsn[0] == '2' ? 250 : 550);
	}
	assert_true(route_asks(r));
	assert_null(route_only(r));
	route_free(&r);
}

static void
a_detail_leads_to_the_user_that_is_known(void **state)
{
	struct route got;
	struct routes *r;

	assert_int_equal(route_new(&r), OK);
	assert_int_equal(route_add_relay(r, SPAN("box"), ROUTE_LOCAL), OK);
	assert_int_equal(route_set_last(r, SPAN("box")), OK);
	add_rcpt(r, "box", "ann@example.org");
	assert_int_equal(find(r, "ann+x@example.org", &got), ROUTE_UNKNOWN);
	assert_int_equal(route_set_delimiter(r, SPAN("none"), '+'), ERR_PEER);
	assert_int_equal(route_set_delimiter(r, SPAN("box"), '+'), OK);
	assert_int_equal(find(r, "Ann+x+y@example.org", &got), ROUTE_FOUND);
	assert_int_equal(find(r, "ann@example.org", &got), ROUTE_FOUND);
	assert_int_equal(find(r, "ann-x@example.org", &got), ROUTE_UNKNOWN);
	assert_int_equal(find(r, "+ann@example.org", &got), ROUTE_UNKNOWN);
	assert_int_equal(find(r, "\"ann+x\"@example.org", &got),
	    ROUTE_UNKNOWN);
	assert_int_equal(find(r, "ann+x@example.com", &got), ROUTE_UNKNOWN);
	route_free(&r);
}

static void
postmaster_of_our_own_is_never_refused(void **state)
{
	struct routes *r = new_routes();
	struct route got;

	assert_int_equal(route_add_home(r, SPAN("mx.example.net")), OK);
	assert_int_equal(find(r, "postmaster@mx.example.net", &got),
	    ROUTE_NOWHERE);
	add(r, "ann@example.org", "dovecot");
	add_rcpt(r, "dovecot", "ann@example.org");
	assert_int_equal(find(r, "Postmaster@MX.example.net", &got),
	    ROUTE_FOUND);
	assert_string_equal(got.relay, "dovecot");
	assert_int_equal(find(r, "postmaster@my.example.net", &got),
	    ROUTE_NOWHERE);
	assert_int_equal(find(r, "other@mx.example.net", &got),
	    ROUTE_NOWHERE);
	add_rcpt(r, "lists", "team@example.org");
	assert_int_equal(route_set_last(r, SPAN("lists")), OK);
	assert_int_equal(find(r, "postmaster@mx.example.net", &got),
	    ROUTE_FOUND);
	assert_string_equal(got.relay, "lists");
	assert_int_equal(find(r, "postmaster@my.example.net", &got),
	    ROUTE_UNKNOWN);
	route_free(&r);
}

static void
what_is_no_pattern_or_no_relay_is_refused(void **state)
{
	static const char *const bad[] = {
		"", "@", "@.", "@..org", "nobody", "a@", "a b@example.org",
		"@exa mple.org", "@-\n.org", "ann@.example.org", ".org",
	};
	struct routes *r = new_routes();

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(route_add(r, ROUTE_BY_RCPT, span_of(bad[i]),
		    ROUTE_DOES_RELAY, SPAN("lists")), ERR_PEER);
	assert_int_equal(route_add(r, ROUTE_BY_RCPT, SPAN("@a.org"),
	    ROUTE_DOES_RELAY, SPAN("none")), ERR_PEER);
	assert_int_equal(route_add(r, ROUTE_BY_LOGIN, SPAN(""),
	    ROUTE_DOES_DISCARD, SPAN("")), ERR_PEER);
	assert_int_equal(route_add_relay(r, SPAN("lists"), ROUTE_OUT),
	    ERR_PEER);
	assert_int_equal(route_add_relay(r, SPAN(""), ROUTE_OUT), ERR_PEER);
	assert_int_equal(route_set_last(r, SPAN("none")), ERR_PEER);
	assert_int_equal(route_add_rcpt(r, SPAN("none"), SPAN("@a.org")),
	    ERR_PEER);
	assert_true(route_has_relay(r, "lists"));
	assert_false(route_has_relay(r, "none"));
	route_free(&r);
}

/* A list looked through from the front would take minutes. */
static void
a_hundred_thousand_recipients_cost_no_more_than_ten(void **state)
{
	struct routes *r = new_routes();
	int64_t start_ms = clock_mono_ms();
	struct route got;
	char text[64];

	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "user%d@d%d.example.org", i,
		    i % 1000);
		add_rcpt(r, "dovecot", text);
	}
	assert_int_equal(route_set_last(r, SPAN("dovecot")), OK);
	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof(text), "user%d@D%d.example.org", i,
		    i % 1000);
		assert_int_equal(find(r, text, &got),
		    ROUTE_FOUND);
		snprintf(text, sizeof(text), "user%d@d%d.example.org", i,
		    (i + 1) % 1000);
		assert_int_equal(find(r, text, &got),
		    ROUTE_UNKNOWN);
	}
	assert_true(clock_mono_ms() - start_ms < 10000);
	route_free(&r);
}

static void
split_all(struct split *s, const struct settings *set,
    const char *const *rcpts, uint32_t cnt, struct span tenant)
{
	struct span spans[16];

	for (uint32_t i = 0; i < cnt; i++)
		spans[i] = span_of(rcpts[i]);
	assert_int_equal(split_make(s, set, &(struct route_ask){
	    .is_bounce = false }, spans, NULL, cnt, tenant, 7), OK);
}

static void
split_into(const struct settings *set, const char *const *rcpts, uint32_t cnt,
    const char *want)
{
	struct split s;
	char got[512];
	size_t len = 0;

	split_all(&s, set, rcpts, cnt, SPAN("tenant"));
	got[0] = '\0';
	for (uint32_t no = 0; no < s.delivery_cnt; no++) {
		const struct store_delivery *d = &s.deliveries[no];

		assert_true(span_begins_nocase(d->tenant, SPAN("tenant")));
		assert_int_equal(d->due_ms, 7);
		len += (size_t)snprintf(got + len, sizeof(got) - len,
		    "%.*s>%.*s:", (int)d->relay.len, d->relay.ptr,
		    (int)d->destination.len, d->destination.ptr);
		for (uint32_t i = 0; i < cnt; i++)
			if (s.rcpt_delivery == NULL ||
			    s.rcpt_delivery[i] == no)
				len += (size_t)snprintf(got + len,
				    sizeof(got) - len, "%u", i);
		len += (size_t)snprintf(got + len, sizeof(got) - len, " ");
	}
	assert_string_equal(got, want);
	split_free(&s);
}

static void
recipients_share_a_delivery_where_they_share_the_way(void **state)
{
	static const char *const rcpts[] = {
		"a@far.example", "b@example.org", "c@FAR.example",
		"d@near.example", "e@example.com", "b@example.org",
	};
	struct settings set = { .routes = new_routes() };

	assert_int_equal(route_set_last(set.routes, SPAN("dovecot")), OK);
	split_into(&set, rcpts, 6, "dovecot>dovecot:012345 ");
	set.splits_domains = true;
	split_into(&set, rcpts, 6, "dovecot>dovecot:4 dovecot>dovecot:15 "
	    "dovecot>dovecot:02 dovecot>dovecot:3 ");
	set.splits_domains = false;
	set.splits_rcpts = true;
	split_into(&set, rcpts, 3, "dovecot>dovecot:0 dovecot>dovecot:1 "
	    "dovecot>dovecot:2 ");
	set.splits_rcpts = false;
	add(set.routes, "@example.org", "dovecot");
	add(set.routes, "@example.com", "lists");
	assert_int_equal(route_set_last(set.routes, SPAN("internet")), OK);
	split_into(&set, rcpts, 6, "internet>far.example:02 "
	    "internet>near.example:3 dovecot>dovecot:15 lists>lists:4 ");
	settings_fini(&set);
}

/* Whose line each delivery stands in, without the tenant. */
static void
lines_are(const struct settings *set, const char *const *rcpts, uint32_t cnt,
    const char *want)
{
	struct split s;
	char got[512];
	size_t len = 0;

	split_all(&s, set, rcpts, cnt, SPAN("ann"));
	for (uint32_t no = 0; no < s.delivery_cnt; no++) {
		struct span line = s.deliveries[no].tenant;

		assert_true(span_begins_nocase(line, SPAN("ann")));
		line = span_tail(line, 3);
		assert_true(line.len == 0 || line.ptr[0] == '\n');
		len += (size_t)snprintf(got + len, sizeof(got) - len,
		    "%.*s ", line.len > 0 ? (int)line.len - 1 : 0,
		    line.len > 0 ? line.ptr + 1 : "");
	}
	assert_string_equal(got, want);
	split_free(&s);
}

static void
where_one_hop_has_all_each_domain_has_a_line_of_its_own(void **state)
{
	static const char *const one[] = { "a@Far.example", "b@far.EXAMPLE" };
	static const char *const two[] = { "a@far.example", "b@near.example" };
	static const char *const mixed[] = {
		"a@far.example", "b@example.org", "c@near.example",
		"d@example.com",
	};
	static const char *const tall[] = {
		"a@aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		".b.c.d.far.example"
	};
	struct settings set = { .routes = new_routes() };

	assert_int_equal(route_set_last(set.routes, SPAN("dovecot")), OK);
	lines_are(&set, one, 2, "far.example ");
	lines_are(&set, two, 2, " ");
	lines_are(&set, tall, 1, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	    "aaaa.b.c.d.far.example ");
	set.splits_domains = true;
	lines_are(&set, two, 2, "far.example near.example ");
	set.splits_domains = false;
	add(set.routes, "@example.org", "dovecot");
	add(set.routes, "@example.com", "dovecot");
	assert_int_equal(route_set_last(set.routes, SPAN("internet")), OK);
	lines_are(&set, mixed, 4, "   ");	/* two of type mx */
	lines_are(&set, mixed, 2, " example.org ");
	settings_fini(&set);
}

static void
one_recipient_without_a_route_spoils_all(void **state)
{
	struct settings set = { .routes = new_routes() };
	struct span rcpts[] = { SPAN("a@example.org"), SPAN("b@far.example") };
	struct route_ask who = { .is_bounce = false };
	struct split s;

	add(set.routes, "@example.org", "dovecot");
	assert_int_equal(split_make(&s, &set, &who, rcpts, NULL, 2, SPAN("t"),
	    1), ERR_NONE);
	assert_null(s.deliveries);
	assert_int_equal(split_make(&s, &set, &who, rcpts, NULL, 1, SPAN("t"),
	    1), OK);
	split_free(&s);
	settings_fini(&set);
}

static void
rule(struct routes *r, enum route_by by, const char *pattern,
    enum route_does does, const char *value)
{
	assert_int_equal(route_add(r, by, span_of(pattern), does,
	    span_of(value)), OK);
}

static void
the_first_route_wins_whatever_it_looks_at(void **state)
{
	static const struct {
		const char	*rcpt, *sender, *login, *relay;	/* or verdict */
	} cases[] = {
		{ "x@far.example", "boss@a.example", "", "lists" },
		{ "x@far.example", "Boss@A.Example", "ann", "lists" },
		{ "x@far.example", "eve@a.example", "ann", "dovecot" },
		{ "x@far.example", "eve@a.example", "Ann", "internet" },
		{ "x@far.example", "eve@a.example", "zoe@B.example",
		    "lists" },
		{ "x@old.example", "boss@a.example", "", "lists" },
		{ "x@old.example", "eve@a.example", "ann", "550 5.1.6" },
		{ "trap@c.example", "", "", "discarded" },
		{ "trap@c.example", "boss@a.example", "", "lists" },
		{ "x@far.example", "", "", "dovecot" },
		{ "x@far.example", "no address", "", "internet" },
	};
	struct routes *r = new_routes();

	rule(r, ROUTE_BY_SENDER, "boss@a.example", ROUTE_DOES_RELAY, "lists");
	rule(r, ROUTE_BY_RCPT, "@old.example", ROUTE_DOES_REFUSE,
	    "5.1.6 It has moved");
	rule(r, ROUTE_BY_RCPT, "trap@c.example", ROUTE_DOES_DISCARD, "");
	rule(r, ROUTE_BY_LOGIN, "ann", ROUTE_DOES_RELAY, "dovecot");
	rule(r, ROUTE_BY_LOGIN, "@b.example", ROUTE_DOES_RELAY, "lists");
	rule(r, ROUTE_BY_SENDER, "<>", ROUTE_DOES_RELAY, "dovecot");
	assert_int_equal(route_set_last(r, SPAN("internet")), OK);
	assert_true(route_asks(r));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct route_ask ask = { span_of(cases[i].rcpt),
		    span_of(cases[i].sender), span_of(cases[i].login),
		    false };
		struct route_reply reply;
		struct route got;
		enum route_verdict v = route_judge(r, &ask, &got, &reply);
		char code[32];

		print_message("%zu\n", i);
		snprintf(code, sizeof(code), "%u %s", reply.code, reply.dsn);
		if (v == ROUTE_REFUSED) {
			assert_string_equal(code, cases[i].relay);
			assert_string_equal(reply.text, "It has moved");
		} else if (v == ROUTE_DISCARDED) {
			assert_string_equal("discarded", cases[i].relay);
			assert_string_equal(code, "250 2.1.5");
		} else {
			assert_int_equal(v, ROUTE_FOUND);
			assert_string_equal(got.relay, cases[i].relay);
		}
	}
	route_free(&r);
}

static const char *
bounce_way(const struct routes *r, const char *to)
{
	struct route_ask ask = { .rcpt = span_of(to), .is_bounce = true };
	struct route got;

	return route_find(r, &ask, &got) == ROUTE_FOUND ? got.relay : "none";
}

/* Nobody makes us write mailboxes of domains that are none of ours. */
static void
a_bounce_goes_only_where_its_domain_is_reached(void **state)
{
	struct routes *r = new_routes();

	assert_int_equal(route_set_last(r, SPAN("dovecot")), OK);
	assert_string_equal(bounce_way(r, "bob@foreign.example"), "none");
	add(r, "ann@example.org", "dovecot");
	assert_string_equal(bounce_way(r, "bob@example.org"), "dovecot");
	assert_string_equal(bounce_way(r, "bob@sub.example.org"), "none");
	/* Mail to what is our own goes there, too. */
	assert_string_equal(bounce_way(r, "bob@mx.example.org"), "none");
	assert_int_equal(route_add_home(r, SPAN("mx.example.org")), OK);
	assert_string_equal(bounce_way(r, "bob@mx.example.org"), "dovecot");
	assert_string_equal(bounce_way(r, "bob@foreign.example"), "none");
	add_rcpt(r, "dovecot", "@example.net");
	add_rcpt(r, "dovecot", "ann@example.org");
	assert_string_equal(bounce_way(r, "bob@example.org"), "none");
	assert_string_equal(bounce_way(r, "ann@example.org"), "dovecot");
	assert_string_equal(bounce_way(r, "bob@example.net"), "dovecot");
	assert_string_equal(bounce_way(r, "bob@foreign.example"), "none");
	assert_int_equal(route_set_bounce_relay(r, SPAN("internet")), OK);
	assert_string_equal(bounce_way(r, "bob@foreign.example"), "internet");
	assert_string_equal(bounce_way(r, "bob@example.net"), "dovecot");
	/* To one of ours who is not there it is not sent elsewhere. */
	assert_string_equal(bounce_way(r, "eve@example.org"), "none");
	route_free(&r);
}

static void
a_rule_for_all_bounces_reaches_no_further_than_its_relay(void **state)
{
	struct routes *r = new_routes(), *other = new_routes();

	rule(r, ROUTE_BY_SENDER, "<>", ROUTE_DOES_RELAY, "dovecot");
	assert_int_equal(route_set_last(r, SPAN("dovecot")), OK);
	assert_string_equal(bounce_way(r, "bob@foreign.example"), "none");
	assert_int_equal(route_set_last(r, SPAN("lists")), OK);
	assert_string_equal(bounce_way(r, "bob@foreign.example"), "lists");
	add(other, "@example.org", "dovecot");
	assert_int_equal(route_set_last(other, SPAN("internet")), OK);
	route_set_bounce_routes(r, other);
	assert_string_equal(bounce_way(r, "bob@foreign.example"), "internet");
	assert_string_equal(bounce_way(r, "bob@example.org"), "dovecot");
	route_free(&r);
}

static void
who_is_discarded_is_in_no_delivery(void **state)
{
	static const char *const rcpts[] = {
		"trap@c.example", "a@far.example", "trap@c.example",
		"b@far.example",
	};
	struct span spans[4];
	struct settings set = { .routes = new_routes() };
	struct route_ask who = { .is_bounce = false };
	struct split s;

	rule(set.routes, ROUTE_BY_RCPT, "trap@c.example", ROUTE_DOES_DISCARD,
	    "");
	assert_int_equal(route_set_last(set.routes, SPAN("internet")), OK);
	split_into(&set, rcpts, 4, "internet>far.example:13 ");
	split_into(&set, rcpts, 1, "");
	for (int i = 0; i < 4; i++)
		spans[i] = span_of(rcpts[i]);
	assert_int_equal(split_make(&s, &set, &who, spans, NULL, 3, SPAN("t"),
	    1), OK);
	assert_int_equal(s.discarded_cnt, 2);
	assert_int_equal(s.rcpt_delivery[2], SPLIT_NOBODY);
	split_free(&s);
	assert_int_equal(split_make_bounce(&s, &set, spans, 1, 1), ERR_NONE);
	settings_fini(&set);
}

static void
it_is_said_why_a_bounce_has_no_way(void **state)
{
	static const struct {
		const char	*to, *why;
	} cases[] = {
		{ "a@foreign.example", "there is no route to its sender" },
		{ "a@old.example", "a route refuses mail to its sender" },
		{ "trap@c.example", "a route discards mail to its sender" },
		{ "eve@example.org", "the relay for its sender's address does "
		    "not know that address" },
		{ "nonsense", "its sender is not a valid address" },
	};
	struct settings set = { .routes = new_routes() };
	struct split s;

	rule(set.routes, ROUTE_BY_RCPT, "@old.example", ROUTE_DOES_REFUSE,
	    "5.1.6 It has moved");
	rule(set.routes, ROUTE_BY_RCPT, "trap@c.example", ROUTE_DOES_DISCARD,
	    "");
	add_rcpt(set.routes, "dovecot", "ann@example.org");
	add(set.routes, "@example.org", "dovecot");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span to = span_of(cases[i].to);

		assert_int_equal(split_make_bounce(&s, &set, &to, 1, 1),
		    ERR_NONE);
		assert_string_equal(split_why_none(&set, to), cases[i].why);
	}
	settings_fini(&set);
}

static const char *
sender_reply(const struct routes *r, const char *sender)
{
	static char text[64 + ROUTE_TEXT_MAX];
	struct route_reply reply = { .code = 250 };

	if (!route_sender_is_lost(r, span_of(sender), &reply))
		return "taken";
	snprintf(text, sizeof(text), "%u %s %s", reply.code, reply.dsn,
	    reply.text);
	return text;
}

static void
check_senders(const struct routes *r, const char *const cases[][2], size_t cnt)
{
	for (size_t i = 0; i < cnt; i++) {
		print_message("%s\n", cases[i][0]);
		assert_string_equal(sender_reply(r, cases[i][0]),
		    cases[i][1]);
	}
}

#define LOST	"No bounce could reach the sender: "

static void
a_sender_is_lost_only_where_that_is_sure(void **state)
{
	static const char *const cases[][2] = {
		{ "", "taken" },
		{ "ann@example.org", "taken" },
		{ "ANN@Example.ORG", "taken" },
		{ "postmaster@example.org", "taken" },
		{ "eve@example.org",
		    "550 5.1.8 " LOST "No such recipient at example.org" },
		{ "eve@sub.example.org",
		    "550 5.1.8 " LOST "No such recipient here" },
		{ "noreply@example.org", "taken" },
		{ "x@old.example", "550 5.1.8 " LOST "It has moved" },
		{ "x@busy.example", "450 4.1.8 " LOST "Later" },
		{ "x@foreign.example", "taken" },
		{ "no address", "taken" },
	};
	struct routes *r = new_routes();

	rule(r, ROUTE_BY_RCPT, "noreply@example.org", ROUTE_DOES_DISCARD, "");
	add_rcpt(r, "dovecot", "ann@example.org");
	add(r, "@example.org", "dovecot");
	add(r, "@sub.example.org", "dovecot");
	rule(r, ROUTE_BY_RCPT, "@old.example", ROUTE_DOES_REFUSE,
	    "5.1.6 It has moved");
	rule(r, ROUTE_BY_RCPT, "@busy.example", ROUTE_DOES_REFUSE,
	    "4.2.0 Later");
	check_senders(r, cases, sizeof(cases) / sizeof(cases[0]));
	/* with a way out, and with one that has only its own */
	assert_int_equal(route_set_last(r, SPAN("internet")), OK);
	check_senders(r, cases, sizeof(cases) / sizeof(cases[0]));
	assert_int_equal(route_set_last(r, SPAN("dovecot")), OK);
	check_senders(r, cases, sizeof(cases) / sizeof(cases[0]));
	route_free(&r);
}

/* A host that wants no bounces at all still takes mail. */
static void
a_rule_for_all_bounces_refuses_no_sender(void **state)
{
	struct routes *r = new_routes(), *other = new_routes();

	rule(r, ROUTE_BY_SENDER, "<>", ROUTE_DOES_REFUSE, "5.7.1 No bounces");
	assert_int_equal(route_set_last(r, SPAN("internet")), OK);
	assert_string_equal(sender_reply(r, "x@foreign.example"), "taken");
	rule(other, ROUTE_BY_RCPT, "@old.example", ROUTE_DOES_REFUSE,
	    "5.1.6 It has moved");
	assert_int_equal(route_set_last(other, SPAN("internet")), OK);
	route_free(&r);
	r = new_routes();
	assert_int_equal(route_set_last(r, SPAN("internet")), OK);
	assert_false(route_asks(r));
	route_set_bounce_routes(r, other);
	assert_true(route_asks(r));	/* for the sender alone */
	assert_string_equal(sender_reply(r, "x@old.example"), "550 5.1.8 "
	    LOST "It has moved");
	route_free(&r);
}

static void
a_pattern_covers_what_it_matches_whole(void **state)
{
	static const struct {
		const char	*pattern;
		uint32_t	 no;		/* 9: nothing covers it	*/
	} cases[] = {
		{ "ann@example.org", 1 }, { "\"ann\"@EXAMPLE.org", 1 },
		{ "bob@example.org", 9 }, { "@example.org", 9 },
		{ "@b.example.net", 2 }, { "@.b.example.net", 2 },
		{ "@example.net", 9 }, { "@.example.net", 2 },
		{ "x@a.example.net", 2 }, { "@EXAMPLE.com", 0 },
		{ "eve@example.com", 0 }, { "@.example.com", 9 },
		{ "@[192.0.2.1]", 9 }, { "nothing", 9 },
	};
	struct patterns *p;

	assert_int_equal(pattern_new(&p), OK);
	assert_int_equal(pattern_add(p, SPAN("@example.com"), 0), OK);
	assert_int_equal(pattern_add(p, SPAN("ann@example.org"), 1), OK);
	assert_int_equal(pattern_add(p, SPAN("@.example.net"), 2), OK);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint32_t no = 9;
		bool found = pattern_covers(p, span_of(cases[i].pattern),
		    &no);

		print_message("%s\n", cases[i].pattern);
		assert_int_equal(found ? no : 9, cases[i].no);
	}
	pattern_free(&p);
}

#define TEST(f)	cmocka_unit_test(f)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_pattern_that_fits_says_the_relay),
		TEST(a_detail_leads_to_the_user_that_is_known),
		TEST(without_a_last_resort_the_rest_has_no_route),
		TEST(a_relay_that_has_recipients_takes_no_others),
		TEST(postmaster_of_our_own_is_never_refused),
		TEST(what_is_no_pattern_or_no_relay_is_refused),
		TEST(a_hundred_thousand_recipients_cost_no_more_than_ten),
		TEST(recipients_share_a_delivery_where_they_share_the_way),
		TEST(where_one_hop_has_all_each_domain_has_a_line_of_its_own),
		TEST(one_recipient_without_a_route_spoils_all),
		TEST(the_first_route_wins_whatever_it_looks_at),
		TEST(a_bounce_goes_only_where_its_domain_is_reached),
		TEST(a_rule_for_all_bounces_reaches_no_further_than_its_relay),
		TEST(who_is_discarded_is_in_no_delivery),
		TEST(it_is_said_why_a_bounce_has_no_way),
		TEST(a_sender_is_lost_only_where_that_is_sure),
		TEST(a_rule_for_all_bounces_refuses_no_sender),
		TEST(a_pattern_covers_what_it_matches_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
