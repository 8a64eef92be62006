/*
 * dispatch.c - whose turn it is.  A destination belongs to one lane by hash.
 * The pump runs once at the end of a turn in which it was called for: round
 * robin over the destinations of each lane, and in due.c over their tenants.
 */
#include <stdlib.h>
#include <string.h>

#include "queue/plan/dispatch_inside.h"
#include "queue/plan/suspect.h"

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
	ds->on_loaded = dispatch_loaded;
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
		dispatch_not_alone(w, w->suspect);
		free(w);
	}
	while ((l = LIST_FIRST(&ds->lanes)) != NULL) {
		LIST_REMOVE(l, entry);
		host_free_all(&l->hosts);
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
