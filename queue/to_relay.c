/* to_relay.c - results of sends are left to the link's gone call. */
#include "queue/to_relay.h"

void
to_relay_open(struct worker *w, const struct delivery *dl)
{
	const struct envelope *env = dl->envelope;
	struct msg_delivery_open open = {
		.id = dl->place.id, .delivery = dl->place.no,
		.attempt = dl->attempt, .flags = env->message.flags,
		.header_len = env->message.header_len,
		.body_len = env->message.body_len, .rcpt_cnt = env->rcpt_cnt,
		.destination = env->delivery.destination,
		.sender = env->message.sender, .client = env->message.client,
		.helo = env->message.helo, .proto = env->message.proto,
		.tenant = env->message.tenant,
	};

	if (w->link == NULL)
		return;
	link_send_delivery_open(w->link, &open);
	for (uint32_t i = 0; i < env->rcpt_cnt; i++) {
		struct msg_delivery_rcpt rcpt = {
			dl->place.id, dl->place.no, dl->attempt,
			env->rcpts[i].no, env->rcpts[i].address,
		};

		link_send_delivery_rcpt(w->link, &rcpt);
	}
}

void
to_relay_piece(struct worker *w, const struct delivery *dl,
    const struct store_read_piece *r)
{
	struct msg_delivery_piece m = {
		dl->place.id, dl->place.no, dl->attempt, r->part, r->piece_no,
	};

	if (w->link != NULL)
		link_send_delivery_piece(w->link, &m,
		    (struct span){ r->text, r->len });
}

void
to_relay_settled(struct worker *w, struct id id, uint32_t no,
    uint64_t attempt)
{
	struct msg_delivery_settled m = { id, no, attempt };

	if (w->link != NULL)
		link_send_delivery_settled(w->link, &m);
}
