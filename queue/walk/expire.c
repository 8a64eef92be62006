/*
 * expire.c - readings come back in order, so when the next of the walk is here
 * all envelopes of the last are, and outcomes say how far behind we are.
 */
#include "base/log.h"
#include "queue/plan/dispatch_inside.h"
#include "queue/walk/expire.h"
#include "queue/plan/outcome.h"

#define LOOK_MS		30000	/* how often the old are looked for	*/
#define BEHIND_MAX	128	/* outcomes on their way: wait for them	*/
#define PAUSE_MS	5

static void	read_on(struct expire *);

/* What was suspended has its lifetime nevertheless. */
static bool
is_spent(const struct queue *q, const struct store_spent *row)
{
	struct span flow = store_flow_span(&row->flow);
	struct store_names names = store_flow_names(flow);
	struct record_delivery d = {
		.relay = names.relay, .destination = names.destination,
		.waived_ms = row->waived_ms,
		.waived_until_ms = row->waived_until_ms,
	};
	struct record_message m = { .lived_ms = (uint64_t)row->lived_ms };

	return queue_age_ms(q, &m, &d) >= (row->is_bounce ?
	    &q->settings.bounce_retry : &q->settings.retry)->lifetime_ms;
}

static void
give_up(struct queue *q, const struct store_spent *row)
{
	struct delivery *dl;

	if (!is_spent(q, row) ||
	    (dl = due_claim(q->due, &row->flow, &row->place)) == NULL)
		return;
	dl->is_expiring = true;
	dispatch_load(q, dl);
}

static void
end_walk(struct expire *ex)
{
	ex->is_walking = false;
	timer_set(&ex->look, LOOK_MS);
}

static void
old_read(struct store_op *op, enum err e, void *arg)
{
	struct expire *ex = arg;

	if (e != OK) {
		log_why(LOG_trouble, "old deliveries cannot be read", 0);
		end_walk(ex);
		return;
	}
	for (unsigned i = 0; i < ex->read.cnt && !ex->queue->is_draining; i++)
		give_up(ex->queue, &ex->read.rows[i]);
	if (ex->read.at_end || ex->queue->is_draining)
		end_walk(ex);
	else
		read_on(ex);
}

static void
read_on(struct expire *ex)
{
	if (outcome_busy_cnt(ex->queue->outcomes) >= BEHIND_MAX)
		timer_set(&ex->look, PAUSE_MS);
	else
		store_read_spent(ex->queue->store, &ex->read, old_read, ex);
}

static void
look(struct timer *t, void *arg)
{
	struct expire *ex = arg;
	struct queue *q = ex->queue;

	if (!ex->is_walking) {
		if (q->is_draining)
			return;
		ex->is_walking = true;
		ex->read.from = (struct id){ { 0 } };
		ex->read.from_no = 0;
		ex->read.until_ms = store_lived_ms(q->store) -
		    q->settings.retry.lifetime_ms;
		ex->read.bounces_until_ms = store_lived_ms(q->store) -
		    q->settings.bounce_retry.lifetime_ms;
	}
	read_on(ex);
}

void
expire_open(struct expire *ex, struct queue *q)
{
	ex->queue = q;
	timer_init(&ex->look, q->loop, look, ex);
	timer_set(&ex->look, LOOK_MS);
}

void
expire_close(struct expire *ex)
{
	timer_stop(&ex->look);
}
