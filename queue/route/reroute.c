/*
 * reroute.c - a judgement costs a look-up for each recipient, and nothing on
 * disk: so each attempt has its own, and no reload has to walk the queue.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "queue/plan/outcome.h"
#include "queue/route/reroute_inside.h"
#include "queue/store/store_envelope.h"

/* Is this where the delivery goes anyway? */
static bool
is_here(const struct envelope *env, const struct route *r)
{
	return span_eq(env->delivery.relay, span_of(r->relay)) &&
	    span_eq(env->delivery.destination, span_of(r->destination));
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
	struct route_ask ask = reroute_ask(env);
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
	struct route_ask ask = reroute_ask(env);
	bool *has_way = calloc(env->rcpt_cnt + 1, sizeof(*has_way));
	uint32_t way_cnt = 0;
	struct route r;
	bool taken;

	for (uint32_t i = 0; has_way != NULL && i < env->rcpt_cnt; i++) {
		ask.rcpt = env->rcpts[i].address;
		has_way[i] = route_find(set->routes, &ask, &r) == ROUTE_FOUND;
		way_cnt += has_way[i];
	}
	taken = way_cnt > 0 && reroute_move(q, set, dl, has_way, way_cnt,
	    stale_cnt);
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
	if (j->defers && j->way_cnt > 0 && !j->bad && reroute_move(q, set, dl,
	    j->has_way, j->way_cnt, NULL)) {
		due_drop_results(dl);
		return true;
	}
	if (j->rules) {
		outcome_ruled(q, dl);
		return true;
	}
	return j->moves && !j->bad && reroute_move(q, set, dl, j->has_way,
	    j->way_cnt, NULL);
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
