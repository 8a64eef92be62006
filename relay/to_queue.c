/*
 * to_queue.c - a link that fails tells so by itself, and what was said here is
 * said again on the next one; so no result of a send is looked at.
 */
#include "relay/to_queue.h"

void
to_queue_pull(struct link *l, const struct delivery *d, enum part part,
    uint32_t piece_no)
{
	(void)link_send_delivery_pull(l, &(struct msg_delivery_pull){
	    .id = d->id, .delivery = d->delivery, .attempt = d->attempt,
	    .part = (uint8_t)part, .piece_no = piece_no });
}

static void
send_result(struct link *l, const struct delivery *d,
    const struct delivery_rcpt *r)
{
	const struct verdict *v = &r->outcome->verdict;

	(void)link_send_delivery_result(l, &(struct msg_delivery_result){
	    .id = d->id, .delivery = d->delivery, .attempt = d->attempt,
	    .rcpt_no = r->no, .class = (uint8_t)v->class,
	    .scope = (uint8_t)v->scope, .stage = (uint8_t)v->stage,
	    .code = v->code, .reply = v->text, .hop = r->outcome->hop,
	    .flags = v->flags, .tls = v->tls });
}

void
to_queue_results(struct link *l, const struct delivery *d)
{
	uint32_t cnt = 0;

	for (uint32_t i = 0; d->rcpts != NULL && i < d->rcpt_cnt; i++)
		if (d->rcpts[i].outcome != NULL) {
			send_result(l, d, &d->rcpts[i]);
			cnt++;
		}
	(void)link_send_delivery_done(l, &(struct msg_delivery_done){
	    .id = d->id, .delivery = d->delivery, .attempt = d->attempt,
	    .result_cnt = cnt, .host = d->host, .room = d->room });
}

void
to_queue_back(struct link *l, const struct delivery *d, enum back why)
{
	(void)link_send_delivery_back(l, &(struct msg_delivery_back){
	    .id = d->id, .delivery = d->delivery, .attempt = d->attempt,
	    .why = (uint8_t)why, .host = d->host });
}

void
to_queue_running(struct link *l, const struct delivery *d)
{
	(void)link_send_delivery_running(l, &(struct msg_delivery_running){
	    .id = d->id, .delivery = d->delivery, .attempt = d->attempt });
}

void
to_queue_listed(struct link *l, uint32_t slots)
{
	(void)link_send_delivery_listed(l, &(struct msg_delivery_listed){
	    .slots = slots });
}

void
to_queue_can(struct link *l, const struct msg_relay_can *m)
{
	(void)link_send_relay_can(l, m);
}

void
to_queue_word(struct link *l, const struct delivery *d, enum stage stage,
    uint32_t rcpt_no, const struct verdict *v, struct span hop)
{
	(void)link_send_delivery_word(l, &(struct msg_delivery_word){
	    .id = d->id, .delivery = d->delivery, .attempt = d->attempt,
	    .stage = (uint8_t)stage, .rcpt_no = rcpt_no, .code = v->code,
	    .reply = span_head(v->text, REPLY_TEXT_MAX),
	    .hop = span_head(hop, BUS_STR_MAX) });
}

void
to_queue_user(struct link *l, uint64_t no, enum user_found found,
    struct span names)
{
	(void)link_send_user_answer(l, &(struct msg_user_answer){
	    .no = no, .found = (uint8_t)found, .names = names });
}
