/*
 * intake_rcpt.c - a recipient arrives: who is he, may he be one, what is his
 * route?  The edge is told once, when all of that is known.
 *
 * One who stands for several is taken if all of them can be, so that nobody is
 * left out without a word.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "mail/dsn.h"
#include "queue/intake/intake_inside.h"
#include "queue/route/route_sender.h"
#include "queue/route/route_utf8.h"
#include "queue/inbound.h"
#include "queue/to_edge.h"

/*
 * Might a bounce of this be wanted?  A program of this host, such as cron, has
 * nobody who would read our refusal: its mail is better than its bounce.
 */
static bool
wants_bounce(const struct stream *s, const struct msg_mail_rcpt *m)
{
	return !s->is_local && dsn_wants(m->notify, DSN_FAILURE);
}

/* RFC 3030 3: known before it is taken, it is the client's to know. */
static bool
cannot_carry(const struct stream *s, const struct route *r,
    struct route_reply *reply)
{
	if (s->accept.message.body != BODY_BINARYMIME ||
	    route_takes_binary(s->queue->settings.routes, r->relay_no))
		return false;
	*reply = (struct route_reply){ .code = 550, .dsn = "5.6.1",
	    .text = "The next hop for this recipient does not take "
	    "BINARYMIME" };
	return true;
}

/* May he be one?  What his route is by now is kept, if he may. */
static bool
judge(const struct stream *s, const struct msg_mail_rcpt *m,
    struct span owner, struct route_kept *kept, struct route_reply *reply)
{
	const struct routes *routes = s->queue->settings.routes;
	struct route_ask ask = stream_who(s);
	enum route_verdict v;
	struct route r;

	ask.rcpt = m->rcpt;
	if (owner.len > 0)
		ask.sender = owner;
	v = route_judge(routes, &ask, &r, reply);
	if (v == ROUTE_FOUND && !cannot_carry(s, &r, reply) &&
	    !(s->is_judged && route_utf8_is_lost(routes, &r, &ask,
	    wants_bounce(s, m), reply)) && wants_bounce(s, m) &&
	    !alias_knows(&s->queue->aliases, ask.sender))
		(void)route_sender_is_lost(routes, ask.sender, reply);
	if (reply->code != 250)
		return false;
	route_keep(kept, &r, v, s->queue->routes_turn);
	return true;
}

/* Room for another recipient, or the end of the stream. */
static bool
has_room(struct stream *s, size_t bytes)
{
	if (s->accept.message.rcpt_cnt >= RCPTS_MAX ||
	    s->rcpt_bytes + bytes > RCPT_BYTES_MAX)
		stream_refuse(s, 452, "4.5.3", "Too many recipients");
	else if (!stream_may_hold(s->holder, bytes))
		stream_refuse_many(s);
	else
		return true;
	return false;
}

/* One more, unless the stream has ended by that. */
static bool
add(struct stream *s, const struct msg_mail_rcpt *m, struct span trace,
    const struct route_kept *kept)
{
	if (!has_room(s, m->rcpt.len + m->orcpt.len + trace.len))
		return false;
	if (stream_add_rcpt(s, m, trace, kept))
		return true;
	stream_refuse(s, 451, "4.3.0", "Out of memory");
	return false;
}

static void
answer(struct stream *s, const struct msg_mail_rcpt *m,
    const struct route_reply *reply)
{
	s->said_cnt += reply->code == 250;
	if (m->ask != 0)
		to_edge_rcpt(s->edge->link, m->ask, reply);
}

/* He is who he is. */
static void
take_himself(struct stream *s, const struct msg_mail_rcpt *m)
{
	struct route_reply reply = { .code = 250 };
	struct route_kept kept = { 0 };

	if ((m->ask == 0 || judge(s, m, SPAN(""), &kept, &reply)) &&
	    !add(s, m, SPAN(""), &kept))
		return;
	answer(s, m, &reply);
}

/* A bounce stays one, whoever keeps the list. */
static struct span
owner_of(const struct stream *s, const struct expand_rcpt *r)
{
	return s->accept.message.sender.len > 0 ? r->owner : SPAN("");
}

/* Is it a list: has each of its recipients an owner? */
static bool
is_list(const struct stream *s, const struct expansion *x)
{
	struct expand_rcpt r;

	for (uint32_t i = 0; i < expand_cnt(x); i++) {
		expand_rcpt(x, i, &r);
		if (owner_of(s, &r).len == 0)
			return false;
	}
	return true;
}

/*
 * RFC 3461 5.2.7: what is asked of reports goes on with mail for one, for
 * several without success, of which "expanded" is told here; on a list nothing
 * goes on, and mail for it is delivered here.
 */
static struct msg_mail_rcpt
pass_on(const struct msg_mail_rcpt *m, const struct expand_rcpt *r,
    bool has_owner, bool is_one)
{
	struct msg_mail_rcpt one = *m;

	one.rcpt = r->address;
	if (has_owner) {
		one.notify = 0;
		one.orcpt = SPAN("");
	} else if (!is_one && (one.notify & DSN_SUCCESS) != 0) {
		one.notify &= (uint8_t)~DSN_SUCCESS;
		if (one.notify == 0)
			one.notify = DSN_NEVER;
	}
	return one;
}

static bool
report(struct stream *s, const struct msg_mail_rcpt *m,
    const struct expansion *x)
{
	bool list = is_list(s, x);

	if (s->accept.message.sender.len == 0 ||
	    !dsn_wants(m->notify, DSN_SUCCESS) ||
	    (!list && expand_cnt(x) == 1) ||
	    stream_add_report(s, m, list ? REPORT_DELIVERED :
	    REPORT_EXPANDED))
		return true;
	stream_refuse(s, 451, "4.3.0", "Out of memory");
	return false;
}

/* May all that he stands for be recipients?  At once, or none of them. */
static bool
judge_all(const struct stream *s, const struct msg_mail_rcpt *m,
    const struct expansion *x, struct route_kept *kept,
    struct route_reply *reply)
{
	struct msg_mail_rcpt one;
	struct expand_rcpt r;

	for (uint32_t i = 0; i < expand_cnt(x); i++) {
		expand_rcpt(x, i, &r);
		one = pass_on(m, &r, owner_of(s, &r).len > 0, true);
		if (!judge(s, &one, owner_of(s, &r), &kept[i], reply))
			return false;
	}
	return true;
}

static bool
add_all(struct stream *s, const struct msg_mail_rcpt *m,
    const struct expansion *x, struct route_kept *kept)
{
	uint32_t cnt = expand_cnt(x);
	struct msg_mail_rcpt one;
	struct expand_rcpt r;
	bool is_there = true;

	for (uint32_t i = 0; is_there && i < cnt; i++) {
		expand_rcpt(x, i, &r);
		kept[i].owner = owner_of(s, &r);
		one = pass_on(m, &r, kept[i].owner.len > 0, cnt == 1);
		is_there = add(s, &one, r.trace, &kept[i]);
	}
	return is_there && report(s, m, x);
}

static void
take_all(struct stream *s, const struct msg_mail_rcpt *m,
    const struct expansion *x)
{
	struct route_reply reply = { .code = 250 };
	struct route_kept *kept = calloc(expand_cnt(x) + 1, sizeof(*kept));
	bool is_there = true;

	if (kept == NULL) {
		stream_refuse(s, 451, "4.3.0", "Out of memory");
		return;
	}
	if (m->ask == 0 || judge_all(s, m, x, kept, &reply))
		is_there = add_all(s, m, x, kept);
	free(kept);
	if (is_there)
		answer(s, m, &reply);
}

/*
 * Nobody can say who he is, or he is nobody.  A stream that did not ask hears
 * of it as such.
 */
static void
take_nobody(struct stream *s, const struct msg_mail_rcpt *m, enum err why)
{
	struct route_reply no;

	alias_nobody(why, &no);
	if (m->ask == 0)
		stream_refuse(s, no.code, no.dsn, no.text);
	else
		answer(s, m, &no);
}

static void
take(struct stream *s, const struct msg_mail_rcpt *m,
    const struct expansion *x, enum err e)
{
	if (e == OK && x == NULL)
		take_himself(s, m);
	else if (e != OK || expand_cnt(x) == 0)
		take_nobody(s, m, e);
	else
		take_all(s, m, x);
}

/* He comes out of the list first: his stream may end by him. */
static void
arrived(struct expansion *x, enum err e, void *arg)
{
	struct arrival *a = arg;
	struct stream *s = a->stream;
	struct edge *ed = s->edge;
	uint64_t no = s->no;

	LIST_REMOVE(a, entry);
	stream_let_go(s, a->held);
	stream_touch(s);
	take(s, &a->msg, x, e);
	expand_end(&a->expansion);
	free(a);
	if ((s = stream_by_no(ed, no)) != NULL &&
	    s->state == STREAM_EXPANDING && LIST_EMPTY(&s->arrivals))
		stream_complete(s);
}

static struct arrival *
arrival_new(struct stream *s, const struct msg_mail_rcpt *m)
{
	size_t bytes = sizeof(struct arrival) + m->rcpt.len + m->orcpt.len;
	struct arrival *a = malloc(bytes);
	char *at;

	if (a == NULL)
		return NULL;
	at = a->bytes;
	a->stream = s;
	a->expansion = NULL;
	a->held = bytes + EXPAND_TRACE_MAX + m->rcpt.len;
	a->msg = *m;
	a->msg.rcpt = inbound_keep(&at, m->rcpt, SIZE_MAX);
	a->msg.orcpt = inbound_keep(&at, m->orcpt, SIZE_MAX);
	return a;
}

static void
begin(struct stream *s, const struct msg_mail_rcpt *m)
{
	struct arrival *a = arrival_new(s, m);
	struct route_ask who = stream_who(s);
	struct expansion *x;
	enum err e;

	if (a == NULL) {
		stream_refuse(s, 451, "4.3.0", "Out of memory");
		return;
	}
	who.rcpt = m->rcpt;
	e = expand_begin(&x, &s->queue->expanders, &who, arrived, a);
	if (e == ERR_AGAIN) {
		a->expansion = x;
		LIST_INSERT_HEAD(&s->arrivals, a, entry);
		stream_hold(s, a->held);
		return;
	}
	take(s, m, x, e);
	expand_end(&x);
	free(a);
}

enum err
intake_rcpt(struct edge *ed, const struct msg_mail_rcpt *m)
{
	struct stream *s;
	enum err e = stream_find(ed, m->stream, &s);

	if (e != OK)
		return e == ERR_NONE ? OK : e;
	if (!inbound_is_rcpt(m))
		return ERR_PEER;
	stream_touch(s);
	if (!has_room(s, m->rcpt.len + m->orcpt.len))
		return OK;
	if (s->queue->expanders.cnt == 0)
		take_himself(s, m);
	else
		begin(s, m);
	return OK;
}
