/*
 * reroute.c - a judgement costs a look-up for each recipient, and nothing on
 * disk: so each attempt has its own, and no reload has to walk the queue.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "queue/plan/dispatch.h"
#include "queue/plan/outcome.h"
#include "queue/route/reroute.h"
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

static struct route_ask
ask_of(const struct envelope *env)
{
	const struct record_message *m = &env->message;
	struct route_ask ask = { .sender = m->sender };

	if ((m->flags & MAIL_LOGIN) != 0)
		ask.login = m->tenant;
	ask.is_bounce = record_is_bounce(m);
	return ask;
}

/* Is this where the delivery goes anyway? */
static bool
is_here(const struct envelope *env, const struct route *r)
{
	return span_eq(env->delivery.relay, span_of(r->relay)) &&
	    span_eq(env->delivery.destination, span_of(r->destination));
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
	struct route_ask who = ask_of(env);
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

/* False: it stays as it is, for want of memory. */
static bool
move(struct queue *q, const struct settings *set, struct delivery *dl,
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

/* What the routes say of the recipients of a delivery. */
struct judgement {
	bool		*has_way;
	uint32_t	 way_cnt;
	bool		 moves;		/* somebody goes elsewhere	*/
	bool		 rules;		/* somebody is done with	*/
	bool		 defers;	/* one of them only for now	*/
	bool		 bad;		/* no memory			*/
};

/* Done with, as if a relay had said so: the text outlives the routes. */
static void
rule(struct delivery *dl, uint32_t rcpt_no, enum outcome_class class,
    const char *text, struct judgement *j)
{
	static const uint16_t codes[CLASS__COUNT] = {
		[CLASS_DONE] = 250, [CLASS_LATER] = 450, [CLASS_NEVER] = 550,
	};
	size_t len = strlen(text);
	struct result *r = calloc(1, sizeof(*r) + len);

	if (r == NULL) {
		j->bad = true;
		return;
	}
	r->rcpt_no = rcpt_no;
	r->class = class;
	r->scope = SCOPE_RECIPIENT;
	r->code = codes[class];
	r->flags = RESULT_OWN;
	memcpy(r->text, text, len);
	r->reply = (struct span){ r->text, len };
	STAILQ_INSERT_TAIL(&dl->results, r, entry);
	dl->result_cnt++;
	j->rules = true;
	j->defers |= class == CLASS_LATER;
}

static void
judge(const struct routes *routes, struct delivery *dl, struct judgement *j)
{
	const struct envelope *env = dl->envelope;
	struct route_ask ask = ask_of(env);
	struct route r;

	for (uint32_t i = 0; i < env->rcpt_cnt; i++) {
		ask.rcpt = env->rcpts[i].address;
		switch (route_find(routes, &ask, &r)) {
		case ROUTE_FOUND:
			j->has_way[i] = true;
			j->way_cnt++;
			j->moves |= !is_here(env, &r);
			break;
		case ROUTE_REFUSED:
			rule(dl, env->rcpts[i].no, r.text[0] == '4' ?
			    CLASS_LATER : CLASS_NEVER, r.text, j);
			break;
		case ROUTE_DISCARDED:
			rule(dl, env->rcpts[i].no, CLASS_DONE,
			    "2.0.0 A route discards it", j);
			break;
		default:
			break;
		}
	}
}

/* An administrator has moved it to a relay that there still is. */
static bool
is_pinned(const struct queue *q, const struct envelope *env)
{
	unsigned no;

	return env->delivery.pinned != 0 && route_relay_no(q->settings.routes,
	    env->delivery.relay, &no);
}

/*
 * Is it where its relay has its mail?  Where one next hop has all, a domain had
 * a destination of its own while it was suspended.
 */
static bool
is_in_line(const struct queue *q, const struct envelope *env)
{
	const struct record_delivery *d = &env->delivery;
	unsigned no;

	return !route_relay_no(q->settings.routes, d->relay, &no) ||
	    route_kind_of(q->settings.routes, no) == ROUTE_MX ||
	    span_eq(d->relay, d->destination);
}

/* Does the routes' say matter at all here? */
static bool
is_settled(const struct queue *q, const struct envelope *env)
{
	const char *only = route_only(q->settings.routes);

	if (is_pinned(q, env))
		return !suspension_has_domains(q->suspensions) &&
		    is_in_line(q, env);
	return only != NULL && span_eq(env->delivery.relay, span_of(only)) &&
	    span_eq(env->delivery.destination, span_of(only)) &&
	    !record_is_bounce(&env->message);
}

/* Routes of one relay, that gets all; NULL: no memory. */
static struct routes *
all_to(const struct queue *q, struct span relay)
{
	const struct routes *routes = q->settings.routes;
	struct routes *r;
	unsigned no;

	if (!route_relay_no(routes, relay, &no) || route_new(&r) != OK)
		return NULL;
	if (route_add_relay(r, relay, route_kind_of(routes, no)) != OK ||
	    route_set_last(r, relay) != OK ||
	    route_set_bounce_relay(r, relay) != OK)
		route_free(&r);
	else
		route_set_suspended(r, q->suspensions);
	return r;
}

/* Who has no way by the routes alone stays; by a relay named all have one. */
static bool
force(struct queue *q, const struct settings *set, struct delivery *dl,
    unsigned *stale_cnt)
{
	const struct envelope *env = dl->envelope;
	struct route_ask ask = ask_of(env);
	bool *has_way = calloc(env->rcpt_cnt + 1, sizeof(*has_way));
	uint32_t way_cnt = 0;
	struct route r;
	bool taken;

	for (uint32_t i = 0; has_way != NULL && i < env->rcpt_cnt; i++) {
		ask.rcpt = env->rcpts[i].address;
		has_way[i] = route_find(set->routes, &ask, &r) == ROUTE_FOUND;
		way_cnt += has_way[i];
	}
	taken = way_cnt > 0 && move(q, set, dl, has_way, way_cnt, stale_cnt);
	free(has_way);
	return taken;
}

bool
reroute_force(struct queue *q, struct delivery *dl, const char *relay,
    unsigned *stale_cnt)
{
	struct settings set = q->settings;
	bool taken;

	if (relay == NULL)
		return force(q, &q->settings, dl, stale_cnt);
	if ((set.routes = all_to(q, span_of(relay))) == NULL)
		return false;
	taken = force(q, &set, dl, stale_cnt);
	route_free(&set.routes);
	return taken;
}

bool
reroute_give_up(struct queue *q, struct delivery *dl, struct span why)
{
	const struct envelope *env = dl->envelope;
	struct judgement j = { .moves = false };
	char text[REPLY_TEXT_MAX];

	snprintf(text, sizeof(text),
	    "5.7.1 The message was returned by the administrator%s%.*s",
	    why.len > 0 ? ": " : "", (int)why.len, why.ptr);
	for (uint32_t i = 0; i < env->rcpt_cnt; i++)
		rule(dl, env->rcpts[i].no, CLASS_NEVER, text, &j);
	if (env->rcpt_cnt == 0 || j.bad)
		return false;
	outcome_ruled(q, dl);
	return true;
}

static bool
follow(struct queue *q, const struct settings *set, struct delivery *dl,
    struct judgement *j)
{
	judge(set->routes, dl, j);
	/*
	 * First what is over; the rest is due, and judged, again.  But whom a
	 * route puts off is not to hold up the others: they leave him first.
	 */
	if (j->defers && j->way_cnt > 0 && !j->bad && move(q, set, dl,
	    j->has_way, j->way_cnt, NULL)) {
		due_drop_results(dl);
		return true;
	}
	if (j->rules) {
		outcome_ruled(q, dl);
		return true;
	}
	return j->moves && !j->bad && move(q, set, dl, j->has_way, j->way_cnt,
	    NULL);
}

/* Without memory for a judgement it goes where it was to go. */
bool
reroute_loaded(struct queue *q, struct delivery *dl)
{
	const struct envelope *env = dl->envelope;
	struct settings own = q->settings;
	struct judgement j = { .moves = false };
	bool taken;

	if (is_settled(q, env) || (j.has_way = calloc(env->rcpt_cnt,
	    sizeof(*j.has_way))) == NULL)
		return false;
	if (!is_pinned(q, env))
		taken = follow(q, &q->settings, dl, &j);
	else if ((own.routes = all_to(q, env->delivery.relay)) == NULL)
		taken = false;
	else
		taken = follow(q, &own, dl, &j);
	if (own.routes != q->settings.routes)
		route_free(&own.routes);
	free(j.has_way);
	return taken;
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
