/*
 * addressee.c - one who cannot be reached is left out, for he is no reason to
 * tell nobody.
 */
#include <stdlib.h>

#include "queue/bounce/addressee.h"

/* All that answers is here; who would answer later is not waited for. */
static void
on_late(struct expansion *x, enum err why, void *arg)
{
}

static enum err
expand(struct addressee *a, struct queue *q, struct span to)
{
	const struct route_ask who = { .rcpt = to, .is_bounce = true };
	enum err e = expand_begin(&a->expansion, &q->tables, &who, on_late,
	    NULL);

	if (e == ERR_AGAIN)
		expand_end(&a->expansion);
	if (e == OK || e == ERR_AGAIN)
		return OK;
	a->why_none = "its sender's address stands for nobody";
	return e == ERR_SYS ? ERR_SYS : ERR_NONE;
}

static void
add(struct addressee *a, const struct settings *set, struct span address,
    struct span trace)
{
	struct route_ask ask = { .rcpt = address, .is_bounce = true };
	struct route r;

	if (route_find(set->routes, &ask, &r) != ROUTE_FOUND) {
		a->why_none = split_why_none(set, address);
		return;
	}
	a->rcpts[a->cnt] = address;
	a->dsn[a->cnt++] = (struct store_dsn){ .trace = trace };
}

static enum err
take(struct addressee *a, const struct settings *set, struct span to)
{
	uint32_t cnt = a->expansion == NULL ? 1 : expand_cnt(a->expansion);
	struct expand_rcpt r;

	if ((a->rcpts = calloc(cnt + 1, sizeof(*a->rcpts))) == NULL ||
	    (a->dsn = calloc(cnt + 1, sizeof(*a->dsn))) == NULL)
		return ERR_SYS;
	if (a->expansion == NULL)
		add(a, set, to, SPAN(""));
	for (uint32_t i = 0; a->expansion != NULL && i < cnt; i++) {
		expand_rcpt(a->expansion, i, &r);
		add(a, set, r.address, r.trace);
	}
	return a->cnt > 0 ? OK : ERR_NONE;
}

enum err
addressee_find(struct addressee *out, struct queue *q, struct span to,
    int64_t due_ms)
{
	struct addressee a = {
		.why_none = "its sender's address stands for nobody",
	};
	enum err e;

	if ((e = expand(&a, q, to)) == OK &&
	    (e = take(&a, &q->settings, to)) == OK)
		e = split_make_bounce(&a.split, &q->settings, a.rcpts, a.cnt,
		    due_ms);
	if (e != OK) {
		const char *why = a.why_none;

		addressee_fini(&a);
		a.why_none = why;
	}
	*out = a;
	return e;
}

void
addressee_put(const struct addressee *a, struct store_accept *to)
{
	to->rcpts = a->rcpts;
	to->rcpt_dsn = a->dsn;
	to->rcpt_delivery = a->split.rcpt_delivery;
	to->deliveries = a->split.deliveries;
	to->message.rcpt_cnt = a->cnt;
	to->message.delivery_cnt = a->split.delivery_cnt;
}

void
addressee_fini(struct addressee *a)
{
	expand_end(&a->expansion);
	free(a->rcpts);
	free(a->dsn);
	split_free(&a->split);
	*a = (struct addressee){ .why_none = NULL };
}
