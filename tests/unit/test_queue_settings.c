/*
 * From the configuration language to the queue's routes, recipients and
 * policies, by way of a real slice.
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

#include "conf/conf.h"
#include "queue/settings.h"

static char conf_text[8192];

static enum err
read_conf(void *arg, const char *path, size_t max, char **bytes, size_t *len)
{
	*len = strlen(conf_text);
	*bytes = strdup(conf_text);
	return *bytes != NULL ? OK : ERR_SYS;
}

static enum err
glob_nothing(void *arg, const char *pattern, conf_found_fn *found, void *farg)
{
	return OK;
}

static void
print_line(void *arg, const char *text)
{
	print_message("%s\n", text);
}

/* The settings of a queue with these lines, and relays "out" and "box". */
static void
settings_of(struct settings *s, const char *queue, const char *box)
{
	static const struct conf_opener opener = {
		.read = read_conf, .glob = glob_nothing };
	static const struct conf_host host = { .cwd = "/tmp" };
	struct conf_report report = { .line = print_line };
	struct conf *conf = NULL;
	struct conf_plan plan;
	uint32_t i;

	snprintf(conf_text, sizeof(conf_text),
	    "process { run_dir run; hostname mx.example.org; "
	    "postmaster pm@example.org; node 513 }\n"
	    "edge in { type smtp; queue main; data_timeout 90s\n"
	    "    timeout 80s }\n"
	    "edge slow { type smtp; queue main; data_timeout 20m\n"
	    "    session_timeout 1h; listener { port 26 } }\n"
	    "queue main { type lmdb; path q; %s }\n"
	    "relay out { type mx }\n"
	    "relay box { type static; host 127.0.0.1; %s }\n", queue, box);
	assert_int_equal(conf_load(&conf, "/tmp/postern.conf", &opener, &host,
	    &report), OK);
	assert_int_equal(conf_plan(conf, &plan), OK);
	for (i = 0; i < plan.head.process_cnt; i++)
		if (plan.processes[i].role == ROLE_QUEUE)
			break;
	assert_true(i < plan.head.process_cnt);
	assert_int_equal(settings_read(s, plan.slices[i]), OK);
	conf_free(&conf);
}

static enum route_verdict
find(const struct settings *s, const char *rcpt, struct route *out)
{
	return route_find(s->routes, &(struct route_ask){
	    .rcpt = span_of(rcpt) }, out);
}

static void
routes_come_in_their_order(void **state)
{
	struct settings s;
	struct route r;

	settings_of(&s, "route to ann@example.org relay out\n"
	    "route to @example.org @.example.org relay box; relay out", "");
	assert_int_equal(find(&s, "ann@example.org", &r), ROUTE_FOUND);
	assert_string_equal(r.relay, "out");
	assert_string_equal(r.destination, "example.org");
	assert_string_equal(s.name, "main");
	assert_string_equal(s.postmaster, "pm@example.org");
	assert_int_equal(s.node, 513);
	assert_int_equal(find(&s, "bob@example.org", &r), ROUTE_FOUND);
	assert_string_equal(r.relay, "box");
	assert_string_equal(r.destination, "box");
	assert_int_equal(find(&s, "bob@a.example.org", &r), ROUTE_FOUND);
	assert_true(span_eq(r.rule, SPAN("@.example.org")));
	assert_int_equal(find(&s, "bob@example.net", &r), ROUTE_FOUND);
	assert_string_equal(r.destination, "example.net");
	assert_false(route_asks(s.routes));
	assert_false(s.splits_rcpts);
	assert_false(s.splits_domains);
	settings_fini(&s);
}

static void
recipients_belong_to_their_relay(void **state)
{
	struct settings s;
	struct route r;

	settings_of(&s, "route to @example.org relay box; relay out",
	    "recipients ann@example.org @example.org");
	assert_true(route_asks(s.routes));
	assert_int_equal(find(&s, "bob@example.org", &r), ROUTE_FOUND);
	assert_int_equal(find(&s, "bob@example.net", &r), ROUTE_FOUND);
	settings_fini(&s);
	settings_of(&s, "relay box; policies { recipient_split yes\n"
	    "recipient_domain_split yes }", "recipients ann@example.org");
	assert_true(s.splits_rcpts);
	assert_true(s.splits_domains);
	assert_int_equal(find(&s, "bob@example.org", &r), ROUTE_UNKNOWN);
	settings_fini(&s);
}

/* Half a minute more than the longest of its edges. */
static void
what_others_may_have_of_us_is_told(void **state)
{
	struct settings s;

	settings_of(&s, "route to @example.org relay box; relay out",
	    "concurrent_connections 7");
	assert_int_equal(s.silence_ms, 20 * 60000 + 30000);
	assert_int_equal(s.session_ms, 2 * 3600000 + 30000);
	assert_int_equal(settings_slots(&s, "box"), 14);
	assert_int_equal(settings_slots(&s, "out"), SLOTS_MX);
	assert_int_equal(settings_slots(&s, "gone"), UINT32_MAX);
	settings_fini(&s);
}

static void
a_queue_with_one_relay_asks_nothing(void **state)
{
	struct settings s;

	settings_of(&s, "relay box", "");
	assert_false(route_asks(s.routes));
	assert_string_equal(route_only(s.routes), "box");
	settings_fini(&s);
	settings_of(&s, "relay out", "");
	assert_null(route_only(s.routes));
	settings_fini(&s);
	settings_of(&s, "route to @example.org relay box", "");
	assert_true(route_asks(s.routes));
	settings_fini(&s);
}

static void
routes_may_look_at_the_sender_and_the_login(void **state)
{
	struct route_ask ask = { SPAN("x@far.example"), SPAN("ann@a.example"),
	    SPAN("zoe"), false };
	struct route_reply reply;
	struct settings s;
	struct route r;

	settings_of(&s, "route to x@gone.example error \"5.1.6 Moved on\"\n"
	    "route from @a.example relay box\n route from <> \"\" discard\n"
	    "route login zoe @z.example relay out; relay out", "");
	assert_int_equal(route_find(s.routes, &ask, &r), ROUTE_FOUND);
	assert_string_equal(r.relay, "box");
	assert_int_equal(r.by, ROUTE_BY_SENDER);
	ask.sender = SPAN("ann@b.example");
	assert_int_equal(route_find(s.routes, &ask, &r), ROUTE_FOUND);
	assert_true(span_eq(r.rule, SPAN("zoe")));
	ask.sender = SPAN("");
	assert_int_equal(route_find(s.routes, &ask, &r), ROUTE_DISCARDED);
	ask.rcpt = SPAN("x@gone.example");
	assert_int_equal(route_judge(s.routes, &ask, &r, &reply),
	    ROUTE_REFUSED);
	assert_int_equal(reply.code, 550);
	assert_string_equal(reply.dsn, "5.1.6");
	assert_string_equal(reply.text, "Moved on");
	settings_fini(&s);
}

static void
bounces_have_a_relay_of_their_own(void **state)
{
	struct route_ask ask = { .rcpt = SPAN("x@far.example"),
	    .is_bounce = true };
	struct settings s;
	struct route r;

	settings_of(&s, "route to @example.org relay box; bounce_relay out",
	    "");
	assert_int_equal(find(&s, "x@far.example", &r), ROUTE_NOWHERE);
	assert_int_equal(route_find(s.routes, &ask, &r), ROUTE_FOUND);
	assert_string_equal(r.relay, "out");
	assert_string_equal(r.destination, "far.example");
	settings_fini(&s);
}

/* The other queue's routes and its times, and no more of it. */
static void
bounces_may_go_as_another_queue_says(void **state)
{
	static const struct record_message bounce = { .flags = 0 },
	    mail = { .edge = { "in", 2 } };
	struct route_ask ask = { .rcpt = SPAN("x@far.example"),
	    .is_bounce = true };
	struct settings s;
	struct route r;

	settings_of(&s, "route to @example.org relay box\n"
	    "bounce_queue other; retry { lifetime 1d } }\n"
	    "queue other { type lmdb; path p; relay out; route to @b.example "
	    "relay box; retry { lifetime 2h }", "");
	assert_int_equal(find(&s, "x@far.example", &r), ROUTE_NOWHERE);
	assert_int_equal(route_find(s.routes, &ask, &r), ROUTE_FOUND);
	assert_string_equal(r.relay, "out");
	ask.rcpt = SPAN("x@b.example");
	assert_int_equal(route_find(s.routes, &ask, &r), ROUTE_FOUND);
	assert_string_equal(r.relay, "box");
	assert_int_equal(settings_retry(&s, &mail)->lifetime_ms, 86400000);
	assert_int_equal(settings_retry(&s, &bounce)->lifetime_ms, 7200000);
	settings_fini(&s);
}

static void
what_is_no_slice_is_refused(void **state)
{
	struct settings s;

	assert_int_equal(settings_read(&s, SPAN("rubbish")), ERR_PEER);
	assert_int_equal(settings_read(&s, SPAN("")), ERR_PEER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(routes_come_in_their_order),
		cmocka_unit_test(recipients_belong_to_their_relay),
		cmocka_unit_test(what_others_may_have_of_us_is_told),
		cmocka_unit_test(a_queue_with_one_relay_asks_nothing),
		cmocka_unit_test(routes_may_look_at_the_sender_and_the_login),
		cmocka_unit_test(bounces_have_a_relay_of_their_own),
		cmocka_unit_test(bounces_may_go_as_another_queue_says),
		cmocka_unit_test(what_is_no_slice_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
