/*
 * dispatch_slot.c - what is under way: a delivery holds a slot of its worker,
 * is counted at its destination and at the host behind it, and what comes of it
 * is told to both.
 */
#include "queue/control/edit.h"
#include "queue/plan/dispatch_inside.h"
#include "queue/store/store_envelope.h"
#include "queue/to_relay.h"
#include "sys/counters.h"

struct worker *
dispatch_find_worker(struct dispatch *ds, uint32_t no)
{
	struct worker *w;

	LIST_FOREACH(w, &ds->workers, entry)
		if (w->peer.no == no)
			return w;
	return NULL;
}

void
dispatch_not_alone(struct worker *w, const struct delivery *dl)
{
	if (w->suspect != dl)
		return;
	w->suspect = NULL;
	timer_stop(&w->alone);
}

static void
leave_slot(struct queue *q, struct delivery *dl)
{
	struct worker *w = dl->worker;

	if (w == NULL)
		return;
	dispatch_not_alone(w, dl);
	TAILQ_REMOVE(&w->running, dl, entry);
	w->used--;
	w->rank_used[dl->rank]--;
	w->result_bytes -= dl->result_bytes;
	dl->result_bytes = 0;
	dl->worker = NULL;
	counter_set(COUNTER_active, --q->dispatch->active_cnt);
}

/* It came to the host of that number; 0: to none, or nobody knows. */
static void
note_host(struct destination *d, struct delivery *dl,
    enum destination_news news)
{
	struct host *h = dl->host;
	bool is_other = dl->came_to != 0 && d->lane != NULL &&
	    (d->host == NULL || d->host->key != dl->came_to);

	dl->host = NULL;
	if (h != NULL) {
		host_back(h);
		if (news != NEWS_NONE && h->key != dl->came_to)
			standing_pass(&h->standing);
		if (h != d->host)
			host_look(h);
	}
	if (is_other)
		host_link(d, dl->came_to);
	else if (dl->came_to == 0 && news != NEWS_NONE)
		host_unlink(d);
	if (d->host != NULL && dl->is_done && dl->came_to != 0)
		host_takes(d->host, dl->room);
}

void
dispatch_release(struct queue *q, struct delivery *dl,
    enum destination_news news)
{
	struct destination *d = due_destination(dl);

	leave_slot(q, dl);
	dispatch_pump(q->dispatch);
	if (d == NULL || !dl->is_counted)
		return;
	dl->is_counted = false;
	note_host(d, dl, news);
	destination_answered(d, d->host != NULL ? &d->host->standing : NULL,
	    news, ev_now_ms(q->loop), q->settings.retry.cap_ms);
	if (d->host != NULL)
		host_look(d->host);
	if (d->standing.state == STANDING_DOWN)
		timer_set(&d->probe, d->standing.next_try_ms -
		    ev_now_ms(q->loop));
	else
		dispatch_ready(d, q->dispatch);
}

void
dispatch_hold_slot(struct worker *w, struct delivery *dl)
{
	dl->worker = w;
	TAILQ_INSERT_TAIL(&w->running, dl, entry);
	w->used++;
	w->rank_used[dl->rank]++;
	dl->started_ms = ev_now_ms(w->queue->loop);
	counter_set(COUNTER_active, ++w->queue->dispatch->active_cnt);
}

void
dispatch_count(struct delivery *dl)
{
	struct destination *d = due_destination(dl);

	destination_sent(d);
	if ((dl->host = d->host) != NULL)
		host_sent(dl->host);
	dl->is_counted = true;
}

void
dispatch_release_untried(struct queue *q, struct delivery *dl)
{
	dispatch_release(q, dl, NEWS_NONE);
}

void
dispatch_put_back(struct queue *q, struct delivery *dl)
{
	dispatch_release(q, dl, NEWS_NONE);
	due_put_back(q->due, &dl);
}

void
dispatch_load(struct queue *q, struct delivery *dl)
{
	dl->is_parked = edit_is_pending(q->edits, dl->place.id);
	if (dl->is_parked)
		return;
	if (dl->worker != NULL && (dl->reads = dl->worker->lane) != NULL)
		dl->reads->read_cnt++;
	dl->load.id = dl->place.id;
	dl->load.no = dl->place.no;
	store_read_envelope(q->store, &dl->load, q->dispatch->on_loaded,
	    q);
}

void
dispatch_unpark(struct queue *q, struct delivery *dl)
{
	if (dl->is_parked)
		dispatch_load(q, dl);
}

void
dispatch_reread(struct queue *q, struct delivery *dl)
{
	dispatch_put_back(q, dl);
}

void
dispatch_start(struct worker *w, struct delivery *dl,
    enum destination_rank rank, int64_t patience_ms)
{
	dl->rank = rank;
	dl->patience_ms = patience_ms;
	dispatch_hold_slot(w, dl);
	dispatch_count(dl);
	dispatch_load(w->queue, dl);
}

void
dispatch_settled(struct queue *q, const struct delivery *dl)
{
	struct worker *w = dispatch_find_worker(q->dispatch, dl->worker_no);

	if (w != NULL && dl->attempt != 0)
		to_relay_settled(w, dl->place.id, dl->place.no, dl->attempt);
}
