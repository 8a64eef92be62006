/*
 * dispatch_stray.c - strays, which wait for a relay that is none of ours: they
 * are loaded all the same, a few at a time, and today's routes may want them
 * elsewhere.  One that has no way stays on the disk and is looked at again
 * after a while, or when the routes are others.
 */
#include "base/log.h"
#include "queue/plan/dispatch_inside.h"

#define JUDGING_MAX	64	/* deliveries of no relay loaded at once */
#define STRAYS_MS	300000	/* between two looks at those without a way */

bool
dispatch_is_strange(const struct destination *d, void *arg)
{
	const struct dispatch *ds = arg;

	return !route_has_relay(ds->queue->settings.routes, d->relay);
}

static void
tell_strange(struct lane *l)
{
	struct log_line line;

	if (l->logged_strange)
		return;
	l->logged_strange = true;
	log_begin(&line, LOG_trouble);
	log_text(&line, LOG_KEY_relay, l->relay);
	log_text(&line, LOG_KEY_why, "deliveries wait for a relay that is no "
	    "longer configured, and no route leads elsewhere");
	log_end(&line);
}

void
dispatch_judged(struct dispatch *ds)
{
	ds->judging_cnt--;
	dispatch_pump(ds);
}

/* Its flow has gone on behind it; a rescan takes it once more. */
void
dispatch_strand(struct queue *q, struct delivery *dl)
{
	struct destination *d = due_destination(dl);

	if (d != NULL && d->lane != NULL)
		tell_strange(d->lane);
	if (!q->dispatch->has_stuck)
		timer_set(&q->dispatch->strays, STRAYS_MS);
	q->dispatch->has_stuck = true;
	due_forget(q->due, &dl);
}

void
dispatch_judge_lane(struct lane *l)
{
	struct dispatch *ds = l->queue->dispatch;
	struct destination *d;
	struct delivery *dl;

	while (ds->judging_cnt < JUDGING_MAX && (d = lane_any(l)) != NULL) {
		if ((dl = due_take(ds->queue->due, d)) == NULL)
			continue;
		lane_put(d, ev_now_ms(ds->queue->loop));
		dl->is_stray = true;
		ds->judging_cnt++;
		dispatch_load(ds->queue, dl);
	}
}

/* A host that is down is no reason to wait for who is only judged. */
static void
see_strange(struct destination *d, void *arg)
{
	struct dispatch *ds = arg;
	bool before = d->is_strange;

	d->is_strange = dispatch_is_strange(d, ds);
	ds->has_stuck |= before || d->is_strange;
	if (d->is_strange && d->is_resting) {
		host_unlink(d);
		dispatch_ready(d, ds);
	}
	if (dispatch_is_suspended(d) && d->lane != NULL)
		dispatch_unready(d);
}

/* What strays, or is no stray any more, is found by reading all once more. */
static void
look_for_strays(struct dispatch *ds)
{
	if (!ds->has_stuck)
		return;
	ds->has_stuck = false;
	due_start(ds->queue->due);
}

void
dispatch_reload(struct dispatch *ds)
{
	struct worker *w;
	struct lane *l;

	LIST_FOREACH(w, &ds->workers, entry)
		dispatch_believe(w);
	LIST_FOREACH(l, &ds->lanes, entry)
		l->logged_strange = false;
	due_each(ds->queue->due, see_strange, ds);
	look_for_strays(ds);
	dispatch_pump(ds);
}

bool
dispatch_has_strays(const struct dispatch *ds)
{
	return ds->has_stuck;
}

static void
look_at_strays(struct timer *t, void *arg)
{
	struct dispatch *ds = arg;

	timer_set(&ds->strays, STRAYS_MS);
	look_for_strays(ds);
}

void
dispatch_watch_strays(struct dispatch *ds)
{
	timer_init(&ds->strays, ds->queue->loop, look_at_strays, ds);
	timer_set(&ds->strays, STRAYS_MS);
}
