/* edit_look.c - how often each delivery was tried, before an edit of it. */
#include <stdlib.h>

#include "queue/control/edit_inside.h"

void
edit_call_free(struct edit_call *call)
{
	free(call->look.rows);
	free(call->seen);
	free(call->store.rows);
	free(call);
}

static bool
see(struct edit_call *call)
{
	const struct store_read_rows *r = &call->look;
	uint32_t cnt = call->store.seen_cnt;
	struct store_tries *seen;

	if (r->cnt == 0)
		return true;
	seen = reallocarray(call->seen, cnt + r->cnt, sizeof(*seen));
	if (seen == NULL)
		return false;
	for (unsigned i = 0; i < r->cnt; i++)
		if (r->rows[i].kind == ROW_DELIVERY)
			seen[cnt++] = (struct store_tries){ r->rows[i].no,
			    r->rows[i].rec.delivery.attempts,
			    r->rows[i].rec.delivery.deaths };
	call->store.seen = call->seen = seen;
	call->store.seen_cnt = cnt;
	return true;
}

static void
rows_read(struct store_op *op, enum err e, void *arg)
{
	struct edit_call *call = arg;
	struct store_read_rows *r = &call->look;

	if (e == OK && !see(call))
		e = ERR_SYS;
	free(r->rows);
	r->rows = NULL;
	if (e != OK || r->at_end || r->next.kind != ROW_DELIVERY) {
		call->looked(op, e, call);
		return;
	}
	r->from = r->next;
	store_read_rows(call->queue->store, r, rows_read, call);
}

void
edit_call_look(struct edit_call *call, store_fn *fn)
{
	call->looked = fn;
	call->look.from = (struct store_spot){ .id = call->store.id,
	    .kind = ROW_DELIVERY };
	call->look.one = true;
	store_read_rows(call->queue->store, &call->look, rows_read, call);
}
