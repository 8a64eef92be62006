/*
 * to_relay.c - results of sends are left to the link's gone call.
 *
 * A relay takes recipients in the order they are said, and may give up before
 * it has come to all of them.  Each attempt begins at another place, steps of
 * the golden section round the ring, so that no run of them is left out for
 * ever however long a run a next hop takes.
 */
#include "queue/to_relay.h"

#define GOLDEN	UINT64_C(2654435769)	/* of 2^32 */

static uint32_t
first_of(const struct envelope *env)
{
	uint64_t turn = env->delivery.attempts * GOLDEN & UINT32_MAX;

	return (uint32_t)(turn * env->rcpt_cnt >> 32);
}

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
		.ret = env->message.ret, .envid = env->message.envid,
		.body = env->message.body, .params = env->message.params,
		.by_ms = env->message.by_ms, .by_mode = env->message.by_mode,
		.deadline_ms = (uint64_t)store_deadline(w->queue->store),
	};
	uint32_t at;

	if (w->link == NULL)
		return;
	link_send_delivery_open(w->link, &open);
	at = first_of(env);
	for (uint32_t i = 0; i < env->rcpt_cnt; i++) {
		struct msg_delivery_rcpt rcpt = {
			dl->place.id, dl->place.no, dl->attempt,
			env->rcpts[at].no, env->rcpts[at].address,
			env->rcpts[at].dsn.notify, env->rcpts[at].dsn.orcpt,
			i + 1 == env->rcpt_cnt,
		};

		link_send_delivery_rcpt(w->link, &rcpt);
		if (++at == env->rcpt_cnt)
			at = 0;
	}
}

/* Pieces are full but for the last of a part. */
static enum piece_next
next_of(const struct record_message *m, const struct store_read_piece *r)
{
	uint64_t len = r->part == PART_HEADER ? m->header_len : m->body_len;

	if ((r->piece_no + UINT64_C(1)) * PIECE_MAX < len)
		return PIECE_NEXT;
	return r->part == PART_HEADER && m->body_len > 0 ? PIECE_NEXT_PART :
	    PIECE_NEXT_NONE;
}

void
to_relay_piece(struct worker *w, const struct delivery *dl,
    const struct store_read_piece *r)
{
	struct msg_delivery_piece m = {
		dl->place.id, dl->place.no, dl->attempt, r->part, r->piece_no,
		(uint8_t)next_of(&dl->envelope->message, r),
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

void
to_relay_recall(struct worker *w, const struct delivery *dl)
{
	struct msg_delivery_recall m = {
		dl->place.id, dl->place.no, dl->attempt,
	};

	if (w->link != NULL)
		link_send_delivery_recall(w->link, &m);
}

void
to_relay_user(struct link *l, uint64_t no, struct span rcpt)
{
	(void)link_send_user_ask(l, &(struct msg_user_ask){
	    .no = no, .rcpt = rcpt });
}
