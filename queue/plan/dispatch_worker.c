/*
 * dispatch_worker.c - which relay processes there are, and what each has.  One
 * that is new under an old number had died, and all it had is with us again.
 */
#include <stdlib.h>

#include "base/log.h"
#include "queue/plan/dispatch_inside.h"
#include "queue/plan/outcome.h"
#include "queue/plan/suspect.h"
#include "queue/to_relay.h"

/*
 * All that this process had under way is with us again.  died: it fell over
 * with them, which each delivery counts.
 */
static void
take_back(struct worker *w, bool died)
{
	struct queue *q = w->queue;
	struct delivery *dl, *next;

	TAILQ_FOREACH_SAFE(dl, &w->running, entry, next) {
		bool running = dl->state == DELIVERY_RUNNING;

		dl->has_died = died && dl->state == DELIVERY_ADOPTING;
		dispatch_release(q, dl, NEWS_NONE);
		if (!running)
			continue;	/* its load is still on the way */
		if (died)
			outcome_died(q, dl);
		else
			due_put_back(q->due, &dl);
	}
}

/* New deliveries go to the latest process that has the place. */
static void
choose(struct dispatch *ds, struct lane *l)
{
	struct worker *w;

	l->worker = NULL;
	LIST_FOREACH(w, &ds->workers, entry)
		if (w->lane == l && (l->worker == NULL ||
		    w->peer.no > l->worker->peer.no))
			l->worker = w;
}

static void
relane(struct destination *d, void *arg)
{
	struct lane *to = dispatch_is_suspended(d) ? NULL :
	    dispatch_lane_of(arg, d);

	if (to == NULL || to == d->lane)
		return;
	if (d->lane != NULL)
		dispatch_unready(d);
	lane_set(d, to);
	dispatch_ready(d, arg);
}

/* Find the lanes of all destinations anew: the workers have changed. */
static void
relane_all(struct dispatch *ds)
{
	struct worker *w;

	LIST_FOREACH(w, &ds->workers, entry)
		suspect_scatter(w);
	due_each(ds->queue->due, relane, ds);
	dispatch_pump(ds);
}

struct worker *
dispatch_worker(struct queue *q, const struct link_peer *peer)
{
	struct dispatch *ds = q->dispatch;
	struct worker *w = dispatch_find_worker(ds, peer->no);
	struct lane *lane = dispatch_lane(ds, peer->block, peer->worker,
	    peer->workers > 0 ? peer->workers : 1);

	if (lane == NULL)
		return NULL;
	if (w != NULL) {
		link_close(&w->link);
		if (w->peer.start != peer->start)
			take_back(w, true);
	} else {
		if ((w = calloc(1, sizeof(*w))) == NULL)
			return NULL;
		TAILQ_INIT(&w->running);
		TAILQ_INIT(&w->suspects);
		LIST_INSERT_HEAD(&ds->workers, w, entry);
	}
	w->queue = q;
	w->peer = *peer;
	w->is_listed = false;
	w->claim_cnt = w->false_cnt = 0;
	w->lane = lane;
	choose(ds, lane);
	return w;
}

/* All of them are said again. */
static void
drop_results(struct worker *w, struct delivery *dl)
{
	w->unread -= dl->unread;
	dl->unread = 0;
	w->result_bytes -= dl->result_bytes;
	dl->result_bytes = 0;
	due_drop_results(dl);
	for (uint32_t i = 0; dl->envelope != NULL &&
	    i < dl->envelope->rcpt_cnt; i++)
		dl->envelope->rcpts[i].is_said = false;
}

void
dispatch_linked(struct worker *w, struct link *l)
{
	struct delivery *dl;

	w->link = l;
	TAILQ_FOREACH(dl, &w->running, entry) {
		dl->is_listed = false;
		drop_results(w, dl);	/* they were cut off */
	}
	relane_all(w->queue->dispatch);
}

void
dispatch_unlinked(struct worker *w)
{
	w->link = NULL;
	w->is_listed = false;
	dispatch_pump(w->queue->dispatch);
	queue_rested(w->queue);
}

void
dispatch_gone(struct queue *q, uint32_t no)
{
	struct worker *w = dispatch_find_worker(q->dispatch, no);

	if (w == NULL)
		return;
	take_back(w, false);
	suspect_scatter(w);
	LIST_REMOVE(w, entry);
	choose(q->dispatch, w->lane);
	link_close(&w->link);
	user_lost(&q->users, w);
	free(w);
	relane_all(q->dispatch);
	queue_rested(q);
}

void
dispatch_believe(struct worker *w)
{
	uint32_t most = settings_slots(&w->queue->settings, w->peer.block);

	w->slots = w->said_slots < most ? w->said_slots : most;
}

/* What was sent to it and is not in its list got lost on the way. */
enum err
dispatch_listed(struct worker *w, uint32_t slots)
{
	struct delivery *dl, *next;

	w->said_slots = slots;
	dispatch_believe(w);
	if (w->is_listed) {
		dispatch_pump(w->queue->dispatch);
		return OK;
	}
	w->is_listed = true;
	TAILQ_FOREACH_SAFE(dl, &w->running, entry, next)
		if (!dl->is_listed && dl->state == DELIVERY_RUNNING)
			dispatch_put_back(w->queue, dl);
	dispatch_pump(w->queue->dispatch);
	return OK;
}

bool
dispatch_is_busy(const struct dispatch *ds)
{
	const struct worker *w;

	LIST_FOREACH(w, &ds->workers, entry)
		if (w->link != NULL && !TAILQ_EMPTY(&w->running))
			return true;
	return false;
}
