/*
 * dispatch_result.c - an attempt that is under way: the text that the relay
 * pulls for it, what it says of each recipient, and what all of that says about
 * the destination.
 */
#include <stdlib.h>
#include <string.h>

#include "queue/plan/dispatch_inside.h"
#include "queue/plan/outcome.h"
#include "queue/store/store_envelope.h"
#include "queue/to_relay.h"

#define UNREAD_MAX	(64u << 20)	/* bytes of results before their
				 * envelopes are read			*/
#define RESULT_BYTES_MAX (64u << 20)	/* of what runs: half a million usual
				 * replies				*/
#define REPLY_SHORT	80	/* bytes of each from there on		*/
#define PULLS_MAX	4	/* pieces asked for ahead		*/
#define POISONED	3	/* attempts at a message that broke off	*/

struct pull {
	struct store_read_piece read;
	struct queue	*queue;
	uint64_t	 attempt;
	uint32_t	 no;
};

static void
pulled(struct store_op *op, enum err e, void *arg)
{
	struct pull *p = arg;
	struct queue *q = p->queue;
	struct delivery *dl = due_find(q->due, p->read.id, p->no);

	if (dl == NULL || dl->attempt != p->attempt)
		goto out;
	dl->pull_cnt--;
	if (dl->worker == NULL || dl->state != DELIVERY_RUNNING)
		goto out;
	if (e == OK) {
		to_relay_piece(dl->worker, dl, &p->read);
		goto out;
	}
	to_relay_settled(dl->worker, dl->place.id, dl->place.no, dl->attempt);
	if (e == ERR_SYS) {		/* ours, and it may pass */
		dispatch_put_back(q, dl);
		goto out;
	}
	dispatch_release(q, dl, NEWS_NONE);
	outcome_unreadable(q, dl);
out:
	free(p->read.text);
	free(p);
}

static bool
is_within(const struct delivery *dl, const struct msg_delivery_pull *m)
{
	uint64_t len = m->part == PART_HEADER ?
	    dl->envelope->message.header_len : dl->envelope->message.body_len;

	return m->piece_no == 0 || (uint64_t)m->piece_no * PIECE_MAX < len;
}

enum err
dispatch_pull(struct worker *w, const struct msg_delivery_pull *m)
{
	struct delivery *dl = dispatch_under_way(w, m->id, m->delivery,
	    m->attempt);
	struct pull *p;

	if (dl == NULL || dl->state == DELIVERY_SETTLING)
		return OK;
	if (dl->envelope == NULL || dl->is_done || !is_within(dl, m) ||
	    dl->pull_cnt >= PULLS_MAX)
		return ERR_PEER;
	if ((p = calloc(1, sizeof(*p))) == NULL)
		return ERR_SYS;
	p->read.id = m->id;
	p->read.part = m->part;
	p->read.piece_no = m->piece_no;
	p->queue = w->queue;
	p->no = m->delivery;
	p->attempt = m->attempt;
	dl->pull_cnt++;
	store_read_piece(w->queue->store, &p->read, pulled, p);
	return OK;
}

static int
cmp_rcpt(const void *key, const void *rcpt)
{
	uint32_t a = *(const uint32_t *)key;
	uint32_t b = ((const struct envelope_rcpt *)rcpt)->no;

	return (a > b) - (a < b);
}

/* One result of each recipient that there is. */
static bool
is_wanted(struct delivery *dl, uint32_t rcpt_no)
{
	struct envelope *env = dl->envelope;
	struct envelope_rcpt *r = bsearch(&rcpt_no, env->rcpts,
	    env->rcpt_cnt, sizeof(env->rcpts[0]), cmp_rcpt);

	if (r == NULL || r->is_said)
		return false;
	return r->is_said = true;
}

void
dispatch_claim_read(struct dispatch *ds, struct delivery *dl)
{
	struct worker *w = dispatch_find_worker(ds, dl->worker_no);
	struct result *r, *next;

	if (w != NULL)
		w->unread -= dl->unread;
	dl->unread = 0;
	STAILQ_FOREACH_SAFE(r, &dl->results, entry, next) {
		if (dl->envelope != NULL && is_wanted(dl, r->rcpt_no))
			continue;
		STAILQ_REMOVE(&dl->results, r, result, entry);
		free(r);
	}
}

static size_t
size_of(const struct result *r)
{
	return sizeof(*r) + r->reply.len + r->hop.len + r->tls.len;
}

static struct result *
copy_result(const struct msg_delivery_result *m, size_t reply_max)
{
	struct span reply = span_head(m->reply, reply_max);
	struct span hop = span_head(m->hop, DOMAIN_MAX);
	struct span tls = span_head(m->tls, TLS_WORDS_MAX);
	struct result *r = calloc(1, sizeof(*r) + reply.len + hop.len +
	    tls.len);

	if (r == NULL)
		return NULL;
	r->rcpt_no = m->rcpt_no;
	r->class = m->class;
	r->scope = m->scope;
	r->stage = m->stage;
	r->code = m->code;
	r->flags = m->flags;
	if (reply.len > 0)
		memcpy(r->text, reply.ptr, reply.len);
	if (hop.len > 0)
		memcpy(r->text + reply.len, hop.ptr, hop.len);
	if (tls.len > 0)
		memcpy(r->text + reply.len + hop.len, tls.ptr, tls.len);
	r->reply = (struct span){ r->text, reply.len };
	r->hop = (struct span){ r->text + reply.len, hop.len };
	r->tls = (struct span){ r->text + reply.len + hop.len, tls.len };
	return r;
}

enum err
dispatch_result(struct worker *w, const struct msg_delivery_result *m)
{
	struct delivery *dl = dispatch_under_way(w, m->id, m->delivery,
	    m->attempt);
	struct result *r;

	if (dl == NULL || dl->is_done || dl->state == DELIVERY_SETTLING)
		return OK;		/* said again after a new link */
	if (dl->result_cnt >= RCPTS_MAX)
		return ERR_PEER;
	if (dl->envelope != NULL && !is_wanted(dl, m->rcpt_no)) {
		if (!dl->is_adopted)
			return ERR_PEER;
		dl->result_cnt++;	/* of one struck before our start */
		return OK;
	}
	if (dl->envelope == NULL && w->unread >= UNREAD_MAX)
		return ERR_FULL;
	if ((r = copy_result(m, w->result_bytes < RESULT_BYTES_MAX ?
	    REPLY_TEXT_MAX : REPLY_SHORT)) == NULL)
		return ERR_SYS;
	STAILQ_INSERT_TAIL(&dl->results, r, entry);
	dl->result_cnt++;
	dl->result_bytes += size_of(r);
	w->result_bytes += size_of(r);
	if (dl->envelope == NULL) {
		dl->unread += size_of(r);
		w->unread += size_of(r);
	}
	return OK;
}

/*
 * A conversation that broke off.  Within the text it tells about the message;
 * from the third attempt on it tells no more than was known of that message.
 */
static enum destination_news
news_of_break(const struct delivery *dl, const struct result *r)
{
	if (r->scope == SCOPE_DESTINATION)
		return NEWS_UNREACHED;
	if (r->stage != STAGE_BODY)
		return NEWS_HOST;
	return dl->envelope != NULL &&
	    dl->envelope->delivery.attempts + 1 >= POISONED ? NEWS_NONE :
	    NEWS_BROKEN;
}

/* What the results say about the place they came from. */
static enum destination_news
news_of(const struct delivery *dl)
{
	enum destination_news news = NEWS_NONE;
	const struct result *r;

	STAILQ_FOREACH(r, &dl->results, entry) {
		if (r->scope == SCOPE_OURS)
			continue;
		if (r->class == CLASS_DONE || (r->scope != SCOPE_HOST &&
		    r->scope != SCOPE_DESTINATION))
			return NEWS_REACHED;
		if (r->class != CLASS_LATER)
			news = NEWS_REACHED;
		else if (news == NEWS_NONE)
			news = news_of_break(dl, r);
	}
	return news;
}

/* A probe of what is still down is one more of many: see standing.h. */
static void
sum_up(struct queue *q, struct delivery *dl, enum destination_news news)
{
	struct destination *d = due_destination(dl);
	struct standing *s;

	if (d == NULL || dl->rank != RANK_DOWN || destination_is_up(d) ||
	    (news != NEWS_UNREACHED && news != NEWS_HOST))
		return;
	s = d->host != NULL ? &d->host->standing : &d->standing;
	dl->is_quiet = !standing_tells(s, ev_now_ms(q->loop),
	    &dl->unlogged_cnt);
}

enum err
dispatch_done(struct worker *w, const struct msg_delivery_done *m)
{
	struct delivery *dl = dispatch_under_way(w, m->id, m->delivery,
	    m->attempt);
	enum destination_news news;

	if (dl == NULL || dl->is_done)
		return OK;
	if (m->result_cnt != dl->result_cnt)
		return ERR_PEER;
	dl->is_done = true;
	dl->came_to = m->host;
	dl->room = m->room;
	news = news_of(dl);
	dispatch_release(w->queue, dl, news);
	sum_up(w->queue, dl, news);
	if (dl->state == DELIVERY_RUNNING)
		outcome_begin(w->queue, dl);
	return OK;		/* else when it is loaded */
}
