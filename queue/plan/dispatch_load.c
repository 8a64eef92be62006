/*
 * dispatch_load.c - between a row that is due and the relay: the envelope is
 * read, and says whether the row was right.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "queue/plan/aside.h"
#include "queue/plan/dispatch_inside.h"
#include "queue/control/errand.h"
#include "queue/plan/outcome.h"
#include "queue/route/reroute.h"
#include "queue/plan/suspect.h"
#include "queue/store/store_due.h"
#include "queue/store/store_envelope.h"
#include "queue/to_relay.h"
#include "sys/clock.h"

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

static void
take_row_away(struct queue *q, const struct delivery *dl, bool is_stale)
{
	struct span flow = due_flow(dl);
	struct store_undue *u;

	if (flow.len == 0 || dl->place.due_ms == 0 ||
	    (u = calloc(1, sizeof(*u) + flow.len)) == NULL)
		return;
	memcpy(u + 1, flow.ptr, flow.len);
	u->flow = (struct span){ (char *)(u + 1), flow.len };
	u->place = dl->place;
	u->is_stale = is_stale;
	store_undue(q->store, u, undue_done, NULL);
}

/* Its row leads to nothing: take the row away. */
static void
abandon(struct queue *q, struct delivery *dl)
{
	dispatch_release(q, dl, NEWS_NONE);
	take_row_away(q, dl, false);
	due_forget(q->due, &dl);
}

/*
 * It is due at another time than its row said.  The right row may have been
 * passed over meanwhile, because the delivery was known: it is read again, from
 * the earlier of both times on, for which of them was first nobody can tell.
 */
static void
correct(struct queue *q, struct delivery *dl)
{
	take_row_away(q, dl, true);
	if ((int64_t)dl->envelope->delivery.due_ms < dl->place.due_ms)
		dl->place.due_ms = (int64_t)dl->envelope->delivery.due_ms;
	dispatch_put_back(q, dl);
}

/* A delivery that a relay runs since before our start. */
static void
adopt_loaded(struct queue *q, struct delivery *dl, enum err e)
{
	dispatch_claim_read(q->dispatch, dl);
	if (e != OK || !due_attach(q->due, dl, dl->envelope)) {
		/* Its results may be here already, its worker let go. */
		dispatch_settled(q, dl);
		if (e == ERR_PEER)
			aside_hold(q, dl, dl->load.why);
		else
			abandon(q, dl);
		return;
	}
	if (!lane_owns(dl->claimed_by, due_destination(dl))) {
		dispatch_disown(q, dl);
		return;
	}
	if (dl->worker == NULL && !dl->is_done) {	/* it is gone by now */
		if (dl->has_died)
			outcome_died(q, dl);
		else
			due_put_back(q->due, &dl);
		return;
	}
	dl->state = DELIVERY_RUNNING;
	if (dl->worker != NULL) {
		dispatch_count(dl);
		suspect_adopted(dl);
	}
	if (dl->is_done)
		outcome_begin(q, dl);
}

/* No route leads anywhere: it waits for one as long as it lives. */
static void
stay_stray(struct queue *q, struct delivery *dl)
{
	const struct record_message *m = &dl->envelope->message;

	if (queue_age_ms(q, m, &dl->envelope->delivery) >=
	    settings_retry(&q->settings, m)->lifetime_ms)
		outcome_expired(q, dl);
	else
		dispatch_strand(q, dl);
}

void
dispatch_loaded(struct store_op *op, enum err e, void *arg)
{
	struct queue *q = arg;
	struct store_read_envelope *r = (struct store_read_envelope *)op;
	struct delivery *dl = (struct delivery *)((char *)r -
	    offsetof(struct delivery, load));
	bool is_stray = dl->is_stray;

	if (dl->reads != NULL) {
		dl->reads->read_cnt--;
		dispatch_pump(q->dispatch);
	}
	dl->reads = NULL;
	dl->envelope = r->envelope;
	dl->is_stray = false;
	if (is_stray)
		dispatch_judged(q->dispatch);
	if (dl->errand != NULL)
		errand_loaded(q, dl, e);
	else if (dl->state == DELIVERY_ADOPTING)
		adopt_loaded(q, dl, e);
	else if (e == ERR_SYS || !due_owns(q->due, due_flow(dl)))
		dispatch_put_back(q, dl);
	else if (e == ERR_PEER)
		aside_hold(q, dl, dl->load.why);
	else if (e != OK)
		abandon(q, dl);
	else if ((int64_t)dl->envelope->delivery.due_ms != dl->place.due_ms)
		correct(q, dl);		/* the row was from an old snapshot */
	else if (dl->is_expiring || dl->envelope->rcpt_cnt == 0)
		outcome_expired(q, dl);
	else if (dl->is_reminding)
		outcome_delayed(q, dl);
	else if (reroute_loaded(q, dl))
		return;
	else if (is_stray)
		stay_stray(q, dl);
	else if (dispatch_is_suspended(due_destination(dl)))
		dispatch_put_back(q, dl);	/* meanwhile */
	else if (!suspect_waits(q, dl))
		send_out(q, dl);
}

void
dispatch_remind(struct queue *q, const struct store_flow *flow,
    const struct store_place *place)
{
	struct delivery *dl = due_take_row(q->due, flow, place);

	if (dl == NULL)
		return;
	dl->is_reminding = true;
	dispatch_load(q, dl);
}
