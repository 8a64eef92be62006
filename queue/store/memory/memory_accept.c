/* memory_accept.c - a message as rows, and its end. */
#include <stdlib.h>

#include "queue/store/engine_rows.h"
#include "queue/store/memory/memory.h"

static bool
put_text(struct memory *m, struct id id, enum part part, uint32_t piece_no,
    struct span text)
{
	bool kept = true;

	while (kept && text.len > 0) {
		struct span piece = span_head(text, PIECE_MAX);
		struct memory_key k;

		memory_key_piece(&k, id, part, piece_no++);
		kept = memory_put(m, MEMORY_PIECE, &k, piece);
		text = span_tail(text, piece.len);
	}
	return kept;
}

enum err
memory_put_piece(struct memory *m, struct store_piece *p)
{
	if (p->mail->failed == OK && !put_text(m, p->mail->id, p->part,
	    p->piece_no, p->text)) {
		p->mail->failed = ERR_FULL;
		m->is_out = false;
	}
	p->mail->begun = true;
	return p->mail->failed;
}

/* A delivery's two rows, and whether it is one of those held. */
bool
memory_put_delivery(struct memory *m, struct id id, uint32_t no,
    const struct record_delivery *d)
{
	struct store_place place = { (int64_t)d->due_ms, id, no };
	struct store_flow flow;
	struct memory_key k;

	if (!store_flow_name(&flow, d->relay, d->destination, d->tenant))
		return false;
	m->held += place.due_ms == STORE_HELD_MS;
	memory_key_due(&k, (struct span){ flow.name, flow.len }, &place);
	if (!memory_put(m, MEMORY_DUE, &k, (struct span){ NULL, 0 }))
		return false;
	memory_key_no(&k, id, no);
	return memory_put_record(m, MEMORY_DELIVERY, &k, RECORD_delivery, d);
}

void
memory_del_due(struct memory *m, struct id id, uint32_t no,
    const struct record_delivery *d)
{
	struct store_place place = { (int64_t)d->due_ms, id, no };
	struct store_flow flow;
	struct memory_key k;

	if (!store_flow_name(&flow, d->relay, d->destination, d->tenant))
		return;
	m->held -= place.due_ms == STORE_HELD_MS;
	memory_key_due(&k, (struct span){ flow.name, flow.len }, &place);
	memory_del(m, MEMORY_DUE, &k);
}

void
memory_del_delivery(struct memory *m, struct id id, uint32_t no,
    const struct record_delivery *d)
{
	struct memory_key k;

	memory_del_due(m, id, no, d);
	memory_key_no(&k, id, no);
	memory_del(m, MEMORY_DELIVERY, &k);
}

void
memory_move(struct memory *m, struct id id, uint32_t no,
    const struct record_delivery *d)
{
	struct memory_row *row;
	struct memory_key k;
	union record old;

	memory_key_no(&k, id, no);
	if ((row = memory_get(m, MEMORY_DELIVERY, &k)) != NULL) {
		memory_read(row, RECORD_delivery, &old);
		memory_del_due(m, id, no, &old.delivery);
	}
	(void)memory_put_delivery(m, id, no, d);
}

void
memory_del_message(struct memory *m, struct id id)
{
	memory_del_all_of(m, MEMORY_MESSAGE, id);
	memory_del_all_of(m, MEMORY_PIECE, id);
}

static bool
put_rcpts(struct memory *m, const struct store_accept *a)
{
	bool kept = true;

	for (uint32_t no = 0; kept && no < a->message.rcpt_cnt; no++) {
		struct record_recipient r = engine_rows_rcpt(a, no);
		struct memory_key k;

		memory_key_no(&k, a->mail->id, no);
		kept = memory_put_record(m, MEMORY_RECIPIENT, &k,
		    RECORD_recipient, &r);
	}
	return kept;
}

static bool
put_deliveries(struct memory *m, const struct store_accept *a)
{
	uint32_t *rcpts = calloc(a->message.delivery_cnt + 1, sizeof(*rcpts));
	bool kept = rcpts != NULL;

	for (uint32_t i = 0; kept && i < a->message.rcpt_cnt; i++)
		rcpts[a->rcpt_delivery == NULL ? 0 : a->rcpt_delivery[i]]++;
	for (uint32_t no = 0; kept && no < a->message.delivery_cnt; no++) {
		const struct store_delivery *d = &a->deliveries[no];

		kept = memory_put_delivery(m, a->mail->id, no,
		    &(struct record_delivery){
		    .due_ms = (uint64_t)d->due_ms, .rcpt_cnt = rcpts[no],
		    .relay = d->relay, .destination = d->destination,
		    .tenant = d->tenant });
	}
	free(rcpts);
	return kept;
}

/* As if it had never come. */
static void
take_back(struct memory *m, struct id id)
{
	struct memory_row *row;
	union record r;

	while ((row = memory_first_of(m, MEMORY_DELIVERY, id)) != NULL) {
		memory_read(row, RECORD_delivery, &r);
		memory_del_delivery(m, id, memory_row_no(row), &r.delivery);
	}
	memory_del_all_of(m, MEMORY_RECIPIENT, id);
	memory_del_all_of(m, MEMORY_REPORT, id);
	memory_del_message(m, id);
	m->is_out = false;
}

static bool
put_reports(struct memory *m, const struct store_accept *a)
{
	for (uint32_t i = 0; i < a->report_cnt; i++) {
		struct record_report r = engine_rows_report(&a->reports[i],
		    (int64_t)a->message.arrived_ms);
		struct memory_key k;

		memory_key_no(&k, a->mail->id, a->reports[i].rcpt_no);
		if (!memory_put_record(m, MEMORY_REPORT, &k, RECORD_report,
		    &r))
			return false;
	}
	return true;
}

enum err
memory_accept(struct memory *m, struct store_accept *a)
{
	struct memory_key k;

	memory_key_id(&k, a->mail->id);
	if (a->mail->failed != OK)
		return a->mail->failed;
	if (put_text(m, a->mail->id, PART_BODY, a->body_piece_no, a->body) &&
	    put_text(m, a->mail->id, PART_HEADER, a->header_piece_no,
	    a->header) && put_rcpts(m, a) && put_deliveries(m, a) &&
	    memory_put_record(m, MEMORY_MESSAGE, &k, RECORD_message,
	    &a->message) && put_reports(m, a)) {
		memory_story_accept(m, a);
		return OK;
	}
	take_back(m, a->mail->id);
	return a->mail->failed = ERR_FULL;
}
