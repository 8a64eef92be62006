/*
 * passage_answer.c - what the next hop says, for the edge: code and words as
 * they came.  Where it has no enhanced code ours is of its class and says
 * nothing more, for the client was offered them (RFC 2034); 421 says that a
 * connection ends, which its client's does not, and becomes 451.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "queue/proxy/passage.h"
#include "queue/to_edge.h"
#include "sys/counters.h"

#define DSN_TEXT	12	/* bytes with NUL: 5.255.255 */

/* How long is the enhanced code of this class in front, if there is one? */
static size_t
dsn_len(uint16_t code, struct span reply)
{
	size_t len = span_find(reply, ' ');
	unsigned dots = 0;

	if (len < 5 || len >= DSN_TEXT ||
	    reply.ptr[0] != (char)('0' + code / 100) || reply.ptr[1] != '.')
		return 0;
	for (size_t i = 1; i < len; i++) {
		if (reply.ptr[i] == '.' && reply.ptr[i - 1] != '.')
			dots++;
		else if (reply.ptr[i] < '0' || reply.ptr[i] > '9')
			return 0;
	}
	return dots == 2 && reply.ptr[len - 1] != '.' ? len : 0;
}

struct span
passage_split(uint16_t code, struct span reply, char *dsn)
{
	size_t len = dsn_len(code, reply);

	if (len > 0)
		(void)span_cstr(span_head(reply, len), dsn, DSN_TEXT);
	else
		snprintf(dsn, DSN_TEXT, "%u.0.0", code / 100u);
	return span_trim(span_tail(reply, len));
}

static void
say_cut(const struct passage *p, uint16_t code, struct span reply, char *dsn,
    char *text, size_t cap)
{
	(void)span_cstr(span_head(passage_split(code, reply, dsn), cap - 1),
	    text, cap);
}

void
passage_refuse_by(struct passage *p, uint16_t code, struct span reply)
{
	char dsn[DSN_TEXT], text[REPLY_TEXT_MAX + 1];

	if (code < 400 || code == 421)
		code = 451;
	say_cut(p, code, reply, dsn, text, sizeof(text));
	passage_refuse(p, code, dsn, text);
}

void
passage_say_rcpt(struct passage *p, uint64_t ask, const struct route_reply *r)
{
	if (ask != 0)
		to_edge_rcpt(p->edge->link, ask, r);
	else if (r->code != 250)	/* he was taken, and cannot be now */
		passage_refuse(p, 451, "4.4.0",
		    "A recipient cannot be taken any more, try again");
}

/* What became of a recipient who was taken; the relay has to say it. */
static struct span
result_of(const struct passage_rcpt *r, uint16_t *code)
{
	*code = r->code != 0 ? r->code : 451;
	return r->reply != NULL ? span_of(r->reply) :
	    SPAN("4.3.0 The relay had no result");
}

static void
log_passed(const struct passage *p, const struct passage_rcpt *r)
{
	struct log_line l;
	uint16_t code;
	struct span reply = result_of(r, &code);

	counter_add(code == 250 ? COUNTER_passed : COUNTER_passed_none, 1);
	log_begin(&l, LOG_passed);
	log_id(&l, LOG_KEY_id, p->id);
	log_str(&l, LOG_KEY_from, p->facts.sender);
	log_str(&l, LOG_KEY_rcpt, r->address);
	log_num(&l, LOG_KEY_size, (int64_t)(p->len[PART_HEADER] +
	    p->len[PART_BODY]));
	log_text(&l, LOG_KEY_relay, proxy_relay(p->proxy));
	log_text(&l, LOG_KEY_hop, p->hop);
	log_num(&l, LOG_KEY_code, code);
	log_str(&l, LOG_KEY_reply, reply);
	log_str(&l, LOG_KEY_client, p->facts.client);
	log_text(&l, LOG_KEY_edge, p->edge->name);
	log_end(&l);
}

/* An LMTP client hears of each. */
static void
say_each(const struct passage *p, const struct passage_rcpt *r)
{
	char dsn[DSN_TEXT];
	uint16_t code;
	struct span reply = result_of(r, &code);
	struct msg_mail_result m = { .stream = p->no, .code = code };

	m.text = passage_split(code, reply, dsn);
	m.dsn = span_of(dsn);
	link_send_mail_result(p->edge->link, &m);
}

/* All that were taken got the same reply, or there was one alone. */
static void
say_all(struct passage *p, const struct passage_rcpt *r)
{
	char dsn[DSN_TEXT];
	uint16_t code;
	struct span reply = result_of(r, &code);
	struct msg_mail_taken m = { .stream = p->no };

	if (code != 250) {
		passage_refuse_by(p, code, reply);
		return;
	}
	m.text = passage_split(code, reply, dsn);
	m.dsn = span_of(dsn);
	link_send_mail_taken(p->edge->link, &m);
	passage_end(p);
}

/* One no is a no to all: nobody is lost of whom nothing is known. */
void
passage_answer(struct passage *p)
{
	const struct passage_rcpt *worst = NULL, *r;

	for (uint32_t i = 0; i < p->rcpt_cnt; i++) {
		r = &p->rcpts[i];
		if (!r->is_taken)
			continue;
		log_passed(p, r);
		if (p->facts.each)
			say_each(p, r);
		if (worst == NULL || worst->code == 250)
			worst = r;
	}
	if (worst == NULL) {
		passage_refuse(p, 451, "4.3.0", "No recipient is left");
	} else if (p->facts.each) {
		link_send_mail_taken(p->edge->link,
		    &(struct msg_mail_taken){ .stream = p->no });
		passage_end(p);
	} else {
		say_all(p, worst);
	}
}
