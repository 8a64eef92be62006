/*
 * from_queue.c - an answer about a stream that has ended is late, not wrong:
 * our abort and the queue's word have crossed.  An answer about a number we
 * never gave out is nonsense.
 *
 * A session may end, and its transaction with it, inside any session_*()
 * call: look at neither afterwards.
 */
#include "edge/edge.h"
#include "edge/from_queue.h"
#include "edge/session.h"
#include "edge/transaction.h"

#define QUEUE_BYTES_MAX	(256u << 20)	/* bytes unsent on the link: what a
					 * thousand streams may be ahead, and
					 * far beyond what a living queue
					 * leaves unread		*/

static enum err
take_grant(struct transaction *t, const struct msg_mail_grant *m)
{
	if (t->is_granted)
		return ERR_PEER;
	t->is_granted = true;
	t->id = m->id;
	t->credit = STREAM_CREDIT;
	session_queue_ready(t->session);
	return OK;
}

static enum err
take_credit(struct transaction *t, const struct msg_mail_credit *m)
{
	if (!t->is_granted || m->pieces > STREAM_CREDIT - t->credit)
		return ERR_PEER;
	t->credit += m->pieces;
	session_queue_ready(t->session);
	return OK;
}

static enum err
take_taken(struct transaction *t)
{
	if (!t->is_committed)
		return ERR_PEER;
	session_queue_taken(t->session);
	return OK;
}

static enum err
take_refused(struct transaction *t, const struct msg_mail_refused *m)
{
	session_queue_refused(t->session, m->code, m->dsn, m->text);
	return OK;
}

/* Every answer begins with the number of its stream. */
static uint64_t
stream_of(unsigned type, const union msg *m)
{
	switch (type) {
	case MSG_mail_grant:
		return m->mail_grant.stream;
	case MSG_mail_credit:
		return m->mail_credit.stream;
	case MSG_mail_taken:
		return m->mail_taken.stream;
	case MSG_mail_refused:
		return m->mail_refused.stream;
	default:
		return 0;
	}
}

static enum err
take_answer(struct edge *edge, unsigned type, const union msg *m)
{
	uint64_t stream = stream_of(type, m);
	struct transaction *t;

	if (stream == 0 || stream > edge->last_stream)
		return ERR_PEER;
	if ((t = transaction_find(edge, stream)) == NULL)
		return OK;
	switch (type) {
	case MSG_mail_grant:
		return take_grant(t, &m->mail_grant);
	case MSG_mail_credit:
		return take_credit(t, &m->mail_credit);
	case MSG_mail_taken:
		return take_taken(t);
	default:
		return take_refused(t, &m->mail_refused);
	}
}

/* What it says about a recipient; the same holds for its number. */
static enum err
take_rcpt(struct edge *edge, const struct msg_rcpt_answer *m)
{
	struct transaction *t;

	if (m->ask == 0 || m->ask > edge->last_ask)
		return ERR_PEER;
	if ((t = transaction_find_ask(edge, m->ask)) != NULL)
		session_queue_rcpt(t->session, m->code, m->dsn, m->text);
	return OK;
}

static enum err
take_message(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	struct edge *edge = arg;

	if (type == MSG_rcpt_answer)
		return take_rcpt(edge, &m->rcpt_answer);
	if (type != MSG_queue_state)
		return take_answer(edge, type, m);
	if (m->queue_state.full >= QUEUE_FULL__COUNT)
		return ERR_PEER;
	edge->full = m->queue_state.full;
	edge->asks = m->queue_state.asks != 0;
	edge->can_utf8 = m->queue_state.utf8 != 0;
	return OK;
}

static void
queue_gone(struct link *l, enum err why, void *arg)
{
	struct edge *edge = arg;
	struct link_peer peer = *link_peer(l);

	from_queue_close(edge);
	edge->calls->lost(&peer, why, edge->arg);
}

void
from_queue_link(struct edge *edge, int fd, const struct link_peer *peer)
{
	enum err e;

	from_queue_close(edge);
	edge->asks = true;		/* until it says that it need not be */
	e = link_open(&edge->queue, edge->loop, fd, ROLE_EDGE, peer,
	    take_message, queue_gone, edge);
	if (e != OK) {
		edge->queue = NULL;
		edge->calls->lost(peer, e, edge->arg);
		return;
	}
	link_set_queue_max(edge->queue, QUEUE_BYTES_MAX);
}

void
from_queue_close(struct edge *edge)
{
	struct transaction *t;

	link_close(&edge->queue);
	edge->full = QUEUE_HAS_ROOM;
	for (unsigned i = 0; i < EDGE_STREAM_BUCKETS; i++) {
		while ((t = LIST_FIRST(&edge->streams[i])) != NULL)
			session_queue_lost(t->session);
		while ((t = LIST_FIRST(&edge->asked[i])) != NULL)
			session_queue_lost(t->session);
	}
}
