/*
 * The seat is an interface: a connection serves a protocol of the test's own,
 * which says every line back.
 *
 * room: edge
 */
#include "edge/protocol.h"
#include "edge_kit.h"

struct echo {
	struct seat	 seat;
	struct edge	*edge;
	struct origin	 origin;
	bool		 is_waiting;
	int64_t		 since_ms;
};

static struct echo *last;
static unsigned open_cnt;

static void
say(struct echo *e, struct span text)
{
	assert_int_equal(grow_add(&e->seat.out, text), OK);
}

static struct seat *
echo_open(struct edge *edge, const struct client_address *address,
    seat_wake_fn *on_wake, void *arg)
{
	extern const struct protocol echo;
	struct echo *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	origin_init(&e->origin, address);
	e->edge = edge;
	e->since_ms = ev_now_ms(edge->loop);
	e->seat = (struct seat){ .protocol = &echo, .origin = &e->origin,
	    .on_wake = on_wake, .arg = arg, .begun_ms = e->since_ms };
	last = e;
	open_cnt++;
	return &e->seat;
}

static void
echo_close(struct seat **seat)
{
	grow_free(&(*seat)->out);
	free(*seat);
	*seat = NULL;
	open_cnt--;
}

static void
echo_greet(struct seat *seat)
{
	say((struct echo *)(void *)seat, SPAN("hello\n"));
}

static bool
echo_no(const struct seat *seat)
{
	return false;
}

static void
echo_secured(struct seat *seat, const char *version, const char *cipher)
{
	fail_msg("no TLS was wanted");
}

static bool
echo_is_waiting(const struct seat *seat)
{
	return ((const struct echo *)(const void *)seat)->is_waiting;
}

/* "wait" waits until the test wakes it, "bye" is the last word. */
static void
echo_feed(struct seat *seat, struct span *in)
{
	struct echo *e = (struct echo *)(void *)seat;
	struct span line;
	size_t n;

	while (!e->is_waiting && !seat->is_closed &&
	    (n = span_find(*in, '\n')) < in->len) {
		line = span_head(*in, n + 1);
		*in = span_tail(*in, n + 1);
		e->since_ms = ev_now_ms(e->edge->loop);
		e->is_waiting = span_eq(line, SPAN("wait\n"));
		seat->is_closed = span_eq(line, SPAN("bye\n"));
		say(e, line);
	}
}

static size_t
echo_room(const struct seat *seat)
{
	return echo_is_waiting(seat) || seat->is_closed ? 0 : EDGE_READ_MAX;
}

static int64_t
echo_patience_ms(const struct seat *seat)
{
	const struct echo *e = (const struct echo *)(const void *)seat;
	int64_t due = e->since_ms + e->edge->set.timeout_ms -
	    ev_now_ms(e->edge->loop);

	if (e->is_waiting)
		return -1;
	return due > 0 ? due : 0;
}

static void
echo_expire(struct seat *seat)
{
	say((struct echo *)(void *)seat, SPAN("late\n"));
	seat->is_closed = true;
}

static void
echo_tick(struct seat *seat)
{
}

static void
echo_drain(struct seat *seat)
{
	if (!echo_is_waiting(seat)) {
		say((struct echo *)(void *)seat, SPAN("drained\n"));
		seat->is_closed = true;
	}
}

static void
echo_end(struct seat *seat)
{
	struct echo *e = (struct echo *)(void *)seat;

	e->is_waiting = false;
	say(e, SPAN("ended\n"));
	seat->is_closed = true;
}

extern const struct protocol echo;
const struct protocol echo = {
	.open = echo_open, .close = echo_close, .greet = echo_greet,
	.wants_tls = echo_no, .secured = echo_secured, .feed = echo_feed,
	.room = echo_room, .is_waiting = echo_is_waiting,
	.is_private = echo_no, .patience_ms = echo_patience_ms,
	.expire = echo_expire, .tick = echo_tick, .drain = echo_drain,
	.end = echo_end,
};

static int
setup(void **state)
{
	kit_start();
	kit.edge->protocol = &echo;
	return 0;
}

static int
teardown(void **state)
{
	kit_stop();
	assert_int_equal(open_cnt, 0);
	return 0;
}

static void
it_is_greeted_fed_and_closed(void **state)
{
	kit_connect();
	kit_want("one\ntwo\nthr", "hello\none\ntwo\n");
	kit_want("ee\nbye\nfour\n", "three\nbye\n");
	assert_true(kit.is_closed);
	assert_int_equal(kit.edge->client_cnt, 0);
}

static void
what_it_cannot_use_yet_waits_until_it_wakes(void **state)
{
	kit_connect();
	kit_want("wait\none\ntwo\n", "hello\nwait\n");
	last->is_waiting = false;
	last->seat.on_wake(last->seat.arg);
	kit_want("", "one\ntwo\n");
}

static void
its_patience_is_its_own(void **state)
{
	kit.edge->set.timeout_ms = 40;
	kit_connect();
	kit_want("", "hello\n");
	kit_wait(120);
	kit_want("", "late\n");
	assert_true(kit.is_closed);
	kit_connect();
	kit_want("wait\n", "hello\nwait\n");
	kit_wait(120);
	kit_want("", "");
	assert_int_equal(kit.edge->client_cnt, 1);
}

static void
a_drain_asks_it_and_its_end_does_not(void **state)
{
	kit_connect();
	kit_want("", "hello\n");
	edge_drain(kit.edge, 1000);
	kit_want("", "drained\n");
	assert_true(kit.is_closed);
	kit_connect();
	kit_want("wait\n", "hello\nwait\n");
	edge_drain(kit.edge, 20);
	kit_wait(40);
	kit_want("", "ended\n");
	assert_true(kit.is_closed);
}

#define T(name)	cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_is_greeted_fed_and_closed),
		T(what_it_cannot_use_yet_waits_until_it_wakes),
		T(its_patience_is_its_own),
		T(a_drain_asks_it_and_its_end_does_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
