/* reach.c - the endpoint's own clock is here, for master may not answer. */
#include <errno.h>
#include <string.h>

#include "relay/hop/reach.h"
#include "sys/counters.h"

static uint64_t	open_cnt;	/* connections of the whole process */

static void
fail(struct reach *r, enum own own)
{
	struct verdict v = verdict_own(own, STAGE_CONNECT);

	timer_stop(&r->timer);
	r->calls->failed(&v, r->endpoint->hop, r->arg);
}

static void
on_accept(int fd, int error, void *arg)
{
	struct reach *r = arg;

	r->connecting = 0;
	timer_stop(&r->timer);
	if (fd != -1)
		r->calls->connected(fd, r->endpoint->hop, r->arg);
	else
		fail(r, error == ECONNREFUSED ? OWN_connect_refused :
		    error == ENOENT ? OWN_no_such_socket :
		    OWN_connect_failed);
}

static void
on_time(struct timer *t, void *arg)
{
	struct reach *r = arg;

	if (r->connecting != 0)
		r->endpoint->cancel(r->endpoint, r->connecting);
	r->connecting = 0;
	fail(r, OWN_connect_late);
}

static void
on_later(struct later *l, void *arg)
{
	fail(arg, OWN_no_memory);
}

static void
connect_now(struct reach *r)
{
	r->connecting = r->endpoint->open(r->endpoint, on_accept, r);
	if (r->connecting == 0)
		later_call(&r->later);
	else
		timer_set(&r->timer, r->dial.target->connect_ms);
}

static void
on_place(struct place *p, void *arg)
{
	connect_now(arg);
}

static void
connect_endpoint(struct reach *r)
{
	enum err e = place_take(&r->dial.place, r->dial.target->places, 0);

	if (e == OK)
		connect_now(r);
	else if (e != ERR_AGAIN)
		later_call(&r->later);
}

void
reach_init(struct reach *r, struct ev_loop *loop, struct resolve *resolve,
    const struct dial_target *target, const struct hop_endpoint *endpoint,
    const struct dial_calls *calls, void *arg)
{
	dial_init(&r->dial, loop, resolve, target, calls, arg);
	r->endpoint = endpoint;
	r->calls = calls;
	r->arg = arg;
	r->connecting = 0;
	timer_init(&r->timer, loop, on_time, r);
	later_init(&r->later, loop, on_later, r);
	if (endpoint == NULL)
		return;
	r->dial.place.given = on_place;
	r->dial.place.given_arg = r;
}

void
reach_stop(struct reach *r)
{
	timer_stop(&r->timer);
	later_stop(&r->later);
	if (r->connecting != 0)
		r->endpoint->cancel(r->endpoint, r->connecting);
	r->connecting = 0;
	if (place_waits(&r->dial.place))
		place_leave(&r->dial.place);
}

void
reach_fini(struct reach *r)
{
	reach_stop(r);
	dial_fini(&r->dial);
}

void
reach_start(struct reach *r)
{
	if (r->endpoint != NULL)
		connect_endpoint(r);
	else
		dial_start(&r->dial);
}

void
reach_next(struct reach *r)
{
	dial_next(&r->dial);
}

void
reach_again(struct reach *r)
{
	if (r->endpoint != NULL)
		connect_endpoint(r);
	else
		dial_again(&r->dial);
}

bool
reach_has_more(const struct reach *r)
{
	return dial_has_more(&r->dial);
}

struct place *
reach_place(struct reach *r)
{
	return &r->dial.place;
}

void
reach_opened(void)
{
	counter_add(COUNTER_connected, 1);
	counter_set(COUNTER_connections, ++open_cnt);
}

void
reach_closed(void)
{
	counter_set(COUNTER_connections, --open_cnt);
}
