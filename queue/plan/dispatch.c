/*
 * dispatch.c - whose turn it is.  A destination belongs to one lane by hash.
 * Whatever makes a slot or a delivery free calls for a pump, which runs once at
 * the end of the turn: round robin over the destinations of each lane, and in
 * due.c over their tenants.
 */
#include <stdlib.h>
#include <string.h>

#include "queue/plan/dispatch_inside.h"
#include "queue/plan/suspect.h"

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

static struct lane *
lane_of(struct dispatch *ds, const struct destination *d)
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
	if (d->lane == NULL && (l = lane_of(ds, d)) != NULL)
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

static void
relane(struct destination *d, void *arg)
{
	struct lane *to = dispatch_is_suspended(d) ? NULL : lane_of(arg, d);

	if (to == NULL || to == d->lane)
		return;
	if (d->lane != NULL)
		dispatch_unready(d);
	lane_set(d, to);
	dispatch_ready(d, arg);
}

void
dispatch_relane(struct dispatch *ds)
{
	struct worker *w;

	LIST_FOREACH(w, &ds->workers, entry)
		suspect_scatter(w);
	due_each(ds->queue->due, relane, ds);
	dispatch_pump(ds);
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
 * After our restart a worker that is being replaced may still run what its
 * successor would be given: nobody of a block gets anything before each that
 * is linked has said what it runs.
 */
static bool
is_block_listed(const struct dispatch *ds, const char *relay)
{
	const struct worker *w;

	LIST_FOREACH(w, &ds->workers, entry)
		if (w->link != NULL && !w->is_listed &&
		    strcmp(w->peer.block, relay) == 0)
			return false;
	return true;
}

/*
 * Give one of its deliveries out; where it must wait, what ends that has it
 * put into a ring again.  Taking one may free the destination, and is no news
 * for those that rest at its host: they are looked for.
 */
static void
serve(struct lane *l, struct destination *d)
{
	int64_t now_ms = ev_now_ms(l->queue->loop);
	enum destination_rank rank = destination_rank(d, now_ms);
	int64_t patience_ms = d->patience_ms > 0 ? d->patience_ms :
	    LANE_PATIENCE_MS;
	struct host *h = d->host;
	struct delivery *dl;

	if (dispatch_is_suspended(d) || !destination_may_send(d, now_ms))
		return;
	if (h != NULL && !host_may_send(h, now_ms, lane_host_share(l))) {
		host_rest(d);
		return;
	}
	if (h != NULL)
		h->linked_cnt++;	/* keeps it */
	if ((dl = due_take(l->queue->due, d)) != NULL) {
		dispatch_start(l->worker, dl, rank, patience_ms);
		lane_put(d, now_ms);
	}
	if (h != NULL) {
		h->linked_cnt--;
		host_look(h);
	}
}

static void
pump_lane(struct dispatch *ds, struct lane *l)
{
	struct destination *d;

	if (!route_has_relay(ds->queue->settings.routes, l->relay)) {
		dispatch_judge_lane(l);
		return;
	}
	if (l->worker == NULL || l->worker->link == NULL ||
	    !is_block_listed(ds, l->relay))
		return;
	if (l->worker != NULL)
		suspect_pump(l->worker);
	while ((d = lane_next(l)) != NULL)
		serve(l, d);
	dispatch_press(l);
}

static void
pump(struct later *later, void *arg)
{
	struct dispatch *ds = arg;
	struct lane *l;

	if (ds->queue->is_draining)
		return;
	LIST_FOREACH(l, &ds->lanes, entry)
		pump_lane(ds, l);
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

uint64_t
dispatch_active_cnt(const struct dispatch *ds)
{
	return ds->active_cnt;
}

enum err
dispatch_open(struct dispatch **out, struct queue *q)
{
	struct dispatch *ds = calloc(1, sizeof(*ds));

	if (ds == NULL)
		return ERR_SYS;
	ds->queue = q;
	LIST_INIT(&ds->workers);
	LIST_INIT(&ds->lanes);
	later_init(&ds->pump, q->loop, pump, ds);
	expire_open(&ds->expire, q);
	dispatch_watch_strays(ds);
	*out = ds;
	return OK;
}

void
dispatch_close(struct dispatch **d)
{
	struct dispatch *ds = *d;
	struct worker *w;
	struct lane *l;

	if (ds == NULL)
		return;
	later_stop(&ds->pump);
	expire_close(&ds->expire);
	timer_stop(&ds->strays);
	while ((w = LIST_FIRST(&ds->workers)) != NULL) {
		LIST_REMOVE(w, entry);
		link_close(&w->link);
		suspect_left(w, w->suspect);
		free(w);
	}
	while ((l = LIST_FIRST(&ds->lanes)) != NULL) {
		LIST_REMOVE(l, entry);
		lane_fini(l);
		free(l);
	}
	free(ds);
	*d = NULL;
}

struct link *
dispatch_link_of(void *arg, const char *relay, const void **worker)
{
	struct dispatch *ds = arg;
	struct worker *w, *best = NULL;

	LIST_FOREACH(w, &ds->workers, entry)
		if (w->link != NULL && w->is_listed &&
		    strcmp(w->peer.block, relay) == 0 &&
		    (best == NULL || best->said_slots == 0))
			best = w;
	*worker = best;
	return best == NULL ? NULL : best->link;
}
