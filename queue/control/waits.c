/*
 * waits.c - the first of these that holds: a relay that there is not, one that
 * does not run, a destination that is down, and one that has all it takes.
 */
#include "queue/control/waits.h"
#include "queue/plan/host.h"
#include "queue/plan/lane.h"
#include "queue/plan/suspend.h"
#include "queue/plan/suspension.h"
#include "sys/clock.h"

static uint64_t
wall_of(const struct queue *q, int64_t mono_ms)
{
	return (uint64_t)(clock_wall_ms() + mono_ms - ev_now_ms(q->loop));
}

static void
find_suspension(const struct queue *q, const struct record_delivery *d,
    struct waits_for *out)
{
	char relay[BLOCK_NAME_MAX + 1], name[DOMAIN_MAX + 1];
	const struct suspension *s;

	if (!span_cstr(d->relay, relay, sizeof(relay)) ||
	    !span_cstr(d->destination, name, sizeof(name)) ||
	    (s = suspension_of(q->suspensions, relay, name)) == NULL)
		return;
	out->who = s->who;
	out->reason = s->reason;
}

/* Its own, or that of its host, which is down for all behind it. */
static const struct standing *
standing_of(const struct destination *d)
{
	return d->host != NULL && d->host->standing.state != STANDING_UP ?
	    &d->host->standing : &d->standing;
}

static bool
is_busy(const struct destination *d, int64_t now_ms)
{
	return d->is_resting || (d->running > 0 &&
	    !destination_may_send(d, now_ms));
}

void
waits_find(const struct queue *q, const struct record_delivery *d,
    struct waits_for *out)
{
	const struct destination *to;
	const struct standing *s;
	char relay[BLOCK_NAME_MAX + 1];

	*out = (struct waits_for){ .who = "", .reason = "",
	    .suspended_ms = suspend_since_ms(q, d) };
	if (out->suspended_ms > 0)
		find_suspension(q, d, out);
	if (!span_cstr(d->relay, relay, sizeof(relay)) ||
	    !route_has_relay(q->settings.routes, relay)) {
		out->what = WAITS_RELAY;
		return;
	}
	to = due_find_destination(q->due, d->relay, d->destination);
	if (to == NULL)
		return;
	s = standing_of(to);
	if (to->lane == NULL || to->lane->worker == NULL)
		out->what = WAITS_AWAY;
	else if (s->state != STANDING_UP) {
		out->what = WAITS_DOWN;
		out->down_ms = wall_of(q, s->down_ms);
		if (s->state == STANDING_DOWN)
			out->probe_ms = wall_of(q, s->next_try_ms);
	} else if ((int64_t)d->due_ms <= clock_wall_ms() &&
	    is_busy(to, ev_now_ms(q->loop)))
		out->what = WAITS_BUSY;
}
