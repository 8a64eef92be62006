/*
 * dispatch_claim.c - what a relay says that it runs.  What it says names an
 * attempt; one that is not under way is answered with "settled", so that it is
 * forgotten there, and changes nothing here.
 *
 * An attempt is under way with who was given it, or with who says so on a new
 * link (a claim), if the delivery is its own: that is asked of the row that is
 * in memory, and of the envelope when it is read.  While two claim one delivery
 * neither is told that it is settled: when the first had no right to it, the
 * right one is asked again by a new link.
 */
#include "base/log.h"
#include "queue/plan/dispatch_inside.h"
#include "queue/to_relay.h"

#define CLAIMS_MAX	65536	/* of one link: as many as a relay keeps */
#define FALSE_MAX	4	/* of them may be another's: an edit and a
				 * restart may have crossed		*/

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
	struct worker *w = dispatch_find_worker(q->dispatch, dl->worker_no);

	if (w != NULL)
		note_false(w);
	dispatch_settled(q, dl);
	if (dl->is_disputed)
		ask_again(q, due_destination(dl));
	dispatch_put_back(q, dl);
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
