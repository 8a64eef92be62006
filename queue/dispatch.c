/*
 * dispatch.c - whose turn it is.  A destination belongs to one lane by hash.
 * Whatever makes a slot or a delivery free calls for a pump, which runs once at
 * the end of the turn: round robin over the destinations of each lane, and in
 * due.c over their tenants.
 */
#include <stdlib.h>
#include <string.h>

#include "base/crc.h"
#include "base/log.h"
#include "queue/dispatch_inside.h"
#include "sys/clock.h"
#include "sys/counters.h"

#define AGE_LOOK_MS	30000	/* how often the old are looked for	*/
#define AGE_BATCH	64	/* of them given up at a time		*/

struct lane *
dispatch_lane(struct dispatch *ds, const char *relay, unsigned no)
{
	struct lane *l;

	LIST_FOREACH(l, &ds->lanes, entry)
		if (l->no == no && strcmp(l->relay, relay) == 0)
			return l;
	if ((l = calloc(1, sizeof(*l))) == NULL)
		return NULL;
	strlcpy(l->relay, relay, sizeof(l->relay));
	l->no = no;
	TAILQ_INIT(&l->ready);
	LIST_INSERT_HEAD(&ds->lanes, l, entry);
	return l;
}

/* How many workers the block has, as far as they have shown themselves. */
static unsigned
workers_of(struct dispatch *ds, const char *relay)
{
	struct worker *w;

	LIST_FOREACH(w, &ds->workers, entry)
		if (strcmp(w->peer.block, relay) == 0 && w->peer.workers > 0)
			return w->peer.workers;
	return 1;
}

static struct lane *
lane_of(struct dispatch *ds, const struct destination *d)
{
	unsigned cnt = workers_of(ds, d->relay);

	return dispatch_lane(ds, d->relay,
	    crc_of(0, d->name, strlen(d->name)) % cnt);
}

static void
unready(struct destination *d)
{
	if (d->is_ready)
		TAILQ_REMOVE(&d->lane->ready, d, ready);
	d->is_ready = false;
}

/* The pause of a destination is over. */
static void
probe(struct timer *t, void *arg)
{
	struct destination *d = arg;
	struct dispatch *ds = d->dispatch;

	if (d->flow_cnt == 0 && d->running == 0) {
		d->state = DESTINATION_ALIVE;
		due_tidy(ds->queue->due, d);
		return;
	}
	dispatch_ready(d, ds);
}

void
dispatch_ready(struct destination *d, void *arg)
{
	struct dispatch *ds = arg;

	if (d->dispatch == NULL) {
		d->dispatch = ds;
		timer_init(&d->probe, ds->queue->loop, probe, d);
	}
	if (d->lane == NULL && (d->lane = lane_of(ds, d)) == NULL)
		return;
	if (!d->is_ready)
		TAILQ_INSERT_TAIL(&d->lane->ready, d, ready);
	d->is_ready = true;
	dispatch_pump(ds);
}

void
dispatch_vanish(struct destination *d, void *arg)
{
	unready(d);
	timer_stop(&d->probe);
}

static void
relane(struct destination *d, void *arg)
{
	struct lane *to = lane_of(arg, d);

	if (to == NULL || to == d->lane)
		return;
	unready(d);
	d->lane = to;
	dispatch_ready(d, arg);
}

void
dispatch_relane(struct dispatch *ds)
{
	due_each(ds->queue->due, relane, ds);
	dispatch_pump(ds);
}

void
dispatch_pump(struct dispatch *ds)
{
	later_call(&ds->pump);
}

void
dispatch_release(struct queue *q, struct delivery *dl,
    enum destination_news news)
{
	struct destination *d = due_destination(dl);
	struct worker *w = dl->worker;

	if (w != NULL) {
		TAILQ_REMOVE(&w->running, dl, entry);
		w->used--;
		dl->worker = NULL;
		counter_set(COUNTER_active, --q->dispatch->active_cnt);
	}
	dispatch_pump(q->dispatch);
	if (d == NULL || !dl->is_counted)
		return;
	dl->is_counted = false;
	destination_heard(d, news, ev_now_ms(q->loop),
	    q->settings.retry.cap_ms);
	if (d->state == DESTINATION_DOWN)
		timer_set(&d->probe, d->next_try_ms - ev_now_ms(q->loop));
	else
		dispatch_ready(d, q->dispatch);
}

void
dispatch_hold_slot(struct worker *w, struct delivery *dl)
{
	dl->worker = w;
	TAILQ_INSERT_TAIL(&w->running, dl, entry);
	w->used++;
	counter_set(COUNTER_active, ++w->queue->dispatch->active_cnt);
}

void
dispatch_count(struct delivery *dl)
{
	destination_sent(due_destination(dl));
	dl->is_counted = true;
}

void
dispatch_release_untried(struct queue *q, struct delivery *dl)
{
	dispatch_release(q, dl, NEWS_NONE);
}

void
dispatch_put_back(struct queue *q, struct delivery *dl)
{
	dispatch_release(q, dl, NEWS_NONE);
	due_put_back(q->due, &dl);
}

void
dispatch_unpark(struct queue *q, struct delivery *dl)
{
	if (dl->is_parked)
		dispatch_load(q, dl);
}

void
dispatch_reread(struct queue *q, struct delivery *dl)
{
	dispatch_put_back(q, dl);
}

void
dispatch_retry(struct queue *q, struct destination *d)
{
	if (d->state != DESTINATION_DOWN || d->dispatch == NULL)
		return;
	d->next_try_ms = ev_now_ms(q->loop);
	timer_set(&d->probe, 0);
}

static void
start(struct worker *w, struct delivery *dl)
{
	dispatch_hold_slot(w, dl);
	dispatch_count(dl);
	dispatch_load(w->queue, dl);
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

static bool
has_room(const struct lane *l)
{
	const struct worker *w = l->worker;

	return w != NULL && w->link != NULL && w->is_listed &&
	    w->used < w->slots;
}

/* Deliveries whose relay is configured no more stay, until it is back. */
static void
tell_strange(const struct dispatch *ds, struct lane *l)
{
	struct log_line line;

	if (l->told_strange || TAILQ_EMPTY(&l->ready) ||
	    route_has_relay(ds->queue->settings.routes, l->relay))
		return;
	l->told_strange = true;
	log_begin(&line, LOG_trouble);
	log_text(&line, LOG_KEY_relay, l->relay);
	log_text(&line, LOG_KEY_why,
	    "deliveries wait for a relay that is configured no more");
	log_end(&line);
}

static void
pump_lane(struct dispatch *ds, struct lane *l)
{
	struct destination *d;
	struct delivery *dl;

	tell_strange(ds, l);
	if (!is_block_listed(ds, l->relay))
		return;
	while (has_room(l) && (d = TAILQ_FIRST(&l->ready)) != NULL) {
		unready(d);
		if (!destination_may_send(d, ev_now_ms(ds->queue->loop)))
			continue;	/* ready again when that changes */
		if ((dl = due_take(ds->queue->due, d)) == NULL)
			continue;
		TAILQ_INSERT_TAIL(&l->ready, d, ready);
		d->is_ready = true;
		start(l->worker, dl);
	}
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

void
dispatch_reload(struct dispatch *ds)
{
	struct lane *l;

	LIST_FOREACH(l, &ds->lanes, entry)
		l->told_strange = false;
	dispatch_pump(ds);
}

uint64_t
dispatch_active_cnt(const struct dispatch *ds)
{
	return ds->active_cnt;
}

/* A destination that is down tries few: the rest must still grow old. */
static void
age(struct destination *d, void *arg)
{
	struct dispatch *ds = arg;
	struct queue *q = ds->queue;
	struct delivery *dl;

	if (q->is_draining || (d->state == DESTINATION_ALIVE &&
	    d->lane != NULL && d->lane->worker != NULL))
		return;
	for (int i = 0; i < AGE_BATCH; i++) {
		dl = due_take_old(q->due, d, q->settings.retry.lifetime_ms);
		if (dl == NULL)
			return;
		dl->is_expiring = true;
		dispatch_load(q, dl);
	}
}

static void
look_at_ages(struct timer *t, void *arg)
{
	struct dispatch *ds = arg;

	timer_set(&ds->age, AGE_LOOK_MS);
	due_each(ds->queue->due, age, ds);
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
	timer_init(&ds->age, q->loop, look_at_ages, ds);
	timer_set(&ds->age, AGE_LOOK_MS);
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
	timer_stop(&ds->age);
	while ((w = LIST_FIRST(&ds->workers)) != NULL) {
		LIST_REMOVE(w, entry);
		link_close(&w->link);
		free(w);
	}
	while ((l = LIST_FIRST(&ds->lanes)) != NULL) {
		LIST_REMOVE(l, entry);
		free(l);
	}
	free(ds);
	*d = NULL;
}
