/*
 * aliases.c - posternctl alias: whom an address stands for, in parts.  Users of
 * this host are asked about as they are at RCPT, which takes its time; who
 * forwards what nobody knows just now is told as far as tables go.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "queue/control/control.h"
#include "queue/to_control.h"

#define ROWS_MAX	100	/* of one answer			*/

/* A question that is answered later. */
struct aliasing {
	LIST_ENTRY(aliasing) entry;
	struct control	*control;
	struct expansion *expansion;
	uint64_t	 request;
	uint32_t	 from;
	char		 address[LOCAL_PART_MAX + DOMAIN_MAX + 2];
};

static void
tell(struct control *c, uint64_t request, struct expand_rcpt r)
{
	struct route_ask ask = { .rcpt = r.address };
	struct msg_alias_row row = { .request = request,
	    .address = r.address, .trace = r.trace, .owner = r.owner };
	struct route_reply reply;
	struct route route;

	(void)route_judge(c->queue->settings.routes, &ask, &route, &reply);
	row.code = reply.code;
	row.dsn = span_of(reply.dsn);
	row.text = span_of(reply.text);
	if (route.relay != NULL)
		row.relay = span_of(route.relay);
	to_control_alias(c->link, &row);
}

static void
tell_all(struct control *c, const struct expansion *x, uint32_t from,
    struct msg_alias_end *end)
{
	uint32_t cnt = expand_cnt(x), i = from;
	struct expand_rcpt r;

	for (; i < cnt && i - from < ROWS_MAX; i++) {
		expand_rcpt(x, i, &r);
		tell(c, end->request, r);
	}
	end->next = i < cnt ? i : 0;
}

/* That was the answer: what it came to, or why it came to nobody. */
static void
answer(const struct aliasing *a, const struct expansion *x, enum err e,
    struct route_reply reply)
{
	struct msg_alias_end end = { .request = a->request };
	struct control *c = a->control;

	if (e == OK && x == NULL)
		tell(c, a->request, (struct expand_rcpt){
		    .address = span_of(a->address) });
	else if (e == OK && expand_cnt(x) > 0)
		tell_all(c, x, a->from, &end);
	else
		alias_nobody(e, &reply);
	end.code = reply.code;
	end.dsn = span_of(reply.dsn);
	end.text = span_of(reply.text);
	to_control_alias_end(c->link, &end);
}

static void
on_unexpected(struct expansion *x, enum err why, void *arg)
{
}

/* As far as those say who answer at once. */
static void
answer_by_tables(const struct aliasing *a)
{
	const struct route_ask who = { .rcpt = span_of(a->address) };
	struct route_reply reply = { 451, "4.3.0", "Whether these are users, "
	    "and whom they forward to, cannot be told now" };
	struct expansion *x = NULL;
	enum err e = expand_begin(&x, &a->control->queue->tables, &who,
	    on_unexpected, NULL);

	answer(a, x, e, reply);
	expand_end(&x);
}

static void
aliasing_free(struct aliasing *a)
{
	LIST_REMOVE(a, entry);
	a->control->aliasing_cnt--;
	expand_end(&a->expansion);
	free(a);
}

static void
finish(struct aliasing *a, enum err e)
{
	const struct route_reply yes = { .code = 250 };

	if (e == ERR_SYS)
		answer_by_tables(a);
	else
		answer(a, a->expansion, e, yes);
	aliasing_free(a);
}

static void
expanded(struct expansion *x, enum err why, void *arg)
{
	finish(arg, why);
}

/* A user alone is one of ours; false: no address is so long. */
static bool
take_address(struct aliasing *a, struct span address)
{
	const char *home = a->control->queue->settings.home;

	if (!address_is_local(address))
		return span_cstr(address, a->address, sizeof(a->address));
	return snprintf(a->address, sizeof(a->address), "%.*s@%s",
	    (int)address.len, address.ptr, home) < (int)sizeof(a->address);
}

enum err
control_alias(struct control *c, const struct msg_alias_ask *m)
{
	struct route_ask who = { .rcpt = SPAN("") };
	struct aliasing *a;
	enum err e;

	if (c->aliasing_cnt >= CONTROL_PENDING_MAX)
		return ERR_PEER;
	if ((a = calloc(1, sizeof(*a))) == NULL)
		return ERR_SYS;
	a->control = c;
	a->request = m->request;
	a->from = m->from;
	LIST_INSERT_HEAD(&c->aliasings, a, entry);
	c->aliasing_cnt++;
	if (!take_address(a, m->address)) {
		finish(a, ERR_CLOSED);
		return OK;
	}
	who.rcpt = span_of(a->address);
	e = expand_begin(&a->expansion, &c->queue->expanders, &who, expanded,
	    a);
	if (e != ERR_AGAIN)
		finish(a, e);
	return OK;
}

void
control_alias_end(struct control *c)
{
	struct aliasing *a;

	while ((a = LIST_FIRST(&c->aliasings)) != NULL)
		aliasing_free(a);
}
