/*
 * edit.c - the loop's side of store_edit().  Its order matters: first all that
 * is in memory of the message goes back to the disk, then the rows that were
 * moved are noted, so that none is taken for one that is known already.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "queue/dispatch.h"
#include "queue/edit.h"
#include "sys/clock.h"

#define EDITS_MAX	256	/* on their way at once */

struct edit_call {
	RB_ENTRY(edit_call) by_id;
	struct queue	*queue;
	struct store_edit store;
	edit_fn		*fn;
	void		*arg;
};

RB_HEAD(edit_tree, edit_call);

struct edits {
	struct edit_tree pending;
	unsigned	 cnt;
};

static int
cmp_edit(struct edit_call *a, struct edit_call *b)
{
	return id_cmp(a->store.id, b->store.id);
}

#define LOCAL	__attribute__((unused)) static
RB_GENERATE_INTERNAL(edit_tree, edit_call, by_id, cmp_edit, LOCAL)

static struct edit_call *
find(const struct edits *es, struct id id)
{
	struct edit_call key = { .store = { .id = id } };

	return RB_FIND(edit_tree, (struct edit_tree *)&es->pending, &key);
}

bool
edit_is_pending(const struct edits *es, struct id id)
{
	return es->cnt > 0 && find(es, id) != NULL;
}

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
	struct span relay = span_of(flow->name);
	struct span name = span_of(flow->name + relay.len + 1);
	struct destination *d = due_find_destination(q->due, relay, name);

	if (d != NULL)
		dispatch_retry(q, d);
}

static const char *
why_of(const struct store_edit *e)
{
	if (e->action == EDIT_RETRY)
		return "what could not be read can be read again";
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
		[EDIT_RETRY] = LOG_released,
	};
	struct log_line l;

	if (e->changed_cnt == 0 && e->action != EDIT_REMOVE)
		return;
	log_begin(&l, events[e->action]);
	log_id(&l, LOG_KEY_id, e->id);
	log_num(&l, LOG_KEY_count, e->changed_cnt);
	log_text(&l, LOG_KEY_why, why_of(e));
	log_end(&l);
}

static void
take_effect(struct queue *q, const struct store_edit *e)
{
	if (e->removed)
		queue_removed(q);
	for (uint32_t i = 0; i < e->row_cnt; i++) {
		if (e->rows[i].moved)
			due_moved(q->due, &e->rows[i].flow,
			    &e->rows[i].place);
		if (e->action == EDIT_FLUSH)
			retry_destination(q, &e->rows[i].flow);
	}
	log_edit(e);
}

static void
edited(struct store_op *op, enum err e, void *arg)
{
	struct edit_call *call = arg;
	struct queue *q = call->queue;

	RB_REMOVE(edit_tree, &q->edits->pending, call);
	q->edits->cnt--;
	wake_known(q, call->store.id, e == OK);
	if (e == OK)
		take_effect(q, &call->store);
	call->fn(e == OK ? TOLD_DONE : e == ERR_NONE ? TOLD_NONE :
	    e == ERR_PEER ? TOLD_REFUSED : TOLD_FAILED, call->arg);
	free(call->store.rows);
	free(call);
}

bool
edit_start(struct queue *q, struct id id, enum edit action, enum told *why,
    edit_fn *fn, void *arg)
{
	struct edit_call *call;
	bool must_rest = action == EDIT_HOLD || action == EDIT_REMOVE;

	*why = TOLD_BUSY;
	if (q->edits->cnt >= EDITS_MAX || edit_is_pending(q->edits, id) ||
	    (must_rest && has_under_way(q, id)))
		return false;
	*why = TOLD_FAILED;
	if ((call = calloc(1, sizeof(*call))) == NULL)
		return false;
	call->queue = q;
	call->store.id = id;
	call->store.action = action;
	call->store.now_ms = clock_wall_ms();
	call->fn = fn;
	call->arg = arg;
	RB_INSERT(edit_tree, &q->edits->pending, call);
	q->edits->cnt++;
	store_edit(q->store, &call->store, edited, call);
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
		free(call->store.rows);
		free(call);
	}
	free(*e);
	*e = NULL;
}
