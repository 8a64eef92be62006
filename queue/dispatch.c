/*
 * dispatch.c - whose turn it is.  A destination belongs to one lane by hash.
 * Whatever makes a slot or a delivery free calls for a pump, which runs once at
 * the end of the turn: round robin over the destinations of each lane, and in
 * due.c over their tenants.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "queue/dispatch_inside.h"
#include "queue/outcome.h"
#include "queue/to_relay.h"
#include "sys/clock.h"

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
	    wire_crc(0, d->name, strlen(d->name)) % cnt);
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

static void
count(struct delivery *dl, struct destination *d)
{
	destination_sent(d);
	dl->is_counted = true;
}

static uint64_t
mint_attempt(struct dispatch *ds)
{
	uint64_t attempt = (uint64_t)clock_wall_ms() << 20;

	if (attempt <= ds->last_attempt)
		attempt = ds->last_attempt + 1;
	return ds->last_attempt = attempt;
}

static void
log_dispatched(const struct delivery *dl)
{
	struct log_line l;

	log_begin(&l, LOG_dispatched);
	log_id(&l, LOG_KEY_id, dl->place.id);
	log_num(&l, LOG_KEY_delivery, dl->place.no);
	log_num(&l, LOG_KEY_attempt, (int64_t)dl->attempt);
	log_str(&l, LOG_KEY_relay, dl->envelope->delivery.relay);
	log_str(&l, LOG_KEY_destination, dl->envelope->delivery.destination);
	log_num(&l, LOG_KEY_rcpts, dl->envelope->rcpt_cnt);
	log_end(&l);
}

static void
send_out(struct queue *q, struct delivery *dl)
{
	struct worker *w = dl->worker;

	if (w == NULL || w->link == NULL || !w->is_listed) {
		dispatch_put_back(q, dl);
		return;
	}
	dl->state = DELIVERY_RUNNING;
	dl->attempt = mint_attempt(q->dispatch);
	dl->worker_no = w->peer.no;
	to_relay_open(w, dl);
	log_dispatched(dl);
}

static void
undue_done(struct store_op *op, enum err e, void *arg)
{
	struct store_undue *u = (struct store_undue *)op;

	free(u);
}

/* Its row leads to nothing, or to something damaged: take the row away. */
static void
abandon(struct queue *q, struct delivery *dl)
{
	struct span flow = due_flow(dl);
	struct store_undue *u;

	dispatch_release(q, dl, NEWS_NONE);
	if (flow.len > 0 && dl->place.due_ms != 0 &&
	    (u = calloc(1, sizeof(*u) + flow.len)) != NULL) {
		memcpy(u + 1, flow.ptr, flow.len);
		u->flow = (struct span){ (char *)(u + 1), flow.len };
		u->place = dl->place;
		store_undue(q->store, u, undue_done, NULL);
	}
	due_forget(q->due, &dl);
}

/* A delivery that a relay runs since before our start. */
static void
adopt_loaded(struct queue *q, struct delivery *dl, enum err e)
{
	if (e != OK || !due_attach(q->due, dl, dl->envelope)) {
		/* Its results may be here already, its worker let go. */
		dispatch_settled(q, dl);
		abandon(q, dl);
		return;
	}
	if (dl->worker == NULL && !dl->is_done) {	/* it died meanwhile */
		due_put_back(q->due, &dl);
		return;
	}
	dl->state = DELIVERY_RUNNING;
	if (dl->worker != NULL)
		count(dl, due_destination(dl));
	if (dl->is_done)
		outcome_begin(q, dl);
}

static void
loaded(struct store_op *op, enum err e, void *arg)
{
	struct queue *q = arg;
	struct store_read_envelope *r = (struct store_read_envelope *)op;
	struct delivery *dl = (struct delivery *)((char *)r -
	    offsetof(struct delivery, load));

	dl->envelope = r->envelope;
	if (dl->state == DELIVERY_ADOPTING)
		adopt_loaded(q, dl, e);
	else if (e == ERR_SYS)
		dispatch_put_back(q, dl);
	else if (e != OK)
		abandon(q, dl);
	else if ((int64_t)dl->envelope->delivery.due_ms != dl->place.due_ms)
		abandon(q, dl);		/* the row was from an old snapshot */
	else if (dl->is_expiring || dl->envelope->rcpt_cnt == 0)
		outcome_expired(q, dl);
	else
		send_out(q, dl);
}

void
dispatch_load(struct queue *q, struct delivery *dl)
{
	dl->load.id = dl->place.id;
	dl->load.no = dl->place.no;
	store_read_envelope(q->store, &dl->load, loaded, q);
}

static void
start(struct worker *w, struct destination *d, struct delivery *dl)
{
	dl->worker = w;
	TAILQ_INSERT_TAIL(&w->running, dl, entry);
	w->used++;
	count(dl, d);
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

static void
pump_lane(struct dispatch *ds, struct lane *l)
{
	struct destination *d;
	struct delivery *dl;

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
		start(l->worker, d, dl);
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
