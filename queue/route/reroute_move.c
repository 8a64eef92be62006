/*
 * reroute_move.c - a delivery that goes elsewhere, on its way to the disk: it
 * becomes others there, in one transaction.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "queue/plan/dispatch.h"
#include "queue/route/reroute_inside.h"
#include "queue/route/split.h"
#include "queue/store/store_edit.h"
#include "queue/store/store_envelope.h"
#include "queue/store/store_intake.h"
#include "sys/clock.h"

#define AGAIN_MS	1000	/* until a commit is tried again	*/

/* One delivery that goes elsewhere, on its way to the disk. */
struct reroute {
	STAILQ_ENTRY(reroute) entry;	/* of those to be tried again	*/
	struct queue	*queue;
	struct delivery	*delivery;
	struct store_replan store;
	struct store_tries seen;	/* when it was loaded		*/
	unsigned	*stale_cnt;	/* who wants to know, until it was
					 * tried once; or NULL		*/
	struct split	 split;
	uint32_t	*numbers;	/* of the recipients		*/
};

struct reroutes {
	struct queue	*queue;
	struct timer	 again;
	uint32_t	 busy_cnt;
	STAILQ_HEAD(, reroute) waiting;
};

struct route_ask
reroute_ask(const struct envelope *env)
{
	const struct record_message *m = &env->message;
	struct route_ask ask = { .sender = m->sender };

	if ((m->flags & MAIL_LOGIN) != 0)
		ask.login = m->tenant;
	ask.is_bounce = record_is_bounce(m);
	return ask;
}

static void
free_reroute(struct reroute *rr)
{
	split_free(&rr->split);
	free((void *)(uintptr_t)rr->store.deliveries);
	free((void *)(uintptr_t)rr->store.rcpt_delivery);
	free(rr->store.rows);
	free(rr->numbers);
	free(rr);
}

static void
log_moved(const struct envelope *env, const struct store_moved *m)
{
	struct store_names names = store_flow_names(store_flow_span(&m->flow));
	struct log_line l;

	log_begin(&l, LOG_rerouted);
	log_id(&l, LOG_KEY_id, m->place.id);
	log_num(&l, LOG_KEY_delivery, m->place.no);
	log_str(&l, LOG_KEY_relay, names.relay);
	log_str(&l, LOG_KEY_destination, names.destination);
	log_str(&l, LOG_KEY_of, env->delivery.relay);
	log_end(&l);
}

static void
end(struct reroute *rr)
{
	rr->queue->reroutes->busy_cnt--;
	free_reroute(rr);
}

/*
 * Somebody else has tried it since it was loaded: what it is now is read, and
 * judged, anew.
 */
static void
put_back(struct reroute *rr)
{
	if (rr->stale_cnt != NULL)
		(*rr->stale_cnt)++;
	due_put_back(rr->queue->due, &rr->delivery);
	end(rr);
}

/* What had one delivery has several: each is due where it is now. */
static void
replanned(struct store_op *op, enum err e, void *arg)
{
	struct reroute *rr = arg;
	struct queue *q = rr->queue;
	struct delivery *dl = rr->delivery;
	struct envelope *env = dl->envelope;

	if (e == ERR_FULL || e == ERR_SYS) {
		rr->stale_cnt = NULL;
		STAILQ_INSERT_TAIL(&q->reroutes->waiting, rr, entry);
		if (!timer_running(&q->reroutes->again))
			timer_set(&q->reroutes->again, AGAIN_MS);
		return;
	}
	if (e == ERR_STALE) {
		put_back(rr);
		return;
	}
	dl->envelope = NULL;
	due_forget(q->due, &dl);
	for (uint32_t i = 0; e == OK && i < rr->store.delivery_cnt; i++) {
		log_moved(env, &rr->store.rows[i]);
		due_note_flow(q->due, &rr->store.rows[i].flow,
		    &rr->store.rows[i].place);
	}
	free(env);
	end(rr);
}

static void
try_again(struct timer *t, void *arg)
{
	struct reroutes *rs = arg;
	struct reroute *rr;

	while ((rr = STAILQ_FIRST(&rs->waiting)) != NULL) {
		STAILQ_REMOVE_HEAD(&rs->waiting, entry);
		store_replan(rs->queue->store, &rr->store, replanned, rr);
	}
}

/*
 * Those that have a way, by their ways of today.  NULL: no memory, or no way
 * for anybody.
 */
static struct reroute *
plan(struct queue *q, const struct settings *set, struct delivery *dl,
    const bool *has_way, uint32_t way_cnt)
{
	const struct envelope *env = dl->envelope;
	struct route_ask who = reroute_ask(env);
	struct reroute *rr = calloc(1, sizeof(*rr));
	struct span *rcpts = calloc(way_cnt, sizeof(*rcpts));
	uint32_t cnt = 0;
	enum err e = ERR_SYS;

	if (rr != NULL && rcpts != NULL)
		rr->numbers = calloc(way_cnt, sizeof(*rr->numbers));
	if (rr != NULL && rr->numbers != NULL) {
		for (uint32_t i = 0; i < env->rcpt_cnt; i++)
			if (has_way[i]) {
				rr->numbers[cnt] = env->rcpts[i].no;
				rcpts[cnt++] = env->rcpts[i].address;
			}
		e = split_make(&rr->split, set, &who, rcpts, NULL, cnt,
		    env->message.tenant, clock_wall_ms());
	}
	free(rcpts);
	if (e == OK) {
		rr->queue = q;
		rr->delivery = dl;
		return rr;
	}
	if (rr != NULL)
		free_reroute(rr);
	return NULL;
}

/*
 * Who has no way stays in the first delivery, at the old place; else one of
 * the new ones takes over its number.
 */
static bool
fill_store(struct reroute *rr, bool some_stay)
{
	const struct envelope *env = rr->delivery->envelope;
	struct store_replan *r = &rr->store;
	uint32_t cnt = rr->split.delivery_cnt + some_stay;
	struct store_delivery *all = calloc(cnt, sizeof(*all));
	uint32_t *to = calloc(rr->store.rcpt_cnt, sizeof(*to));

	r->rows = calloc(cnt, sizeof(*r->rows));
	r->deliveries = all;
	r->rcpt_delivery = to;
	if (all == NULL || to == NULL || r->rows == NULL)
		return false;
	all[0] = (struct store_delivery){ .relay = env->delivery.relay,
	    .destination = env->delivery.destination,
	    .tenant = env->delivery.tenant };
	memcpy(all + some_stay, rr->split.deliveries,
	    rr->split.delivery_cnt * sizeof(*all));
	for (uint32_t i = 0; i < r->rcpt_cnt; i++)
		to[i] = some_stay + (rr->split.rcpt_delivery == NULL ? 0 :
		    rr->split.rcpt_delivery[i]);
	r->id = rr->delivery->place.id;
	r->no = rr->delivery->place.no;
	rr->seen = (struct store_tries){ r->no, env->delivery.attempts,
	    env->delivery.deaths };
	r->seen = &rr->seen;
	r->now_ms = clock_wall_ms();
	r->delivery_cnt = cnt;
	r->rcpts = rr->numbers;
	return true;
}

bool
reroute_move(struct queue *q, const struct settings *set, struct delivery *dl,
    const bool *has_way, uint32_t way_cnt, unsigned *stale_cnt)
{
	struct reroute *rr = plan(q, set, dl, has_way, way_cnt);

	if (rr == NULL)
		return false;
	rr->stale_cnt = stale_cnt;
	rr->store.rcpt_cnt = way_cnt;
	rr->store.is_pinned = set != &q->settings;
	rr->store.waived_ms = queue_waived_ms(q,
	    (int64_t)dl->envelope->message.lived_ms, &dl->envelope->delivery);
	rr->store.waived_until_ms = store_lived_ms(q->store);
	if (!fill_store(rr, way_cnt < dl->envelope->rcpt_cnt)) {
		free_reroute(rr);
		return false;
	}
	dispatch_release_untried(q, dl);
	dl->state = DELIVERY_SETTLING;
	q->reroutes->busy_cnt++;
	store_replan(q->store, &rr->store, replanned, rr);
	return true;
}

uint32_t
reroute_busy_cnt(const struct reroutes *rs)
{
	return rs->busy_cnt;
}

enum err
reroute_open(struct reroutes **out, struct queue *q)
{
	struct reroutes *rs = calloc(1, sizeof(*rs));

	if (rs == NULL)
		return ERR_SYS;
	rs->queue = q;
	STAILQ_INIT(&rs->waiting);
	timer_init(&rs->again, q->loop, try_again, rs);
	*out = rs;
	return OK;
}

void
reroute_close(struct reroutes **rs)
{
	if (*rs == NULL)
		return;
	timer_stop(&(*rs)->again);
	free(*rs);
	*rs = NULL;
}
