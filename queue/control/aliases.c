/* aliases.c - posternctl alias: whom an address stands for, in parts. */
#include <stdio.h>

#include "queue/control/control.h"
#include "queue/to_control.h"

#define ROWS_MAX	100	/* of one answer */

/* All that answers is here: see addressee.c. */
static void
on_late(struct expansion *x, enum err why, void *arg)
{
}

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
tell_all(struct control *c, const struct msg_alias_ask *m,
    const struct expansion *x, struct msg_alias_end *end)
{
	uint32_t cnt = expand_cnt(x), i = m->from;
	struct expand_rcpt r;

	for (; i < cnt && i - m->from < ROWS_MAX; i++) {
		expand_rcpt(x, i, &r);
		tell(c, m->request, r);
	}
	end->next = i < cnt ? i : 0;
}

void
control_alias(struct control *c, const struct msg_alias_ask *m)
{
	struct msg_alias_end end = { .request = m->request, .code = 250 };
	char text[LOCAL_PART_MAX + DOMAIN_MAX + 2];
	struct span address = m->address;
	struct route_reply reply = { .code = 250 };
	struct route_ask who = { .rcpt = SPAN("") };
	struct expansion *x = NULL;
	enum err e;

	if (address_is_local(address)) {
		(void)snprintf(text, sizeof(text), "%.*s@%s",
		    (int)address.len, address.ptr, c->queue->settings.home);
		address = span_of(text);
	}
	who.rcpt = address;
	e = expand_begin(&x, &c->queue->tables, &who, on_late, NULL);
	if (e == OK && x == NULL)
		tell(c, m->request, (struct expand_rcpt){
		    .address = address });
	else if (e == OK && expand_cnt(x) > 0)
		tell_all(c, m, x, &end);
	else
		alias_nobody(e, &reply);
	end.code = reply.code;
	end.dsn = span_of(reply.dsn);
	end.text = span_of(reply.text);
	to_control_alias_end(c->link, &end);
	expand_end(&x);
}
