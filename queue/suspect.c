/*
 * suspect.c - a suspect that waits holds no slot and no envelope, and is no
 * delivery of its destination's under way.
 */
#include <stdlib.h>

#include "queue/suspect.h"

#define DEATH_MS	1000	/* wait after a death			*/
#define ALONE_MS	2000	/* and after one alone; four times that next */

int64_t
suspect_delay_ms(unsigned deaths)
{
	int64_t ms = ALONE_MS;

	if (deaths <= SUSPECT_DEATHS_MIN)
		return DEATH_MS;
	for (unsigned i = SUSPECT_DEATHS_MIN + 1; i < deaths &&
	    i < SUSPECT_DEATHS_MAX; i++)
		ms *= 4;
	return ms;
}

bool
suspect_waits(struct queue *q, struct delivery *dl)
{
	struct worker *w = dl->worker;

	if (w == NULL || dl->envelope->delivery.deaths < SUSPECT_DEATHS_MIN)
		return false;
	if (w->suspect == NULL)
		w->suspect = dl;
	if (w->suspect == dl) {
		dl->is_suspect = true;
		return false;
	}
	dispatch_release(q, dl, NEWS_NONE);
	free(dl->envelope);
	dl->envelope = NULL;
	due_wait_in(dl, &w->suspects, DELIVERY_SUSPECT);
	return true;
}

static bool
has_room(const struct worker *w)
{
	return w->link != NULL && w->is_listed && w->used < w->slots;
}

static bool
may_go(const struct destination *d, int64_t now_ms)
{
	return d != NULL && d->lane != NULL && !dispatch_is_suspended(d) &&
	    destination_may_send(d, now_ms) && (d->host == NULL ||
	    host_may_send(d->host, now_ms, lane_host_share(d->lane)));
}

void
suspect_pump(struct worker *w)
{
	struct queue *q = w->queue;
	int64_t now_ms = ev_now_ms(q->loop);
	struct delivery *dl, *next;

	if (!has_room(w) || w->suspect != NULL)
		return;
	TAILQ_FOREACH_SAFE(dl, &w->suspects, entry, next) {
		struct destination *d = due_destination(dl);

		if (!may_go(d, now_ms))
			continue;
		due_pick(q->due, dl);
		w->suspect = dl;
		dispatch_start(w, dl, destination_rank(d, now_ms),
		    LANE_PATIENCE_MS);
		return;
	}
}

void
suspect_scatter(struct worker *w)
{
	struct delivery *dl;

	while ((dl = TAILQ_FIRST(&w->suspects)) != NULL)
		due_put_back(w->queue->due, &dl);
}
