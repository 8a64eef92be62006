/*
 * to_queue.c - a relay that was taken over, in place of relay/to_queue.c: the
 * block named "evil" lies, others of the same program are honest.
 *
 * It keeps to itself what becomes of its own deliveries.  On each new link it
 * speaks of all deliveries of the messages it has heard of, whose they are,
 * and says that they have failed for good, in its own words; and it has more
 * slots than can be.
 */
#include <string.h>

#include "relay/to_queue.h"

#define KNOWN_MAX	16	/* messages				*/
#define OTHERS		4	/* deliveries guessed of each		*/
#define ATTEMPT		7

static struct id known[KNOWN_MAX];
static unsigned known_cnt;

static bool
is_evil(const struct delivery *d)
{
	return span_eq(d->destination, SPAN("evil"));
}

static void
learn(struct id id)
{
	for (unsigned i = 0; i < known_cnt; i++)
		if (id_cmp(known[i], id) == 0)
			return;
	if (known_cnt < KNOWN_MAX)
		known[known_cnt++] = id;
}

static void
lie(struct link *l, struct id id, uint32_t delivery)
{
	struct msg_delivery_result r = {
		.id = id, .delivery = delivery, .attempt = ATTEMPT,
		.class = CLASS_NEVER, .scope = SCOPE_RECIPIENT,
		.stage = STAGE_RCPT, .code = 550,
		.reply = SPAN("5.1.1 Words of the one that lies"),
	};

	(void)link_send_delivery_running(l, &(struct msg_delivery_running){
	    id, delivery, ATTEMPT });
	for (r.rcpt_no = 0; r.rcpt_no < OTHERS; r.rcpt_no++)
		(void)link_send_delivery_result(l, &r);
	(void)link_send_delivery_done(l, &(struct msg_delivery_done){
	    .id = id, .delivery = delivery, .attempt = ATTEMPT,
	    .result_cnt = OTHERS });
}

void
to_queue_pull(struct link *l, const struct delivery *d, enum part part,
    uint32_t piece_no)
{
	(void)link_send_delivery_pull(l, &(struct msg_delivery_pull){
	    .id = d->id, .delivery = d->delivery, .attempt = d->attempt,
	    .part = (uint8_t)part, .piece_no = piece_no });
}

void
to_queue_results(struct link *l, const struct delivery *d)
{
	uint32_t cnt = 0;

	if (is_evil(d)) {
		learn(d->id);
		return;
	}
	for (uint32_t i = 0; d->rcpts != NULL && i < d->rcpt_cnt; i++) {
		const struct delivery_rcpt *r = &d->rcpts[i];

		if (r->outcome == NULL)
			continue;
		(void)link_send_delivery_result(l,
		    &(struct msg_delivery_result){
		    .id = d->id, .delivery = d->delivery,
		    .attempt = d->attempt, .rcpt_no = r->no,
		    .class = (uint8_t)r->outcome->verdict.class,
		    .scope = (uint8_t)r->outcome->verdict.scope,
		    .stage = (uint8_t)r->outcome->verdict.stage,
		    .code = r->outcome->verdict.code,
		    .reply = r->outcome->verdict.text,
		    .hop = r->outcome->hop });
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
	for (unsigned i = 0; i < known_cnt; i++)
		for (uint32_t no = 0; no < OTHERS; no++)
			lie(l, known[i], no);
	(void)link_send_delivery_listed(l, &(struct msg_delivery_listed){
	    .slots = known_cnt > 0 ? UINT32_MAX : slots });
}

void
to_queue_can(struct link *l, const struct msg_relay_can *m)
{
	(void)link_send_relay_can(l, m);
}
