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

#include "queue/pattern.h"
#include "queue/split.h"
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
	assert_int_equal(route_add_relay(r, SPAN("internet"), true), OK);
	assert_int_equal(route_add_relay(r, SPAN("dovecot"), false), OK);
	assert_int_equal(route_add_relay(r, SPAN("lists"), false), OK);
	return r;
}

static void
add(struct routes *r, const char *pattern, const char *relay)
{
	assert_int_equal(route_add(r, span_of(pattern), span_of(relay)), OK);
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
		enum route_verdict v = route_find(r, span_of(cases[i].rcpt),
		    &got);

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
		{ "a@b\xc3\xbc" "cher.example", "internet",
		    "b\xc3\xbc" "cher.example", "" },
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

		route_judge(r, span_of(cases[i].rcpt), &got, &reply);
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
postmaster_of_our_own_is_never_refused(void **state)
{
	struct routes *r = new_routes();
	struct route got;

	assert_int_equal(route_set_home(r, SPAN("mx.example.net")), OK);
	assert_int_equal(route_find(r, SPAN("postmaster@mx.example.net"),
	    &got), ROUTE_NOWHERE);
	add(r, "ann@example.org", "dovecot");
	add_rcpt(r, "dovecot", "ann@example.org");
	assert_int_equal(route_find(r, SPAN("Postmaster@MX.example.net"),
	    &got), ROUTE_FOUND);
	assert_string_equal(got.relay, "dovecot");
	assert_int_equal(route_find(r, SPAN("postmaster@my.example.net"),
	    &got), ROUTE_NOWHERE);
	assert_int_equal(route_find(r, SPAN("other@mx.example.net"), &got),
	    ROUTE_NOWHERE);
	add_rcpt(r, "lists", "team@example.org");
	assert_int_equal(route_set_last(r, SPAN("lists")), OK);
	assert_int_equal(route_find(r, SPAN("postmaster@mx.example.net"),
	    &got), ROUTE_FOUND);
	assert_string_equal(got.relay, "lists");
	assert_int_equal(route_find(r, SPAN("postmaster@my.example.net"),
	    &got), ROUTE_UNKNOWN);
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
		assert_int_equal(route_add(r, span_of(bad[i]),
		    SPAN("lists")), ERR_PEER);
	assert_int_equal(route_add(r, SPAN("@a.org"), SPAN("none")),
	    ERR_PEER);
	assert_int_equal(route_add_relay(r, SPAN("lists"), false), ERR_PEER);
	assert_int_equal(route_add_relay(r, SPAN(""), false), ERR_PEER);
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
		assert_int_equal(route_find(r, span_of(text), &got),
		    ROUTE_FOUND);
		snprintf(text, sizeof(text), "user%d@d%d.example.org", i,
		    (i + 1) % 1000);
		assert_int_equal(route_find(r, span_of(text), &got),
		    ROUTE_UNKNOWN);
	}
	assert_true(clock_mono_ms() - start_ms < 10000);
	route_free(&r);
}

static void
split_into(const struct settings *set, const char *const *rcpts, uint32_t cnt,
    const char *want)
{
	struct span spans[16];
	struct split s;
	char got[512];
	size_t len = 0;

	for (uint32_t i = 0; i < cnt; i++)
		spans[i] = span_of(rcpts[i]);
	assert_int_equal(split_make(&s, set, spans, cnt, SPAN("tenant"), 7),
	    OK);
	got[0] = '\0';
	for (uint32_t no = 0; no < s.delivery_cnt; no++) {
		const struct store_delivery *d = &s.deliveries[no];

		assert_true(span_eq(d->tenant, SPAN("tenant")));
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

static void
one_recipient_without_a_route_spoils_all(void **state)
{
	struct settings set = { .routes = new_routes() };
	struct span rcpts[] = { SPAN("a@example.org"), SPAN("b@far.example") };
	struct split s;

	add(set.routes, "@example.org", "dovecot");
	assert_int_equal(split_make(&s, &set, rcpts, 2, SPAN("t"), 1),
	    ERR_NONE);
	assert_null(s.deliveries);
	assert_int_equal(split_make(&s, &set, rcpts, 1, SPAN("t"), 1), OK);
	split_free(&s);
	settings_fini(&set);
}

#define TEST(f)	cmocka_unit_test(f)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_first_pattern_that_fits_says_the_relay),
		TEST(without_a_last_resort_the_rest_has_no_route),
		TEST(a_relay_that_has_recipients_takes_no_others),
		TEST(postmaster_of_our_own_is_never_refused),
		TEST(what_is_no_pattern_or_no_relay_is_refused),
		TEST(a_hundred_thousand_recipients_cost_no_more_than_ten),
		TEST(recipients_share_a_delivery_where_they_share_the_way),
		TEST(one_recipient_without_a_route_spoils_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
