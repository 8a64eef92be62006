/*
 * edit.c - the loop's side of store_edit().  Its order matters: first all that
 * is in memory of the message goes back to the disk, then the rows that were
 * moved are noted, so that none is taken for one that is known already.
 *
 * That none is under way is our own knowledge: where others write as well, one
 * may have gone on meanwhile.  What must rest is looked at first (edit_look.c),
 * and left alone where it is not any more as it was seen.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "queue/bounce/digest.h"
#include "queue/plan/dispatch.h"
#include "queue/control/edit_inside.h"
#include "queue/bounce/telling.h"
#include "sys/clock.h"
#include "sys/counters.h"

#define EDITS_MAX	256	/* on their way at once */

/* In a relay's hands, or on its way there or from there. */
static bool
is_under_way(const struct delivery *dl)
{
	return dl->state != DELIVERY_WAITING && dl->state != DELIVERY_HELD &&
	    dl->state != DELIVERY_SUSPECT;
}

static bool
has_under_way(struct queue *q, struct id id)
{
	const struct delivery *dl;

	for (uint32_t no = 0; (dl = due_find_next(q->due, id, no)) != NULL;
	    no = dl->place.no + 1) {
		if (is_under_way(dl))
			return true;
		if (dl->place.no == UINT32_MAX)
			break;
	}
	return false;
}

/* What memory has of the message is parked no longer, or read again. */
static void
wake_known(struct queue *q, struct id id, bool changed)
{
	struct delivery *dl;
	uint32_t no = 0;

	while ((dl = due_find_next(q->due, id, no)) != NULL) {
		no = dl->place.no + 1;
		if (changed && (!is_under_way(dl) ||
		    (dl->is_parked && dl->state == DELIVERY_LOADING)))
			dispatch_reread(q, dl);
		else
			dispatch_unpark(q, dl);
		if (no == 0)
			break;
	}
}

static void
retry_destination(struct queue *q, const struct store_flow *flow)
{
	struct store_names names = store_flow_names(store_flow_span(flow));
	struct destination *d = due_find_destination(q->due, names.relay,
	    names.destination);

	if (d != NULL)
		dispatch_retry(q, d);
}

static const char *
why_of(const struct store_edit *e)
{
	if (e->action == EDIT_RETRY && e->removed)
		return "all its recipients are done with, and its envelope "
		    "was damaged";
	if (e->action == EDIT_RETRY)
		return "what could not be read can be read again";
	if (e->action == EDIT_GIVE_UP)
		return e->reported_cnt > 0 ?
		    "by posternctl, which removes what cannot be read as a "
		    "whole; its sender is told" :
		    "by posternctl, which removes what cannot be read as a "
		    "whole; there is no sender to be told";
	if (e->action == EDIT_REMOVE && e->was_damaged)
		return "by posternctl, not all of it could be read; its sender "
		    "is not told";
	return "by posternctl";
}

static void
log_edit(const struct store_edit *e)
{
	static const enum log_event events[EDIT__COUNT] = {
		[EDIT_FLUSH] = LOG_flushed, [EDIT_HOLD] = LOG_held,
		[EDIT_RELEASE] = LOG_released, [EDIT_REMOVE] = LOG_removed,
		[EDIT_RETRY] = LOG_released, [EDIT_GIVE_UP] = LOG_failed,
	};
	struct log_line l;

	if (e->changed_cnt == 0 && !e->removed && e->action != EDIT_REMOVE &&
	    e->action != EDIT_GIVE_UP)
		return;
	log_begin(&l, e->action == EDIT_RETRY && e->removed ? LOG_removed :
	    events[e->action]);
	log_id(&l, LOG_KEY_id, e->id);
	log_num(&l, LOG_KEY_count, e->changed_cnt);
	log_text(&l, LOG_KEY_why, why_of(e));
	if (e->who.len > 0)
		log_str(&l, LOG_KEY_by, e->who);
	log_end(&l);
}

/* Whatever there is to be told of it: at once, for nothing more can come. */
static void
answer(struct queue *q, const struct store_edit *e)
{
	if (e->unreported_cnt > 0) {
		counter_add(COUNTER_untold, e->unreported_cnt);
		digest_note(q->digest);
	}
	telling_note(q->reports, e->id, e->reported_cnt, true);
}

static void
take_effect(struct queue *q, const struct store_edit *e)
{
	if (e->removed)
		counter_add(COUNTER_removed, 1);
	for (uint32_t i = 0; i < e->row_cnt; i++) {
		if (e->rows[i].moved)
			due_moved(q->due, &e->rows[i].flow,
			    &e->rows[i].place);
		if (e->action == EDIT_FLUSH)
			retry_destination(q, &e->rows[i].flow);
	}
	log_edit(e);
	if (e->action == EDIT_GIVE_UP)
		answer(q, e);
}

static enum tool_status
status_by(const struct store_edit *e)
{
	return e->action == EDIT_GIVE_UP && e->reported_cnt == 0 ?
	    STATUS_SILENT : STATUS_DONE;
}

static enum tool_status
status_of(enum err e)
{
	switch (e) {
	case ERR_NONE:
		return STATUS_NONE;
	case ERR_PEER:
		return STATUS_REFUSED;
	case ERR_STALE:
		return STATUS_BUSY;
	default:
		return STATUS_FAILED;
	}
}

static void
edited(struct store_op *op, enum err e, void *arg)
{
	struct edit_call *call = arg;
	struct queue *q = call->queue;

	RB_REMOVE(edit_tree, &q->edits->pending, call);
	q->edits->cnt--;
	wake_known(q, call->store.id, e == OK || e == ERR_STALE);
	if (e == OK)
		take_effect(q, &call->store);
	call->fn(e == OK ? status_by(&call->store) : status_of(e), call->arg);
	edit_call_free(call);
}

static void
looked(struct store_op *op, enum err e, void *arg)
{
	struct edit_call *call = arg;

	if (e != OK)
		edited(&call->store.op, e, call);
	else
		store_edit(call->queue->store, &call->store, edited, call);
}

static bool
must_rest(enum edit action)
{
	return action == EDIT_HOLD || action == EDIT_REMOVE ||
	    action == EDIT_GIVE_UP;
}

/* The call, to be handed over; NULL when it cannot be: *why. */
static struct edit_call *
begin(struct queue *q, struct id id, enum edit action, struct span who,
    enum tool_status *why, edit_fn *fn, void *arg)
{
	struct edit_call *call;

	*why = STATUS_BUSY;
	if (q->edits->cnt >= EDITS_MAX || edit_is_pending(q->edits, id) ||
	    (must_rest(action) && has_under_way(q, id)))
		return NULL;
	*why = STATUS_FAILED;
	if ((call = calloc(1, sizeof(*call))) == NULL)
		return NULL;
	call->queue = q;
	call->store.id = id;
	call->store.action = action;
	call->store.now_ms = clock_wall_ms();
	who = span_head(who, sizeof(call->who));
	if (who.len > 0)
		memcpy(call->who, who.ptr, who.len);
	call->store.who = (struct span){ call->who, who.len };
	call->fn = fn;
	call->arg = arg;
	RB_INSERT(edit_tree, &q->edits->pending, call);
	q->edits->cnt++;
	return call;
}

bool
edit_start(struct queue *q, struct id id, enum edit action, struct span who,
    enum tool_status *why, edit_fn *fn, void *arg)
{
	struct edit_call *call = begin(q, id, action, who, why, fn, arg);

	if (call == NULL)
		return false;
	if (must_rest(action))
		edit_call_look(call, looked);
	else
		store_edit(q->store, &call->store, edited, call);
	return true;
}

bool
edit_give_up(struct queue *q, struct id id, struct span text,
    struct span who, enum tool_status *why, edit_fn *fn, void *arg)
{
	struct edit_call *call = begin(q, id, EDIT_GIVE_UP, who, why, fn, arg);

	if (call == NULL)
		return false;
	snprintf(call->text, sizeof(call->text),
	    "5.3.0 What the mail system had of the message was damaged, and "
	    "the administrator has removed it%s%.*s",
	    text.len > 0 ? ": " : "", (int)text.len, text.ptr);
	call->store.reply = span_of(call->text);
	edit_call_look(call, looked);
	return true;
}

enum err
edit_open(struct edits **out, struct queue *q)
{
	struct edits *es = calloc(1, sizeof(*es));

	if (es == NULL)
		return ERR_SYS;
	RB_INIT(&es->pending);
	*out = es;
	return OK;
}

void
edit_close(struct edits **e)
{
	struct edit_call *call;

	if (*e == NULL)
		return;
	while ((call = RB_MIN(edit_tree, &(*e)->pending)) != NULL) {
		RB_REMOVE(edit_tree, &(*e)->pending, call);
		edit_call_free(call);
	}
	free(*e);
	*e = NULL;
}
