/*
 * dispatch_back.c - deliveries that a relay gives back untried: it found their
 * host busy or just failed, or we asked for them, because others wait for the
 * share of slots that they hang in.
 */
#include "queue/plan/dispatch_inside.h"
#include "queue/to_relay.h"

#define PRESS_MS	100	/* how often the hanging are looked for */

static bool
may_be_recalled(const struct lane *l, const struct delivery *dl,
    int64_t now_ms)
{
	return dl->state == DELIVERY_RUNNING && !dl->is_recalled &&
	    dl->rank >= RANK_NEW && dl->rank <= RANK_STUCK &&
	    now_ms - dl->started_ms >= dl->patience_ms;
}

/* The oldest first, no more of a rank than wait for its share. */
static void
press(struct timer *t, void *arg)
{
	struct lane *l = arg;
	int64_t now_ms = ev_now_ms(l->queue->loop);
	unsigned wanted[RANK__COUNT];
	struct delivery *dl;

	if (l->worker == NULL)
		return;
	for (unsigned i = 0; i < RANK__COUNT; i++)
		wanted[i] = lane_pressed(l, i);
	TAILQ_FOREACH(dl, &l->worker->running, entry) {
		if (wanted[dl->rank] == 0 || !may_be_recalled(l, dl, now_ms))
			continue;
		wanted[dl->rank]--;
		dl->is_recalled = true;
		to_relay_recall(l->worker, dl);
	}
	dispatch_press(l);
}

void
dispatch_press(struct lane *l)
{
	unsigned wanted = 0;

	for (unsigned i = RANK_NEW; i <= RANK_STUCK; i++)
		wanted += lane_pressed(l, i);
	if (wanted == 0)
		return;
	if (l->press.fn == NULL)
		timer_init(&l->press, l->queue->loop, press, l);
	if (!timer_running(&l->press))
		timer_set(&l->press, PRESS_MS);
}

/* Only what it was asked for may come from no host. */
static bool
makes_sense(const struct delivery *dl, const struct msg_delivery_back *m)
{
	if (dl->state == DELIVERY_SETTLING || dl->is_done)
		return false;
	return m->why == BACK_RECALLED ? dl->is_recalled : m->host != 0;
}

/* For now: others wait.  One that was only looked up may have been answered. */
static void
give_up(struct destination *d, bool no_host)
{
	d->has_fresh |= no_host && d->patience_ms == 0;
	destination_slow(d);
}

enum err
dispatch_back(struct worker *w, const struct msg_delivery_back *m)
{
	struct delivery *dl = dispatch_under_way(w, m->id, m->delivery,
	    m->attempt);
	struct destination *d;

	if (dl == NULL)
		return OK;
	if (!makes_sense(dl, m))
		return ERR_PEER;
	dl->came_to = m->host;
	dispatch_release(w->queue, dl, NEWS_NONE);
	d = due_destination(dl);
	if (d != NULL && m->why == BACK_RECALLED)
		give_up(d, m->host == 0);
	if (d != NULL && d->host != NULL && m->why != BACK_RECALLED)
		host_refuses(d->host);
	if (dl->state == DELIVERY_RUNNING)
		due_put_back(w->queue->due, &dl);
	return OK;
}
