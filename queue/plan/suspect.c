/*
 * suspect.c - a suspect that waits holds no slot and no envelope, and is no
 * delivery of its destination's under way.
 */
#include <stdlib.h>

#include "queue/plan/suspect.h"

#define DEATH_MS	1000	/* wait after a death			*/
#define ALONE_MS	2000	/* and after one alone; four times that next */
#define HANG_MS		5000	/* more than a death takes; twice that next */

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

int64_t
suspect_alone_ms(unsigned deaths)
{
	int64_t ms = HANG_MS;

	for (unsigned i = SUSPECT_DEATHS_MIN; i < deaths &&
	    i < SUSPECT_DEATHS_MAX - 1; i++)
		ms *= 2;
	return ms;
}

uint32_t
suspect_deaths(uint32_t before, bool was_alone)
{
	bool is_full = !was_alone && before >= SUSPECT_DEATHS_MAX - 2;

	return before == UINT32_MAX || is_full ? before : before + 1;
}

/* It lives, and hangs: the next may begin beside it. */
static void
hangs(struct timer *t, void *arg)
{
	struct worker *w = arg;

	if (w->suspect == NULL)
		return;
	w->suspect->is_suspect = false;
	w->suspect = NULL;
	dispatch_pump(w->queue->dispatch);
}

static void
leave_alone(struct worker *w, struct delivery *dl)
{
	w->suspect = dl;
	dl->is_suspect = true;
	if (w->alone.fn == NULL)
		timer_init(&w->alone, w->queue->loop, hangs, w);
	timer_set(&w->alone,
	    suspect_alone_ms(dl->envelope->delivery.deaths));
}

void
suspect_adopted(struct delivery *dl)
{
	struct worker *w = dl->worker;

	if (w->suspect == NULL &&
	    dl->envelope->delivery.deaths >= SUSPECT_DEATHS_MIN)
		leave_alone(w, dl);
}

bool
suspect_waits(struct queue *q, struct delivery *dl)
{
	struct worker *w = dl->worker;

	if (w == NULL || dl->envelope->delivery.deaths < SUSPECT_DEATHS_MIN)
		return false;
	if (w->suspect == NULL || w->suspect == dl) {
		leave_alone(w, dl);
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
