/*
 * errand.c - the deliveries of a message are found by its rows, for those of a
 * later day are not in memory.  The writer works in order: what is handed to it
 * last, a row of nothing that goes, is committed last.
 */
#include <stdlib.h>
#include <string.h>

#include "queue/plan/dispatch_inside.h"
#include "queue/control/errand.h"
#include "queue/plan/outcome.h"
#include "queue/route/reroute.h"
#include "queue/store/store_due.h"
#include "queue/store/store_list.h"

#define ERRANDS_MAX	64	/* on their way at once */

struct errand {
	LIST_ENTRY(errand) entry;
	struct queue	*queue;
	struct id	 id;
	enum edit	 action;
	struct store_read_rows read;
	struct store_undue last;
	unsigned	 pending_cnt;	/* deliveries being loaded	*/
	unsigned	 done_cnt, busy_cnt, failed_cnt;
	bool		 is_read;	/* all rows are			*/
	edit_fn		*fn;
	void		*arg;
	char		 text[BUS_STR_MAX + 1];
};

static void
free_errand(struct errand *e)
{
	LIST_REMOVE(e, entry);
	e->queue->errand_cnt--;
	free(e->read.rows);
	free(e);
}

static void
all_committed(struct store_op *op, enum err err, void *arg)
{
	struct errand *e = arg;

	e->fn(e->failed_cnt > 0 ? STATUS_FAILED :
	    e->busy_cnt > 0 ? STATUS_BUSY :
	    e->done_cnt > 0 ? STATUS_DONE : STATUS_NONE, e->arg);
	free_errand(e);
}

static void
end_if_over(struct errand *e)
{
	if (!e->is_read || e->pending_cnt > 0)
		return;
	e->last.flow = SPAN("-");
	store_undue(e->queue->store, &e->last, all_committed, e);
}

/* Out of its turn, unless a relay has it or something is made of it. */
static void
take(struct errand *e, uint32_t no)
{
	struct due *due = e->queue->due;
	struct delivery *dl = due_find(due, e->id, no);

	if (dl != NULL && dl->state != DELIVERY_WAITING) {
		e->busy_cnt++;
		return;
	}
	if (dl == NULL && (dl = due_adopt(due, e->id, no)) == NULL) {
		e->failed_cnt++;
		return;
	}
	due_pick(due, dl);
	dl->state = DELIVERY_LOADING;
	dl->errand = e;
	e->pending_cnt++;
	dispatch_load(e->queue, dl);
}

/* As if its lifetime were over. */
static bool
expire(struct queue *q, struct delivery *dl)
{
	if (dl->envelope->rcpt_cnt == 0)
		return false;
	outcome_expired(q, dl);
	return true;
}

static bool
carry_out(struct errand *e, struct delivery *dl)
{
	switch (e->action) {
	case EDIT_BOUNCE:
		return reroute_give_up(e->queue, dl, span_of(e->text));
	case EDIT_EXPIRE:
		return expire(e->queue, dl);
	case EDIT_MOVE:
		return reroute_force(e->queue, dl, e->text,
		    &e->busy_cnt);
	default:
		return reroute_force(e->queue, dl, NULL, &e->busy_cnt);
	}
}

static void
rows_read(struct store_op *op, enum err err, void *arg)
{
	struct errand *e = arg;
	struct store_read_rows *r = &e->read;

	if (err != OK)
		e->failed_cnt++;
	for (unsigned i = 0; err == OK && i < r->cnt; i++)
		if (r->rows[i].kind == ROW_DELIVERY)
			take(e, r->rows[i].no);
	free(r->rows);
	r->rows = NULL;
	e->is_read = err != OK || r->at_end || r->next.kind != ROW_DELIVERY;
	if (e->is_read) {
		end_if_over(e);
		return;
	}
	r->from = r->next;
	store_read_rows(e->queue->store, r, rows_read, e);
}

void
errand_loaded(struct queue *q, struct delivery *dl, enum err err)
{
	struct errand *e = dl->errand;
	bool done = false;

	dl->errand = NULL;
	if (err == OK && due_attach(q->due, dl, dl->envelope))
		done = carry_out(e, dl);
	if (done)
		e->done_cnt++;
	else {
		e->failed_cnt += err != ERR_NONE;
		due_put_back(q->due, &dl);
	}
	e->pending_cnt--;
	end_if_over(e);
}

bool
errand_start(struct queue *q, struct id id, enum edit action,
    struct span text, enum tool_status *why, edit_fn *fn, void *arg)
{
	struct errand *e;
	unsigned no;

	*why = STATUS_REFUSED;
	if (action == EDIT_MOVE && !route_relay_no(q->settings.routes, text,
	    &no))
		return false;
	*why = STATUS_BUSY;
	if (q->errand_cnt >= ERRANDS_MAX || edit_is_pending(q->edits, id))
		return false;
	*why = STATUS_FAILED;
	if ((e = calloc(1, sizeof(*e))) == NULL)
		return false;
	(void)span_cstr(span_head(text, BUS_STR_MAX), e->text,
	    sizeof(e->text));
	e->queue = q;
	e->id = id;
	e->action = action;
	e->fn = fn;
	e->arg = arg;
	e->read.from = (struct store_spot){ .id = id, .kind = ROW_DELIVERY };
	e->read.one = true;
	LIST_INSERT_HEAD(&q->errands, e, entry);
	q->errand_cnt++;
	store_read_rows(q->store, &e->read, rows_read, e);
	return true;
}

void
errand_close(struct queue *q)
{
	struct errand *e;

	while ((e = LIST_FIRST(&q->errands)) != NULL)
		free_errand(e);
}
