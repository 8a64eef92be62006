/*
 * dispatch_ring.c - which lane a destination takes turns in, if it is in any,
 * and what puts it there.  Whatever makes a slot or a delivery free calls for a
 * pump, which is dispatch.c's and runs at the end of the turn.
 */
#include <stdlib.h>
#include <string.h>

#include "queue/plan/dispatch_inside.h"

static void
on_ready(struct destination *d)
{
	dispatch_ready(d, d->dispatch);
}

struct lane *
dispatch_lane(struct dispatch *ds, const char *relay, unsigned no,
    unsigned cnt)
{
	struct lane *l;

	LIST_FOREACH(l, &ds->lanes, entry)
		if (l->no == no && l->cnt == cnt &&
		    strcmp(l->relay, relay) == 0)
			return l;
	if ((l = calloc(1, sizeof(*l))) == NULL)
		return NULL;
	lane_init(l, ds->queue, relay, no, cnt);
	l->on_ready = on_ready;
	LIST_INSERT_HEAD(&ds->lanes, l, entry);
	return l;
}

/* How many workers the block has: the latest of its processes knows. */
static unsigned
workers_of(struct dispatch *ds, const char *relay)
{
	const struct worker *w, *latest = NULL;

	LIST_FOREACH(w, &ds->workers, entry)
		if (strcmp(w->peer.block, relay) == 0 &&
		    (latest == NULL || w->peer.no > latest->peer.no))
			latest = w;
	return latest != NULL ? latest->lane->cnt : 1;
}

struct lane *
dispatch_lane_of(struct dispatch *ds, const struct destination *d)
{
	unsigned cnt = workers_of(ds, d->relay);

	return dispatch_lane(ds, d->relay, lane_no(d->name, cnt), cnt);
}

/* The pause of a destination is over. */
static void
probe(struct timer *t, void *arg)
{
	struct destination *d = arg;

	if (d->flow_cnt > 0 || d->running > 0)
		dispatch_ready(d, d->dispatch);
}

bool
dispatch_is_suspended(const struct destination *d)
{
	return d->is_suspended && !d->is_strange;
}

void
dispatch_ready(struct destination *d, void *arg)
{
	struct dispatch *ds = arg;
	struct lane *l;

	if (d->dispatch == NULL) {
		d->dispatch = ds;
		timer_init(&d->probe, ds->queue->loop, probe, d);
		d->is_suspended = suspension_of(ds->queue->suspensions,
		    d->relay, d->name) != NULL;
	}
	if (dispatch_is_suspended(d))
		return;
	if (d->lane == NULL && (l = dispatch_lane_of(ds, d)) != NULL)
		lane_set(d, l);
	if (d->lane == NULL || d->is_resting)
		return;
	lane_put(d, ev_now_ms(ds->queue->loop));
	dispatch_pump(ds);
}

void
dispatch_unready(struct destination *d)
{
	lane_remove(d);
	host_unlink(d);
	lane_set(d, NULL);
}

void
dispatch_vanish(struct destination *d, void *arg)
{
	if (d->lane != NULL)
		dispatch_unready(d);
	timer_stop(&d->probe);
}

void
dispatch_pump(struct dispatch *ds)
{
	later_call(&ds->pump);
}

void
dispatch_retry(struct queue *q, struct destination *d)
{
	int64_t now_ms = ev_now_ms(q->loop);

	if (d->dispatch == NULL)
		return;
	if (d->host != NULL && d->host->standing.state == STANDING_DOWN) {
		d->host->standing.next_try_ms = now_ms;
		host_look(d->host);
	}
	if (d->standing.state == STANDING_DOWN) {
		d->standing.next_try_ms = now_ms;
		timer_set(&d->probe, 0);
	}
}

/*
 * What is suspended is in no lane, where it would count as one that takes its
 * share, and rests at no host, where it would be woken in place of another.
 * What goes on is tried at once, for what was known
 * of it is old, and has its turn as all others.
 */
static void
see_suspended(struct destination *d, void *arg)
{
	struct dispatch *ds = arg;
	bool before = d->is_suspended;

	d->is_suspended = suspension_of(ds->queue->suspensions, d->relay,
	    d->name) != NULL;
	if (d->is_suspended == before)
		return;
	if (dispatch_is_suspended(d)) {
		if (d->lane != NULL)
			dispatch_unready(d);
	} else if (before) {
		dispatch_retry(ds->queue, d);
		if (d->flow_cnt > 0)
			dispatch_ready(d, ds);
	}
}

void
dispatch_suspend(struct dispatch *ds)
{
	due_each(ds->queue->due, see_suspended, ds);
	dispatch_pump(ds);
}
