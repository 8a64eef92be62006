/* memory_read.c - each call that only reads. */
#include <stdlib.h>
#include <string.h>

#include "queue/store/engine_rows.h"
#include "queue/store/memory/memory.h"

/* Held rows are due last of all, so one look tells. */
static bool
has_far(struct memory *m, struct span flow, int64_t far_ms)
{
	struct store_place place = { .due_ms = far_ms + 1 };
	struct memory_row *row;
	struct memory_key k;

	if (far_ms == 0)
		return false;
	memory_key_due(&k, flow, &place);
	row = memory_seek(m, MEMORY_DUE, &k);
	return row != NULL && span_eq(memory_row_flow(row), flow) &&
	    memory_row_place(row).due_ms < STORE_HELD_MS;
}

/* The first row behind all of this flow. */
static struct memory_row *
behind_flow(struct memory *m, struct span flow)
{
	struct memory_key k;

	memcpy(k.b, flow.ptr, flow.len);
	memset(k.b + flow.len, 0xff, sizeof(k.b) - STORE_FLOW_MAX);
	k.len = flow.len + sizeof(k.b) - STORE_FLOW_MAX;
	return memory_seek(m, MEMORY_DUE, &k);
}

static void
read_flows(struct memory *m, struct store_read_flows *r)
{
	struct memory_key none = { .len = 0 };
	struct memory_row *row = r->after.len == 0 ?
	    memory_seek(m, MEMORY_DUE, &none) : behind_flow(m,
	    (struct span){ r->after.name, r->after.len });

	for (r->cnt = 0; row != NULL && r->cnt < STORE_FLOWS_MAX; r->cnt++) {
		struct store_flow *f = &r->flows[r->cnt];
		struct span flow = memory_row_flow(row);

		f->len = flow.len;
		memcpy(f->name, flow.ptr, flow.len);
		f->due_ms = memory_row_place(row).due_ms;
		f->has_far = has_far(m, flow, r->far_ms);
		row = behind_flow(m, (struct span){ f->name, f->len });
	}
	r->at_end = row == NULL;
}

static bool
is_same_place(const struct store_place *a, const struct store_place *b)
{
	return a->due_ms == b->due_ms && a->no == b->no &&
	    id_cmp(a->id, b->id) == 0;
}

static void
read_due(struct memory *m, struct store_read_due *r)
{
	struct memory_row *row;
	struct memory_key k;

	r->cnt = 0;
	r->next_ms = INT64_MAX;
	r->at_end = true;
	memory_key_due(&k, r->flow, &r->after);
	row = memory_seek(m, MEMORY_DUE, &k);
	for (; row != NULL && span_eq(memory_row_flow(row), r->flow);
	    row = memory_next(row)) {
		struct store_place place = memory_row_place(row);

		if (is_same_place(&place, &r->after))
			continue;
		r->at_end = place.due_ms > r->until_ms;
		if (r->at_end || r->cnt == r->row_max ||
		    r->cnt == STORE_DUE_MAX) {
			r->next_ms = place.due_ms;
			return;
		}
		r->rows[r->cnt++] = place;
	}
	r->at_end = true;
}

/* Recipients of a delivery: their number, and bytes that hold their strings. */
static uint32_t
measure(struct memory *m, const struct store_read_envelope *r, size_t *bytes)
{
	struct memory_row *row = memory_first_of(m, MEMORY_RECIPIENT, r->id);
	uint32_t cnt = 0;
	union record rec;

	for (; row != NULL; row = memory_next_of(row)) {
		memory_read(row, RECORD_recipient, &rec);
		if (rec.recipient.delivery != r->no)
			continue;
		*bytes += row->len;
		cnt++;
	}
	return cnt;
}

static void
put_rcpts(struct memory *m, const struct store_read_envelope *r,
    struct envelope *env, char **at)
{
	struct memory_row *row = memory_first_of(m, MEMORY_RECIPIENT, r->id);
	union record rec;

	for (; row != NULL; row = memory_next_of(row)) {
		const struct record_recipient *from = &rec.recipient;

		memory_read(row, RECORD_recipient, &rec);
		if (from->delivery != r->no)
			continue;
		memory_keep_record(RECORD_recipient, &rec, at);
		env->rcpts[env->rcpt_cnt++] = (struct envelope_rcpt){
			.no = memory_row_no(row), .address = from->address,
			.dsn = { .notify = from->notify,
			    .orcpt = from->orcpt, .owner = from->owner },
			.reply = from->reply, .hop = from->hop,
			.code = from->code, .flags = from->flags,
			.tried_ms = (int64_t)from->tried_ms,
		};
	}
}

static enum err
read_envelope(struct memory *m, struct store_read_envelope *r)
{
	struct memory_row *message, *delivery;
	struct memory_key of, k;
	struct envelope *env;
	union record rec;
	uint32_t cnt;
	size_t bytes;
	char *at;

	r->envelope = NULL;
	memory_key_id(&of, r->id);
	memory_key_no(&k, r->id, r->no);
	message = memory_get(m, MEMORY_MESSAGE, &of);
	delivery = memory_get(m, MEMORY_DELIVERY, &k);
	if (message == NULL || delivery == NULL)
		return ERR_NONE;
	bytes = message->len + delivery->len;
	cnt = measure(m, r, &bytes);
	if ((env = malloc(sizeof(*env) + cnt * sizeof(env->rcpts[0]) +
	    bytes)) == NULL)
		return ERR_SYS;
	at = (char *)(env->rcpts + cnt);
	env->rcpt_cnt = 0;
	memory_read(message, RECORD_message, &rec);
	memory_keep_record(RECORD_message, &rec, &at);
	env->message = rec.message;
	memory_read(delivery, RECORD_delivery, &rec);
	memory_keep_record(RECORD_delivery, &rec, &at);
	env->delivery = rec.delivery;
	put_rcpts(m, r, env, &at);
	engine_rows_own(env);
	r->envelope = env;
	return OK;
}

static enum err
read_piece(struct memory *m, struct store_read_piece *r)
{
	struct memory_row *row;
	struct memory_key k;
	struct span text;

	r->text = NULL;
	r->len = 0;
	memory_key_id(&k, r->id);
	if (memory_get(m, MEMORY_MESSAGE, &k) == NULL)
		return ERR_NONE;
	memory_key_piece(&k, r->id, r->part, r->piece_no);
	if ((row = memory_get(m, MEMORY_PIECE, &k)) == NULL)
		return OK;
	text = memory_row_bytes(row);
	if ((r->text = malloc(text.len)) == NULL)
		return ERR_SYS;
	memcpy(r->text, text.ptr, text.len);
	r->len = text.len;
	return OK;
}

static void
read_totals(struct memory *m, struct store_read_totals *r)
{
	struct memory_key none = { .len = 0 };
	struct memory_row *row = memory_seek(m, MEMORY_MESSAGE, &none);

	r->messages = m->cnt[MEMORY_MESSAGE];
	r->deliveries = m->cnt[MEMORY_DELIVERY];
	r->held = m->held;
	r->quarantined = 0;
	r->oldest = row == NULL ? (struct id){ { 0 } } : memory_row_id(row);
}

/* Nothing is ever damaged, and the index always right. */
static void
read_index(struct store_read_index *r)
{
	r->wrong_cnt = r->row_cnt = 0;
	r->is_out_of_order = false;
	r->at_end = true;
}

static void
read_notes(struct store_read_notes *r)
{
	r->cnt = 0;
	r->at_end = true;
}

static void
read_lone(struct store_read_lone *r)
{
	r->at_end = true;
}

enum err
memory_answer(struct memory *m, struct store_op *op)
{
	switch (op->kind) {
	case STORE_READ_FLOWS:
		read_flows(m, (struct store_read_flows *)op);
		return OK;
	case STORE_READ_DUE:
		read_due(m, (struct store_read_due *)op);
		return OK;
	case STORE_READ_OLD:
		memory_list_old(m, (struct store_read_old *)op);
		return OK;
	case STORE_READ_ENVELOPE:
		return read_envelope(m, (struct store_read_envelope *)op);
	case STORE_READ_PIECE:
		return read_piece(m, (struct store_read_piece *)op);
	case STORE_READ_ROWS:
		return memory_list_rows(m, (struct store_read_rows *)op);
	case STORE_READ_SPENT:
		memory_list_spent(m, (struct store_read_spent *)op);
		return OK;
	case STORE_READ_REPORT:
		return memory_list_report(m, (struct store_read_report *)op);
	case STORE_READ_REPORTS:
		memory_list_reports(m, (struct store_read_reports *)op);
		return OK;
	case STORE_READ_FOUND:
		memory_story_find(m, (struct store_read_found *)op);
		return OK;
	case STORE_READ_STORY:
		return memory_story_read(m, (struct store_read_story *)op);
	case STORE_READ_DISCARDS:
		return memory_list_discards(m,
		    (struct store_read_discards *)op);
	case STORE_READ_NOTES:
		read_notes((struct store_read_notes *)op);
		return OK;
	case STORE_READ_LONE:
		read_lone((struct store_read_lone *)op);
		return OK;
	case STORE_READ_INDEX:
		read_index((struct store_read_index *)op);
		return OK;
	case STORE_READ_TOTALS:
		read_totals(m, (struct store_read_totals *)op);
		return OK;
	default:
		return ERR_SYS;
	}
}
