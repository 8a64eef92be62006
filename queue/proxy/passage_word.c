/*
 * passage_word.c - what the relay says the next hop says.  It is believed as
 * far as it answers what was asked.
 */
#include <stdlib.h>
#include <string.h>

#include "queue/proxy/passage.h"
#include "queue/route/route.h"
#include "queue/to_edge.h"

/* Nobody is asked any more, until something else comes. */
static void
rest_if(struct passage *p)
{
	if (p->open_cnt == 0 && p->is_granted && p->state != PASSAGE_DATA)
		timer_stop(&p->deadline);
	else
		passage_ask(p, PASSAGE_ANSWER_MS);
}

static enum err
hear_rcpt(struct passage *p, const struct msg_delivery_word *m)
{
	struct passage_rcpt *r;
	struct route_reply reply = { .code = 250 };

	if (m->rcpt_no >= p->sent_cnt || p->rcpts[m->rcpt_no].is_answered)
		return ERR_PEER;
	r = &p->rcpts[m->rcpt_no];
	r->is_answered = true;
	r->is_taken = m->code / 100 == 2;
	p->open_cnt--;
	p->taken_cnt += r->is_taken;
	if (!r->is_taken)
		reply.code = m->code == 421 ? 451 : m->code;
	(void)span_cstr(span_head(passage_split(reply.code, m->reply,
	    reply.dsn), sizeof(reply.text) - 1), reply.text,
	    sizeof(reply.text));
	rest_if(p);
	passage_say_rcpt(p, r->ask, &reply);
	return OK;
}

static enum err
hear_data(struct passage *p)
{
	struct route_reply yes = { .code = 250 };

	if (p->state != PASSAGE_DATA || p->open_cnt > 0)
		return ERR_PEER;
	p->state = PASSAGE_TEXT;
	timer_stop(&p->deadline);
	to_edge_rcpt(p->edge->link, p->data_ask, &yes);
	return OK;
}

/* A hop is told for the log alone. */
static void
keep_hop(struct passage *p, struct span hop)
{
	if (hop.len > 0)
		(void)span_cstr(span_head(hop, sizeof(p->hop) - 1), p->hop,
		    sizeof(p->hop));
}

/* Without a link to its edge nobody is told, and all has ended. */
enum err
passage_word(struct passage *p, const struct msg_delivery_word *m)
{
	if (m->stage >= STAGE__COUNT || m->code < 200 || m->code > 599 ||
	    p->state == PASSAGE_WAITING)
		return ERR_PEER;
	keep_hop(p, m->hop);
	if (m->rcpt_no == UINT32_MAX) {
		if (p->state != PASSAGE_ENDED)
			passage_refuse_by(p, m->code, m->reply);
		return OK;		/* else the results say it */
	}
	if (m->stage == STAGE_RCPT)
		return hear_rcpt(p, m);
	if (m->stage == STAGE_DATA)
		return hear_data(p);
	if (m->stage != STAGE_MAIL)
		return ERR_PEER;
	if (!p->is_granted)
		to_edge_grant(p->edge->link, p->no, p->id);
	p->is_granted = true;
	rest_if(p);
	return OK;
}

enum err
passage_result(struct passage *p, const struct msg_delivery_result *m)
{
	struct span text = span_head(m->reply, REPLY_TEXT_MAX);
	struct passage_rcpt *r;

	if (m->rcpt_no >= p->sent_cnt || m->class >= CLASS__COUNT ||
	    m->code < 200 || m->code > 599)
		return ERR_PEER;
	r = &p->rcpts[m->rcpt_no];
	if (r->code != 0)
		return ERR_PEER;
	p->result_cnt++;
	r->code = m->class == CLASS_DONE ? 250 :
	    m->code < 400 || m->code == 421 ? 451 : m->code;
	if ((r->reply = malloc(text.len + 1)) == NULL)
		return ERR_SYS;
	(void)span_cstr(text, r->reply, text.len + 1);
	keep_hop(p, m->hop);
	return OK;
}

void
passage_done(struct passage *p)
{
	if (p->state == PASSAGE_ENDED)
		passage_answer(p);
	else
		passage_refuse(p, 451, "4.3.0",
		    "The relay has given the message up");
}
