/*
 * LMTP: a reply for each recipient (RFC 2033), and a connection that another
 * process makes.
 *
 * room: relay
 */
#include <errno.h>

#include "relay_kit.h"

static int
set_up_lmtp(void **state)
{
	struct bench *b;

	if (set_up(state) != 0)
		return -1;
	b = *state;
	b->target.is_lmtp = true;
	b->hop.is_lmtp = true;
	return 0;
}

static void
one_recipient_goes_as_in_smtp_but_for_lhlo(void **state)
{
	struct bench *b = *state;

	(void)add_delivery(0, "s@a.example", "r@b.example");
	connect_client(b);
	run(b);
	want_done(b->deliveries[0], 0);
	assert_int_equal(b->deliveries[0]->rcpts[0].outcome->verdict.flags,
	    RESULT_FINAL);
	assert_string_equal(b->hop.seen, "LHLO me.example\r\n"
	    "MAIL FROM:<s@a.example> SIZE=21\r\nRCPT TO:<r@b.example>\r\n"
	    "DATA\r\nSubject: x\r\n\r\nHello\r\n.\r\n");
}

static void
each_recipient_has_its_own_reply_to_the_text(void **state)
{
	for (int piped = 0; piped < 2; piped++) {
		struct bench *b;
		struct delivery *d;

		tear_down(state);
		set_up_lmtp(state);
		b = *state;
		if (!piped)
			b->hop.ehlo = "250 hop";
		d = add_delivery(0, "s@a.example", "a@b.example "
		    "no@b.example b@b.example c@b.example d@b.example");
		b->hop.rules[0] = (struct rule){ "RCPT TO:<no", 0,
		    "550 5.1.1 Nobody" };
		b->hop.rules[1] = (struct rule){ ".", 2, "452 4.2.2 Full" };
		b->hop.rules[2] = (struct rule){ ".", 2,
		    "552 5.2.3 Too\tlong" };
		(void)add_delivery(0, "s@a.example", "e@b.example");
		connect_client(b);
		run(b);
		want_done(d, 0);
		want_outcome(d, 1, CLASS_NEVER, SCOPE_RECIPIENT, STAGE_RCPT,
		    550);
		want_outcome(d, 2, CLASS_LATER, SCOPE_RECIPIENT, STAGE_BODY,
		    452);
		want_outcome(d, 3, CLASS_NEVER, SCOPE_RECIPIENT, STAGE_BODY,
		    552);
		want_done(d, 4);
		want_done(b->deliveries[1], 0);
		assert_int_equal(b->hop.connections, 1);
	}
}

/* What became of those answered stands; the others are tried again. */
static void
a_connection_lost_half_way_decides_those_answered(void **state)
{
	static const struct {
		const char	*reply;
		unsigned	 code;
	} cases[] = {
		{ NULL, 451 }, { "421 4.3.2 Going down", 421 },
		{ "999 What?", 451 }, { "354 Go on", 451 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bench *b;
		struct delivery *d;

		tear_down(state);
		set_up_lmtp(state);
		b = *state;
		d = add_delivery(0, "s@a.example",
		    "a@b.example b@b.example c@b.example d@b.example");
		b->hop.rules[0] = (struct rule){ ".", 2, "550 5.2.1 Off" };
		b->hop.rules[1] = (struct rule){ ".", 2, cases[i].reply };
		connect_client(b);
		run(b);
		want_done(d, 0);
		want_outcome(d, 1, CLASS_NEVER, SCOPE_RECIPIENT, STAGE_BODY,
		    550);
		want_outcome(d, 2, CLASS_LATER, SCOPE_HOST, STAGE_BODY,
		    cases[i].code);
		want_outcome(d, 3, CLASS_LATER, SCOPE_HOST, STAGE_BODY,
		    cases[i].code);
	}
}

static void
replies_that_stop_are_not_waited_for_for_ever(void **state)
{
	struct bench *b = *state;
	struct delivery *d = add_delivery(0, "s@a.example",
	    "a@b.example b@b.example");

	b->target.data_ms = b->target.done_ms = 500;
	b->hop.rules[0] = (struct rule){ ".", 2, "250-more" };
	connect_client(b);
	run(b);
	want_done(d, 0);
	want_outcome(d, 1, CLASS_LATER, SCOPE_HOST, STAGE_BODY, 451);
}

/* One reply cannot be everybody's, not even before the end of the text. */
static void
a_refusal_before_the_end_bounces_nobody(void **state)
{
	struct bench *b = *state;
	struct delivery *d = add_delivery(0, "s@a.example",
	    "a@b.example b@b.example");

	b->hop.rules[0] = (struct rule){ "DATA", 0,
	    "354 Go on\r\n550 5.2.1 Off" };
	connect_client(b);
	run(b);
	want_outcome(d, 0, CLASS_LATER, SCOPE_HOST, STAGE_BODY, 451);
	want_outcome(d, 1, CLASS_LATER, SCOPE_HOST, STAGE_BODY, 451);
}

static void
when_nobody_was_taken_data_is_refused(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct bench *b;
		struct delivery *d;

		tear_down(state);
		set_up_lmtp(state);
		b = *state;
		d = add_delivery(0, "s@a.example", "a@b.example");
		b->hop.rules[0] = (struct rule){ "RCPT", 0, "550 5.1.1 No" };
		b->hop.rules[1] = (struct rule){ "DATA", 0, i == 0 ?
		    "503 5.5.1 No one" : "354 Go on" };
		connect_client(b);
		run(b);
		want_outcome(d, 0, CLASS_NEVER, SCOPE_RECIPIENT, STAGE_RCPT,
		    550);
		assert_null(strstr(b->hop.seen, "\r\n.\r\n"));
	}
}

/* The queue reads it piece by piece, and may find a later one damaged. */
static void
a_text_that_breaks_off_never_gets_its_dot(void **state)
{
	static char body[5 * PIECE_MAX];

	for (unsigned have = 1; have < 5; have++) {
		struct bench *b;
		struct delivery *d;

		tear_down(state);
		set_up_lmtp(state);
		b = *state;
		for (size_t i = 0; i < sizeof(body); i++)
			body[i] = "some text\r\n"[i % 11];
		b->body = body;
		b->body_len = sizeof(body);
		b->hop.ehlo = "250-hop\r\n250 PIPELINING";
		b->pieces_have = have;
		d = add_delivery(0, "s@a.example", "r@b.example q@b.example");
		connect_client(b);
		run(b);
		want_outcome(d, 0, CLASS_LATER, SCOPE_OURS, STAGE_BODY, 451);
		want_outcome(d, 1, CLASS_LATER, SCOPE_OURS, STAGE_BODY, 451);
		assert_null(strstr(b->hop.seen, "\r\n.\r\n"));
		assert_non_null(strstr(b->hop.seen, "some text"));
	}
}

static void
recipients_over_the_limit_come_in_another_transaction(void **state)
{
	struct bench *b = *state;
	struct delivery *d = add_delivery(0, "s@a.example",
	    "a@b.example b@b.example c@b.example");

	b->hop.rules[0] = (struct rule){ "RCPT TO:<c@", 1,
	    "452 4.5.3 Too many" };
	b->hop.rules[1] = (struct rule){ ".", 2, "452 4.2.2 Full" };
	connect_client(b);
	run(b);
	want_done(d, 0);
	want_outcome(d, 1, CLASS_LATER, SCOPE_RECIPIENT, STAGE_BODY, 452);
	want_done(d, 2);
}

static void
there_is_no_helo_in_lmtp(void **state)
{
	struct bench *b = *state;

	b->hop.rules[0] = (struct rule){ "LHLO", 0, "500 5.5.1 What?" };
	(void)add_delivery(0, "s@a.example", "a@b.example");
	connect_client(b);
	run(b);
	assert_true(b->has_why);
	assert_int_equal(b->why.code, 500);
	assert_int_equal(b->why.class, CLASS_LATER);
	assert_string_equal(b->hop.seen, "LHLO me.example\r\n");
}

/* The endpoint. */

struct kit_point {
	struct hop_endpoint endpoint;
	boot_endpoint_fn *fn;		/* of the request under way	*/
	void		*arg;
	struct later	 answer;
	int		 error;		/* what it is answered with	*/
	bool		 is_shut;	/* it is never answered		*/
	unsigned	 asked_cnt, cancelled_cnt;
};

static struct kit_point kit_point;

static uint64_t
open_endpoint(const struct hop_endpoint *d, boot_endpoint_fn *fn, void *arg)
{
	kit_point.fn = fn;
	kit_point.arg = arg;
	kit_point.asked_cnt++;
	if (!kit_point.is_shut)
		later_call(&kit_point.answer);
	return kit_point.asked_cnt;
}

static void
cancel_endpoint(const struct hop_endpoint *d, uint64_t request)
{
	assert_int_equal(request, kit_point.asked_cnt);
	kit_point.cancelled_cnt++;
	later_stop(&kit_point.answer);
}

static void
answer_endpoint(struct later *l, void *arg)
{
	int fds[2] = { -1, -1 };

	if (kit_point.error == 0) {
		assert_int_equal(socketpair(AF_UNIX,
		    SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
		hop_take(&bench->hop, fds[1]);
	}
	kit_point.fn(fds[0], kit_point.error, kit_point.arg);
}

static void
use_endpoint(struct bench *b)
{
	memset(&kit_point, 0, sizeof(kit_point));
	later_init(&kit_point.answer, b->loop, answer_endpoint, NULL);
	kit_point.endpoint = (struct hop_endpoint){ open_endpoint,
	    cancel_endpoint, SPAN("/run/lmtp") };
	b->target.endpoint = &kit_point.endpoint;
	b->target.dial.connect_ms = 100;
	for (int i = 0; i < 3; i++)
		(void)add_delivery(0, "s@a.example", "a@b.example");
}

/* As open_pool(), with nobody to dial. */
static void
open_endpoint_pool(struct bench *b)
{
	const struct pool_limits limits = {
		.connections = 1, .idle_ms = 1000,
	};

	b->target.dial.connect_ms = 100;
	assert_int_equal(pool_open(&b->pool, b->loop, NULL,
	    &smtp_client_hop, &b->target, &limits), OK);
	for (unsigned i = 0; i < b->delivery_cnt; i++)
		pool_take(b->pool, b->deliveries[i]);
}

static void
an_endpoint_gives_the_connections_of_a_pool(void **state)
{
	struct bench *b = *state;
	const struct outcome *o;

	use_endpoint(b);
	b->hop.closes_after = true;
	open_endpoint_pool(b);
	run(b);
	for (int i = 0; i < 3; i++)
		want_done(b->deliveries[i], 0);
	assert_int_equal(kit_point.asked_cnt, 3);
	assert_int_equal(kit_point.cancelled_cnt, 0);
	o = b->deliveries[0]->rcpts[0].outcome;
	assert_int_equal(o->hop.len, 9);
	assert_memory_equal(o->hop.ptr, "/run/lmtp", 9);
}

static void
an_endpoint_that_is_shut_is_a_destination_down(void **state)
{
	static const int errors[] = { ECONNREFUSED, ENOENT, EACCES, -1 };

	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		struct bench *b;

		tear_down(state);
		set_up_lmtp(state);
		b = *state;
		use_endpoint(b);
		kit_point.error = errors[i];
		kit_point.is_shut = errors[i] == -1;
		open_endpoint_pool(b);
		run(b);
		for (int k = 0; k < 3; k++)
			want_outcome(b->deliveries[k], 0, CLASS_LATER,
			    SCOPE_DESTINATION, STAGE_CONNECT, 451);
		assert_int_equal(kit_point.cancelled_cnt, errors[i] == -1);
	}
}

static void
a_pool_that_is_closed_waits_for_no_endpoint(void **state)
{
	struct bench *b = *state;

	use_endpoint(b);
	kit_point.is_shut = true;
	open_endpoint_pool(b);
	timer_set(&b->alarm, 20);
	assert_int_equal(ev_run(b->loop), OK);
	pool_close(&b->pool);
	assert_int_equal(kit_point.asked_cnt, 1);
	assert_int_equal(kit_point.cancelled_cnt, 1);
}

#define TEST(name)							\
	cmocka_unit_test_setup_teardown(name, set_up_lmtp, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(one_recipient_goes_as_in_smtp_but_for_lhlo),
		TEST(each_recipient_has_its_own_reply_to_the_text),
		TEST(a_connection_lost_half_way_decides_those_answered),
		TEST(replies_that_stop_are_not_waited_for_for_ever),
		TEST(a_refusal_before_the_end_bounces_nobody),
		TEST(when_nobody_was_taken_data_is_refused),
		TEST(a_text_that_breaks_off_never_gets_its_dot),
		TEST(recipients_over_the_limit_come_in_another_transaction),
		TEST(there_is_no_helo_in_lmtp),
		TEST(an_endpoint_gives_the_connections_of_a_pool),
		TEST(an_endpoint_that_is_shut_is_a_destination_down),
		TEST(a_pool_that_is_closed_waits_for_no_endpoint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
