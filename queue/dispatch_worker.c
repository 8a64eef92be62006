/*
 * dispatch_worker.c - who has what.  What a relay says names an attempt; one
 * that is not under way is answered with "settled", so that it is forgotten
 * there, and changes nothing here.
 *
 * An attempt is under way with who was given it, or with who says so on a new
 * link (a claim), if the delivery is its own: that is asked of the row that is
 * in memory, and of the envelope when it is read.  While two claim one delivery
 * neither is told that it is settled: when the first had no right to it, the
 * right one is asked again by a new link.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "queue/dispatch_inside.h"
#include "queue/outcome.h"
#include "queue/suspect.h"
#include "queue/to_relay.h"

#define CLAIMS_MAX	65536	/* of one link: as many as a relay keeps */
#define FALSE_MAX	4	/* of them may be another's: an edit and a
				 * restart may have crossed		*/
#define UNREAD_MAX	(64u << 20)	/* bytes of results before their
				 * envelopes are read			*/
#define PULLS_MAX	4	/* pieces asked for ahead		*/
#define POISONED	3	/* attempts at a message that broke off	*/

struct pull {
	struct store_read_piece read;
	struct queue	*queue;
	uint64_t	 attempt;
	uint32_t	 no;
};

static struct worker *
find_worker(struct dispatch *ds, uint32_t no)
{
	struct worker *w;

	LIST_FOREACH(w, &ds->workers, entry)
		if (w->peer.no == no)
			return w;
	return NULL;
}

/*
 * All that this process had under way is with us again.  died: it fell over
 * with them, which each delivery counts.
 */
static void
take_back(struct worker *w, bool died)
{
	struct queue *q = w->queue;
	struct delivery *dl, *next;

	TAILQ_FOREACH_SAFE(dl, &w->running, entry, next) {
		bool running = dl->state == DELIVERY_RUNNING;

		dl->has_died = died && dl->state == DELIVERY_ADOPTING;
		dispatch_release(q, dl, NEWS_NONE);
		if (!running)
			continue;	/* its load is still on the way */
		if (died)
			outcome_died(q, dl);
		else
			due_put_back(q->due, &dl);
	}
}

/* New deliveries go to the latest process that has the place. */
static void
choose(struct dispatch *ds, struct lane *l)
{
	struct worker *w;

	l->worker = NULL;
	LIST_FOREACH(w, &ds->workers, entry)
		if (w->lane == l && (l->worker == NULL ||
		    w->peer.no > l->worker->peer.no))
			l->worker = w;
}

struct worker *
dispatch_worker(struct queue *q, const struct link_peer *peer)
{
	struct dispatch *ds = q->dispatch;
	struct worker *w = find_worker(ds, peer->no);
	struct lane *lane = dispatch_lane(ds, peer->block, peer->worker,
	    peer->workers > 0 ? peer->workers : 1);

	if (lane == NULL)
		return NULL;
	if (w != NULL) {
		link_close(&w->link);
		if (w->peer.start != peer->start)
			take_back(w, true);
	} else {
		if ((w = calloc(1, sizeof(*w))) == NULL)
			return NULL;
		TAILQ_INIT(&w->running);
		TAILQ_INIT(&w->suspects);
		LIST_INSERT_HEAD(&ds->workers, w, entry);
	}
	w->queue = q;
	w->peer = *peer;
	w->is_listed = false;
	w->claim_cnt = w->false_cnt = 0;
	w->lane = lane;
	choose(ds, lane);
	return w;
}

/* All of them are said again. */
static void
drop_results(struct worker *w, struct delivery *dl)
{
	w->unread -= dl->unread;
	dl->unread = 0;
	due_drop_results(dl);
	for (uint32_t i = 0; dl->envelope != NULL &&
	    i < dl->envelope->rcpt_cnt; i++)
		dl->envelope->rcpts[i].is_said = false;
}

void
dispatch_linked(struct worker *w, struct link *l)
{
	struct delivery *dl;

	w->link = l;
	TAILQ_FOREACH(dl, &w->running, entry) {
		dl->is_listed = false;
		drop_results(w, dl);	/* they were cut off */
	}
	dispatch_relane(w->queue->dispatch);
}

void
dispatch_unlinked(struct worker *w)
{
	w->link = NULL;
	w->is_listed = false;
	dispatch_pump(w->queue->dispatch);
	queue_rested(w->queue);
}

void
dispatch_gone(struct queue *q, uint32_t no)
{
	struct worker *w = find_worker(q->dispatch, no);

	if (w == NULL)
		return;
	take_back(w, false);
	suspect_scatter(w);
	LIST_REMOVE(w, entry);
	choose(q->dispatch, w->lane);
	link_close(&w->link);
	free(w);
	dispatch_relane(q->dispatch);
	queue_rested(q);
}

/* Take what we did not know was under way. */
static enum err
adopt(struct worker *w, struct delivery *dl,
    const struct msg_delivery_running *m)
{
	struct queue *q = w->queue;

	if (dl == NULL && (dl = due_adopt(q->due, m->id, m->delivery)) == NULL)
		return ERR_SYS;
	due_pick(q->due, dl);
	dl->state = DELIVERY_ADOPTING;
	dl->is_adopted = true;
	dl->claimed_by = w->lane;
	dl->worker = w;
	dl->worker_no = w->peer.no;
	dl->attempt = m->attempt;
	dl->is_listed = true;
	dispatch_hold_slot(w, dl);
	dispatch_load(q, dl);
	return OK;
}

static bool
is_waiting(const struct delivery *dl)
{
	return dl->state == DELIVERY_WAITING ||
	    dl->state == DELIVERY_SUSPECT;
}

/* Said in the log once a link: the peer may say so as often as it likes. */
static void
note_false(struct worker *w)
{
	char name[LINK_NAME_MAX];
	struct log_line l;

	if (w->false_cnt++ > 0)
		return;
	link_name(&w->peer, name);
	log_begin(&l, LOG_denied);
	log_text(&l, LOG_KEY_peer, name);
	log_text(&l, LOG_KEY_why, "it speaks of a delivery that is another's");
	log_end(&l);
}

/* Has somebody else said the same, and it is not known who is right? */
static bool
has_rival(const struct worker *w, const struct delivery *dl)
{
	return dl->state == DELIVERY_ADOPTING && dl->claimed_by != w->lane;
}

enum err
dispatch_running(struct worker *w, const struct msg_delivery_running *m)
{
	struct delivery *dl = due_find(w->queue->due, m->id, m->delivery);

	if (w->is_listed || m->attempt == 0 || w->claim_cnt >= CLAIMS_MAX ||
	    w->false_cnt >= FALSE_MAX)
		return ERR_PEER;
	w->claim_cnt++;
	if (dl == NULL || (is_waiting(dl) &&
	    lane_owns(w->lane, due_destination(dl))))
		return adopt(w, dl, m);
	if (dl->attempt == m->attempt && dl->worker_no == w->peer.no) {
		dl->is_listed = true;
		return OK;
	}
	if (has_rival(w, dl)) {
		dl->is_disputed = true;
		return OK;
	}
	if (is_waiting(dl))
		note_false(w);
	to_relay_settled(w, m->id, m->delivery, m->attempt);
	return OK;
}

/* Whose it is says again what it runs, on a new link. */
static void
ask_again(struct queue *q, const struct destination *d)
{
	struct worker *w;

	LIST_FOREACH(w, &q->dispatch->workers, entry) {
		if (w->link == NULL || !lane_owns(w->lane, d))
			continue;
		boot_link_lost(q->boot, &w->peer, ERR_AGAIN);
		link_close(&w->link);
		dispatch_unlinked(w);
	}
}

void
dispatch_disown(struct queue *q, struct delivery *dl)
{
	struct worker *w = find_worker(q->dispatch, dl->worker_no);

	if (w != NULL)
		note_false(w);
	dispatch_settled(q, dl);
	if (dl->is_disputed)
		ask_again(q, due_destination(dl));
	dispatch_put_back(q, dl);
}

/* What was sent to it and is not in its list got lost on the way. */
enum err
dispatch_listed(struct worker *w, uint32_t slots)
{
	struct delivery *dl, *next;

	w->slots = slots;
	if (w->is_listed) {
		dispatch_pump(w->queue->dispatch);
		return OK;
	}
	w->is_listed = true;
	TAILQ_FOREACH_SAFE(dl, &w->running, entry, next)
		if (!dl->is_listed && dl->state == DELIVERY_RUNNING)
			dispatch_put_back(w->queue, dl);
	dispatch_pump(w->queue->dispatch);
	return OK;
}

struct delivery *
dispatch_under_way(struct worker *w, struct id id, uint32_t no,
    uint64_t attempt)
{
	struct delivery *dl = due_find(w->queue->due, id, no);

	if (dl != NULL && dl->is_disputed && has_rival(w, dl))
		return NULL;
	if (dl == NULL || dl->attempt != attempt ||
	    dl->worker_no != w->peer.no || dl->state == DELIVERY_WAITING ||
	    dl->state == DELIVERY_LOADING || dl->state == DELIVERY_HELD ||
	    dl->state == DELIVERY_SUSPECT) {
		to_relay_settled(w, id, no, attempt);
		return NULL;
	}
	return dl;
}

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
	struct worker *w = find_worker(ds, dl->worker_no);
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
	return sizeof(*r) + r->reply.len + r->hop.len;
}

static struct result *
copy_result(const struct msg_delivery_result *m)
{
	struct span reply = span_head(m->reply, REPLY_TEXT_MAX);
	struct span hop = span_head(m->hop, DOMAIN_MAX);
	struct result *r = calloc(1, sizeof(*r) + reply.len + hop.len);

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
	r->reply = (struct span){ r->text, reply.len };
	r->hop = (struct span){ r->text + reply.len, hop.len };
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
	if ((r = copy_result(m)) == NULL)
		return ERR_SYS;
	STAILQ_INSERT_TAIL(&dl->results, r, entry);
	dl->result_cnt++;
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
	    &dl->untold_cnt);
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

void
dispatch_settled(struct queue *q, const struct delivery *dl)
{
	struct worker *w = find_worker(q->dispatch, dl->worker_no);

	if (w != NULL && dl->attempt != 0)
		to_relay_settled(w, dl->place.id, dl->place.no, dl->attempt);
}

bool
dispatch_is_busy(const struct dispatch *ds)
{
	const struct worker *w;

	LIST_FOREACH(w, &ds->workers, entry)
		if (w->link != NULL && !TAILQ_EMPTY(&w->running))
			return true;
	return false;
}
