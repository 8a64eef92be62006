/*
 * from_queue.c - unpacks, checks that the delivery is one of this queue's, and
 * calls worker.c.
 *
 * Pieces, "settled" and "recall" may cross with the end of a delivery on the
 * way, so one that is not known any more is no mistake there.
 */
#include "relay/from_queue.h"

static struct delivery *
find(const struct worker *w, const struct attempts_queue *q, struct id id,
    uint32_t delivery, uint64_t attempt)
{
	struct delivery *d = q->last;

	if (d != NULL && d->attempt == attempt && d->delivery == delivery &&
	    id_cmp(d->id, id) == 0)
		return d;
	return attempts_find(&w->attempts, q, id, delivery, attempt);
}

static enum err
take_rcpt(struct worker *w, struct attempts_queue *q,
    const struct msg_delivery_rcpt *m)
{
	struct delivery *d = find(w, q, m->id, m->delivery, m->attempt);

	if (d == NULL && q->passes)
		return OK;		/* it has ended meanwhile */
	if (d == NULL || delivery_is_whole(d))
		return ERR_PEER;
	return worker_rcpt(w, d, m);
}

static enum err
take_data(struct worker *w, struct attempts_queue *q,
    const struct msg_delivery_data *m)
{
	struct delivery *d = find(w, q, m->id, m->delivery, m->attempt);

	if (d == NULL)
		return OK;
	return m->chunks > 1 ? ERR_PEER : worker_data(d, m->chunks != 0);
}

static enum err
take_piece(struct worker *w, struct attempts_queue *q,
    const struct msg_delivery_piece *m, struct span piece)
{
	struct delivery *d = find(w, q, m->id, m->delivery, m->attempt);

	if (d == NULL)
		return OK;
	if (q->hold.text > worker_text_max(w))
		return ERR_FULL;
	return delivery_add_piece(d, m->part, m->piece_no, m->next, piece);
}

static enum err
take_settled(struct worker *w, struct attempts_queue *q,
    const struct msg_delivery_settled *m)
{
	struct delivery *d = find(w, q, m->id, m->delivery, m->attempt);

	if (d != NULL)
		worker_settle(w, d);
	return OK;
}

static enum err
take_recall(struct worker *w, struct attempts_queue *q,
    const struct msg_delivery_recall *m)
{
	struct delivery *d = find(w, q, m->id, m->delivery, m->attempt);

	if (d != NULL)
		delivery_recall(d);
	return OK;
}

static enum err
queue_says(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	struct attempts_queue *q = arg;
	struct worker *w = q->owner;

	switch (type) {
	case MSG_delivery_open:
		return worker_open(w, q, &m->delivery_open);
	case MSG_delivery_rcpt:
		return take_rcpt(w, q, &m->delivery_rcpt);
	case MSG_delivery_data:
		return take_data(w, q, &m->delivery_data);
	case MSG_delivery_piece:
		return take_piece(w, q, &m->delivery_piece, piece);
	case MSG_delivery_settled:
		return take_settled(w, q, &m->delivery_settled);
	case MSG_delivery_recall:
		return take_recall(w, q, &m->delivery_recall);
	case MSG_user_ask:
		if (w->type->user == NULL)
			return ERR_PEER;
		w->type->user(w->relay_type_arg, q, m->user_ask.no,
		    m->user_ask.rcpt);
		return OK;
	default:
		return ERR_PEER;
	}
}

static void
queue_gone(struct link *l, enum err why, void *arg)
{
	struct attempts_queue *q = arg;
	struct worker *w = q->owner;

	boot_link_lost(w->boot, link_peer(l), why);
	link_close(&q->link);
	worker_unlink(w, q);
}

void
from_queue_link(struct worker *w, int fd, const struct link_peer *peer)
{
	struct attempts_queue *q = attempts_queue_of(&w->attempts,
	    peer->block, w);
	enum err e;

	if (q == NULL)
		boot_fatal("out of memory", 0);
	if (q->link != NULL) {
		link_close(&q->link);
		worker_unlink(w, q);
	}
	q->no = peer->no;
	q->passes = peer->role == ROLE_PROXY;
	e = link_open(&q->link, boot_loop(w->boot), fd,
	    boot_self(w->boot)->role, peer, queue_says, queue_gone, q);
	if (e != OK)
		boot_link_lost(w->boot, peer, e);
	else
		worker_link(w, q);
}

void
from_queue_gone(struct worker *w, uint32_t no)
{
	struct attempts_queue *q;

	TAILQ_FOREACH(q, &w->attempts.queues, entry) {
		if (q->no != no)
			continue;
		link_close(&q->link);
		worker_unlink(w, q);
		worker_forget_queue(w, q);
	}
}
