/*
 * from_queue.c - an answer about a stream that has ended is late, not wrong:
 * our abort and the queue's word have crossed.  An answer about a number we
 * never gave out is nonsense.
 *
 * What it says in words is judged, and replaced where it is nonsense: a queue
 * may be confused, or taken over.  A transaction may end inside of any call
 * about it: look at it no more.
 */
#include "edge/edge.h"
#include "edge/from_queue.h"
#include "edge/text/transaction.h"

#define QUEUE_BYTES_MAX	(256u << 20)	/* bytes unsent on the link: what a
					 * thousand streams may be ahead, and
					 * far beyond what a living queue
					 * leaves unread		*/
#define WORDS_MAX	255	/* bytes of its text that are passed on */

/* The queue's words as they may stand in a reply: printable ASCII. */
static struct span
clean_words(struct span text, char *buf, size_t cap)
{
	text = span_head(text, cap);
	for (size_t i = 0; i < text.len; i++)
		buf[i] = text.ptr[i] >= ' ' && text.ptr[i] <= '~' ?
		    text.ptr[i] : '?';
	return (struct span){ buf, text.len };
}

/* "4.3.0" and the like, with the class of its code? */
static bool
is_dsn(struct span dsn, unsigned code)
{
	size_t digits = 0, dots = 0;

	if (dsn.len < 5 || dsn.len > 9 ||
	    dsn.ptr[0] != (char)('0' + code / 100))
		return false;
	for (size_t i = 0; i < dsn.len; i++) {
		if (dsn.ptr[i] >= '0' && dsn.ptr[i] <= '9')
			digits++;
		else if (dsn.ptr[i] == '.' && dsn.ptr[i - 1] != '.')
			dots++;
		else
			return false;
	}
	return dots == 2 && dsn.ptr[1] == '.' && dsn.ptr[dsn.len - 1] != '.';
}

/* Its words, if they may be passed on. */
static bool
has_words(struct reply *out, unsigned code, struct span dsn, struct span text)
{
	char words[WORDS_MAX];

	*out = (struct reply){ .code = (uint16_t)code };
	if (!is_dsn(dsn, code) || !span_cstr(dsn, out->dsn, sizeof(out->dsn)))
		return false;
	text = clean_words(text, words, WORDS_MAX);
	(void)span_cstr(text, out->text, sizeof(out->text));
	return true;
}

/* What the queue says, as a reply of 4yz or 5yz that may be passed on. */
static struct reply
judge(unsigned code, struct span dsn, struct span text)
{
	struct reply f;

	if (code < 400 || code > 599 || !has_words(&f, code, dsn, text))
		return (struct reply){ 451, "4.3.0",
		    "Error queuing message", false };
	return f;
}

/* The same, or 250 with its words, or without any, for ours. */
static struct reply
judge_all(unsigned code, struct span dsn, struct span text)
{
	struct reply yes;

	if (code != 250)
		return judge(code, dsn, text);
	if (text.len == 0 || !has_words(&yes, code, dsn, text))
		yes = (struct reply){ .code = 250 };
	return yes;
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
	case MSG_mail_result:
		return m->mail_result.stream;
	case MSG_mail_taken:
		return m->mail_taken.stream;
	case MSG_mail_refused:
		return m->mail_refused.stream;
	default:
		return 0;
	}
}

static enum err
take_refused(struct transaction *t, const struct msg_mail_refused *m)
{
	struct reply no = judge(m->code, m->dsn, m->text);

	transaction_refused(t, &no);
	return OK;
}

static enum err
take_taken(struct transaction *t, const struct msg_mail_taken *m)
{
	struct reply yes = judge_all(250, m->dsn, m->text);

	return transaction_taken(t, &yes);
}

static enum err
take_result(struct transaction *t, const struct msg_mail_result *m)
{
	struct reply r = judge_all(m->code, m->dsn, m->text);

	return transaction_result(t, &r);
}

static enum err
take_answer(struct edge *edge, unsigned type, const union msg *m)
{
	uint64_t no = stream_of(type, m);
	struct stream *st;

	if (no == 0 || no > edge->last_stream)
		return ERR_PEER;
	if ((st = stream_find(edge, no)) == NULL)
		return OK;
	switch (type) {
	case MSG_mail_grant:
		return transaction_granted(st->transaction,
		    m->mail_grant.id);
	case MSG_mail_credit:
		return transaction_credited(st->transaction,
		    m->mail_credit.pieces);
	case MSG_mail_result:
		return take_result(st->transaction, &m->mail_result);
	case MSG_mail_taken:
		return take_taken(st->transaction, &m->mail_taken);
	default:
		return take_refused(st->transaction, &m->mail_refused);
	}
}

/* What it says about a recipient, or the text; code 250 is yes. */
static enum err
take_word(struct edge *edge, const struct msg_rcpt_answer *m)
{
	struct reply reply = judge_all(m->code, m->dsn, m->text);
	struct question *word;
	enum err e = question_find(&edge->words, m->ask, &word);

	if (e == OK && word != NULL)
		transaction_judged(word, &reply);
	return e;
}

static enum err
take_message(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	struct edge *edge = arg;
	enum queue_full before = edge->full;

	if (type == MSG_rcpt_answer)
		return take_word(edge, &m->rcpt_answer);
	if (type != MSG_queue_state)
		return take_answer(edge, type, m);
	if (m->queue_state.full >= QUEUE_FULL__COUNT ||
	    m->queue_state.utf8 >= QUEUE_UTF8__COUNT ||
	    m->queue_state.eightbit > 1 || m->queue_state.binary > 1 ||
	    m->queue_state.dsn > 1)
		return ERR_PEER;
	edge->full = m->queue_state.full;
	edge->asks = m->queue_state.asks != 0;
	edge->utf8 = m->queue_state.utf8;
	edge->waits = m->queue_state.waits != 0;
	edge->eightbit = m->queue_state.eightbit != 0;
	edge->binary = m->queue_state.binary != 0;
	if (edge->passes) {
		edge->dsn = m->queue_state.dsn != 0;
		edge->max_size = m->queue_state.size;
	}
	if (before != QUEUE_HAS_ROOM && edge->full == QUEUE_HAS_ROOM &&
	    edge->calls->on_room != NULL)
		edge->calls->on_room(edge->arg);
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
	edge->passes = peer->role == ROLE_PROXY;
	edge->asks = edge->waits = true;	/* until it says otherwise */
	edge->eightbit = true;
	edge->dsn = !edge->passes;
	edge->max_size = 0;
	e = link_open(&edge->queue, edge->loop, fd, edge->role, peer,
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
	struct stream *st;

	link_close(&edge->queue);
	edge->full = QUEUE_HAS_ROOM;
	questions_lose(&edge->words);
	for (unsigned i = 0; i < EDGE_STREAM_BUCKETS; i++)
		while ((st = LIST_FIRST(&edge->streams[i])) != NULL)
			transaction_lost(st->transaction);
}
