/*
 * pauses.c - each that was fetched notes whether its relay and its domain are
 * among those of the message, so that none of these is kept.
 */
#include <stdlib.h>
#include <string.h>

#include "bus/messages.h"
#include "ctl/tool/pauses.h"
#include "mail/domain.h"

#define PLACE_MAX	511	/* bytes of a queue's own key		*/
#define TEXT_MAX	1024	/* bytes of all names of one		*/

struct pause {
	struct msg_story_row row;	/* its spans lead to text	*/
	bool		 has_relay, has_domain;	/* the message has	*/
	char		 text[TEXT_MAX];
};

struct pauses {
	size_t		 cnt, next;
	uint64_t	 from_ms, until_ms;	/* of the message	*/
	struct id	 id;
	/* Of the question under way. */
	enum tool_status	 status;
	size_t		 last_len;
	char		 last[PLACE_MAX];
	struct pause	 list[PAUSES_MAX];
};

/* Fetch. */

static struct span
keep(char **at, struct span s)
{
	char *to = *at;

	if (s.len > 0)
		memcpy(to, s.ptr, s.len);
	*at += s.len;
	return (struct span){ to, s.len };
}

/* The oldest makes room. */
static void
add(struct pauses *p, const struct msg_story_row *m)
{
	struct pause *e;
	char *at;

	if (m->relay.len + m->address.len + m->login.len + m->reply.len >
	    TEXT_MAX)
		return;
	if (p->cnt == PAUSES_MAX) {
		memmove(p->list, p->list + 1,
		    (PAUSES_MAX - 1) * sizeof(*p->list));
		p->cnt--;
	}
	e = &p->list[p->cnt++];
	at = e->text;
	e->row = (struct msg_story_row){
		.at_ms = m->at_ms, .event = m->event,
	};
	e->row.relay = keep(&at, m->relay);
	e->row.address = keep(&at, m->address);
	e->row.login = keep(&at, m->login);
	e->row.reply = keep(&at, m->reply);
}

static bool
take(unsigned type, const union msg *m, void *arg)
{
	struct pauses *p = arg;

	if (type == MSG_story_row && (m->story_row.event == STORY_SUSPENDED ||
	    m->story_row.event == STORY_RESUMED))
		add(p, &m->story_row);
	if (type != MSG_story_end)
		return false;
	p->status = m->story_end.status;
	p->last_len = m->story_end.last.len <= sizeof(p->last) ?
	    m->story_end.last.len : 0;
	if (p->last_len > 0)
		memcpy(p->last, m->story_end.last.ptr, p->last_len);
	return true;
}

/* Its text has moved, where the oldest made room. */
static void
mend_spans(struct pauses *p)
{
	for (size_t i = 0; i < p->cnt; i++) {
		struct msg_story_row *r = &p->list[i].row;
		char *at = p->list[i].text;

		r->relay.ptr = at;
		r->address.ptr = r->relay.ptr + r->relay.len;
		r->login.ptr = r->address.ptr + r->address.len;
		r->reply.ptr = r->login.ptr + r->login.len;
	}
}

enum run_end
pauses_fetch(struct pauses **out, struct talk *t, struct span queue)
{
	struct msg_story_ask ask = { .queue = queue };
	struct pauses *p = calloc(1, sizeof(*p));
	enum run_end end;

	*out = NULL;
	if (p == NULL)
		return END_NOTHING;
	do {
		ask.request++;
		ask.after = (struct span){ p->last, p->last_len };
		end = run_ask(t, MSG_story_ask, &ask, take, p);
	} while (end == END_DONE && p->status == STATUS_MORE);
	mend_spans(p);
	if (end != END_DONE || p->cnt == 0)
		pauses_free(&p);
	*out = p;
	return end;
}

void
pauses_free(struct pauses **p)
{
	free(*p);
	*p = NULL;
}

/* Which of them a message met. */

void
pauses_begin(struct pauses *p)
{
	p->next = 0;
	p->from_ms = UINT64_MAX;
	p->until_ms = 0;
	for (size_t i = 0; i < p->cnt; i++) {
		struct pause *e = &p->list[i];

		e->has_relay = e->row.relay.len == 0;
		e->has_domain = e->row.address.len == 0;
	}
}

static void
learn(struct pauses *p, struct span relay, struct span domain)
{
	for (size_t i = 0; i < p->cnt; i++) {
		struct pause *e = &p->list[i];

		e->has_relay |= relay.len > 0 && span_eq(e->row.relay, relay);
		e->has_domain |= domain.len > 0 &&
		    domain_same(e->row.address, domain);
	}
}

static struct span
domain_of(struct span address)
{
	size_t at = address.len;

	while (at > 0 && address.ptr[at - 1] != '@')
		at--;
	return at == 0 ? SPAN("") : span_tail(address, at);
}

void
pauses_learn(struct pauses *p, const struct msg_story_row *m)
{
	p->id = m->id;
	if (m->at_ms < p->from_ms)
		p->from_ms = m->at_ms;
	if (m->at_ms > p->until_ms)
		p->until_ms = m->at_ms;
	if (m->event != STORY_RECEIVED)
		learn(p, m->relay, domain_of(m->address));
}

void
pauses_learn_waits(struct pauses *p, const struct listed_message *m)
{
	p->until_ms = UINT64_MAX;
	for (size_t i = 0; i < m->delivery_len; i++)
		learn(p, m->deliveries[i].relay,
		    m->deliveries[i].destination);
	for (size_t i = 0; i < m->rcpt_len; i++)
		learn(p, SPAN(""), domain_of(m->rcpts[i].address));
}

/* Was it resumed, or said again, before the message came? */
static bool
is_replaced(const struct pauses *p, size_t i)
{
	const struct msg_story_row *a = &p->list[i].row, *b;

	if (a->event != STORY_SUSPENDED)
		return true;
	while (++i < p->cnt && p->list[i].row.at_ms < p->from_ms) {
		b = &p->list[i].row;
		if (span_eq(a->relay, b->relay) &&
		    span_eq(a->address, b->address))
			return true;
	}
	return false;
}

static bool
is_met(const struct pauses *p, size_t i)
{
	const struct pause *e = &p->list[i];

	return e->has_relay && e->has_domain &&
	    e->row.at_ms <= p->until_ms &&
	    (e->row.at_ms >= p->from_ms || !is_replaced(p, i));
}

const struct msg_story_row *
pauses_next(struct pauses *p, uint64_t until_ms)
{
	while (p->next < p->cnt && p->list[p->next].row.at_ms <= until_ms) {
		struct msg_story_row *row = &p->list[p->next].row;

		row->id = p->id;
		if (is_met(p, p->next++))
			return row;
	}
	return NULL;
}
