/*
 * memory_apply.c - each call that writes, as rows.  One that comes in and finds
 * no memory is taken back; for the rest memory.is_out ends the process.
 */
#include <string.h>

#include "queue/store/engine_rows.h"
#include "queue/store/memory/memory.h"

/* What the edge said of a recipient stays, the last reply is another. */
static void
put_reply(struct memory *m, const struct memory_key *k,
    const struct store_change *c)
{
	struct memory_row *row = memory_get(m, MEMORY_RECIPIENT, k);
	union record r;

	if (row == NULL)
		return;
	memory_read(row, RECORD_recipient, &r);
	r.recipient.code = c->code;
	r.recipient.reply = c->reply;
	r.recipient.hop = c->hop;
	r.recipient.tried_ms = (uint64_t)c->tried_ms;
	r.recipient.flags = (r.recipient.flags & RCPT_WARNED) |
	    (c->is_warned ? RCPT_WARNED : 0) |
	    (c->is_theirs ? RCPT_THEIRS : 0);
	(void)memory_put_record(m, MEMORY_RECIPIENT, k, RECORD_recipient,
	    &r.recipient);
}

static void
change(struct memory *m, const struct store_settle *s,
    struct record_delivery *d, const struct store_change *c)
{
	struct memory_key k;

	memory_key_no(&k, s->id, c->rcpt_no);
	if (c->class == CLASS_LATER) {
		put_reply(m, &k, c);
	} else {
		memory_del(m, MEMORY_RECIPIENT, &k);
		d->rcpt_cnt -= d->rcpt_cnt > 0;
	}
	memory_put_report(m, s->id, s->now_ms, c);
	memory_story_change(m, s, c, s->was != NULL ? s->was->relay :
	    SPAN(""));
}

/* A delivery is over: the last one takes its message along. */
static void
release(struct memory *m, struct store_settle *s)
{
	struct memory_row *row;
	struct memory_key k;
	union record r;

	memory_key_id(&k, s->id);
	if ((row = memory_get(m, MEMORY_MESSAGE, &k)) == NULL)
		return;
	memory_read(row, RECORD_message, &r);
	r.message.delivery_cnt -= r.message.delivery_cnt > 0;
	if (r.message.delivery_cnt == 0) {
		s->is_silent = memory_first_of(m, MEMORY_REPORT, s->id) !=
		    NULL;
		s->removed = !s->is_silent;
	}
	if (s->removed)
		memory_del_message(m, s->id);
	else
		(void)memory_put_record(m, MEMORY_MESSAGE, &k, RECORD_message,
		    &r.message);
}

static enum err
settle(struct memory *m, struct store_settle *s)
{
	struct memory_row *row;
	uint8_t copy[RECORD_MAX];
	struct memory_key k;
	union record r;

	s->removed = s->is_silent = s->kept = s->was_lost = false;
	memory_key_no(&k, s->id, s->no);
	if ((row = memory_get(m, MEMORY_DELIVERY, &k)) == NULL)
		return ERR_NONE;
	memcpy(copy, memory_row_bytes(row).ptr, row->len);
	if (record_get((struct span){ (char *)copy, row->len },
	    RECORD_delivery, &r) != OK)
		return ERR_PEER;
	if (s->was != NULL && !s->is_over && (r.delivery.attempts !=
	    s->was->attempts || r.delivery.deaths != s->was->deaths))
		return ERR_STALE;
	if (s->is_over)
		memory_del_delivery(m, s->id, s->no, &r.delivery);
	for (uint32_t i = 0; i < s->change_cnt; i++)
		change(m, s, &r.delivery, &s->changes[i]);
	if (s->is_over) {
		release(m, s);
	} else {
		r.delivery.due_ms = (uint64_t)s->due_ms;
		r.delivery.attempts = s->attempts;
		r.delivery.deaths = s->deaths;
		r.delivery.held = s->due_ms == STORE_HELD_MS ?
		    (uint8_t)s->held : 0;
		r.delivery.holder = SPAN("");
		memory_move(m, s->id, s->no, &r.delivery);
	}
	memory_put_discards(m, s->id, s->now_ms, s->discards,
	    s->discard_cnt);
	return OK;
}

static struct memory_row *
delivery_row(struct memory *m, const struct store_place *p, union record *r)
{
	struct memory_row *row;
	struct memory_key k;

	memory_key_no(&k, p->id, p->no);
	if ((row = memory_get(m, MEMORY_DELIVERY, &k)) != NULL)
		memory_read(row, RECORD_delivery, r);
	return row;
}

static enum err
undue(struct memory *m, const struct store_undue *u)
{
	struct memory_key k;
	union record r;

	if (delivery_row(m, &u->place, &r) != NULL &&
	    (int64_t)r.delivery.due_ms == u->place.due_ms)
		return OK;
	memory_key_due(&k, u->flow, &u->place);
	memory_del(m, MEMORY_DUE, &k);
	return OK;
}

static uint32_t
next_no(struct memory *m, struct id id)
{
	struct memory_row *row = memory_first_of(m, MEMORY_DELIVERY, id);
	uint32_t no = 0;

	for (; row != NULL; row = memory_next_of(row))
		no = memory_row_no(row) + 1;
	return no;
}

/* Those that are named go to another of the new ones. */
static uint32_t
move_rcpts(struct memory *m, const struct store_replan *r, uint32_t to)
{
	uint32_t cnt = 0;

	for (uint32_t i = 0; i < r->rcpt_cnt; i++) {
		struct memory_row *row;
		struct memory_key k;
		union record rec;

		memory_key_no(&k, r->id, r->rcpts[i]);
		if (r->rcpt_delivery[i] != to ||
		    (row = memory_get(m, MEMORY_RECIPIENT, &k)) == NULL)
			continue;
		memory_read(row, RECORD_recipient, &rec);
		rec.recipient.delivery = r->rows[to].place.no;
		(void)memory_put_record(m, MEMORY_RECIPIENT, &k,
		    RECORD_recipient, &rec.recipient);
		cnt++;
	}
	return cnt;
}

static void
count_deliveries(struct memory *m, struct id id, uint32_t more)
{
	struct memory_row *row;
	struct memory_key k;
	union record r;

	memory_key_id(&k, id);
	if ((row = memory_get(m, MEMORY_MESSAGE, &k)) == NULL)
		return;
	memory_read(row, RECORD_message, &r);
	r.message.delivery_cnt += more;
	(void)memory_put_record(m, MEMORY_MESSAGE, &k, RECORD_message,
	    &r.message);
}

/* From the last to the first, which has all that are left. */
static enum err
replan(struct memory *m, struct store_replan *r)
{
	struct store_place place = { 0, r->id, r->no };
	uint32_t first = next_no(m, r->id), left;
	union record rec;
	char from[BLOCK_NAME_MAX + 1] = "", holder[STORE_WHO_MAX + 1] = "";
	struct record_history h;
	bool held;

	if (delivery_row(m, &place, &rec) == NULL)
		return ERR_NONE;
	if (r->seen != NULL && engine_rows_has_gone_on(r->seen,
	    &rec.delivery))
		return ERR_STALE;
	(void)span_cstr(rec.delivery.relay, from, sizeof(from));
	(void)span_cstr(rec.delivery.holder, holder, sizeof(holder));
	held = (int64_t)rec.delivery.due_ms == STORE_HELD_MS;
	left = rec.delivery.rcpt_cnt;
	memory_del_due(m, r->id, r->no, &rec.delivery);
	for (uint32_t i = r->delivery_cnt; i-- > 0;) {
		struct store_moved *to = &r->rows[i];
		struct record_delivery d = {
			.attempts = rec.delivery.attempts,
			.held = rec.delivery.held, .pinned = r->is_pinned,
			.holder = span_of(holder),
			.relay = r->deliveries[i].relay,
			.destination = r->deliveries[i].destination,
			.tenant = r->deliveries[i].tenant,
			.waived_ms = (uint64_t)r->waived_ms,
			.waived_until_ms = (uint64_t)r->waived_until_ms,
			.due_ms = (uint64_t)(held ? STORE_HELD_MS :
			    r->now_ms),
		};

		to->moved = true;
		to->place = (struct store_place){ (int64_t)d.due_ms, r->id,
		    i == 0 ? r->no : first + i - 1 };
		(void)store_flow_name(&to->flow, d.relay, d.destination,
		    d.tenant);
		d.rcpt_cnt = i == 0 ? left : move_rcpts(m, r, i);
		left -= i > 0 && d.rcpt_cnt < left ? d.rcpt_cnt :
		    i > 0 ? left : 0;
		(void)memory_put_delivery(m, r->id, to->place.no, &d);
		if (engine_rows_moved(r, i, from, d.rcpt_cnt, &h))
			memory_story_put(m, r->id, EVENT_MOVED, to->place.no,
			    &h);
	}
	count_deliveries(m, r->id, r->delivery_cnt - 1);
	return OK;
}

/* The queue has them in memory already: what is left is to tell of it. */
static void
suspend(struct memory *m, const struct store_suspend *s)
{
	static const struct id none = { .b = { 0 } };
	struct record_history h;
	enum event event;
	uint32_t no;

	if (!s->is_told)
		return;
	h = engine_rows_suspended(s, &event, &no);
	memory_story_put(m, none, event, no, &h);
}

static enum err
hasten(struct memory *m, struct store_hasten *h)
{
	struct span flow = { h->flow.name, h->flow.len };
	struct memory_row *row;
	struct memory_key k;
	union record r;

	if (h->after.due_ms <= h->far_ms)
		h->after = (struct store_place){ .due_ms = h->far_ms + 1 };
	h->cnt = 0;
	h->at_end = true;
	memory_key_due(&k, flow, &h->after);
	while ((row = memory_seek(m, MEMORY_DUE, &k)) != NULL &&
	    span_eq(memory_row_flow(row), flow)) {
		struct store_place place = memory_row_place(row);

		if (place.due_ms >= STORE_HELD_MS)
			break;
		if (h->cnt == STORE_DUE_MAX) {
			h->at_end = false;
			break;
		}
		h->after = place;
		if (delivery_row(m, &place, &r) == NULL)
			break;
		r.delivery.due_ms = (uint64_t)h->now_ms;
		memory_move(m, place.id, place.no, &r.delivery);
		place.due_ms = h->now_ms;
		h->rows[h->cnt++] = place;
	}
	return OK;
}

static enum err
hold(struct memory *m, struct store_hold *h)
{
	union record r;

	h->held = false;
	return delivery_row(m, &h->place, &r) == NULL ? ERR_NONE : ERR_SYS;
}

enum err
memory_apply(struct memory *m, struct store_op *op)
{
	switch (op->kind) {
	case STORE_PIECE:
		return memory_put_piece(m, (struct store_piece *)op);
	case STORE_ACCEPT:
		return memory_accept(m, (struct store_accept *)op);
	case STORE_DROP:
		memory_del_all_of(m, MEMORY_PIECE,
		    ((struct store_drop *)op)->mail->id);
		return OK;
	case STORE_SETTLE:
		return settle(m, (struct store_settle *)op);
	case STORE_REPORT:
		return memory_report(m, (struct store_report *)op);
	case STORE_DIGEST:
		return memory_digest(m, (struct store_digest *)op);
	case STORE_UNDUE:
		return undue(m, (struct store_undue *)op);
	case STORE_HOLD:
		return hold(m, (struct store_hold *)op);
	case STORE_EDIT:
		return memory_edit(m, (struct store_edit *)op);
	case STORE_REPLAN:
		return replan(m, (struct store_replan *)op);
	case STORE_HASTEN:
		return hasten(m, (struct store_hasten *)op);
	case STORE_SUSPEND:
		suspend(m, (struct store_suspend *)op);
		return OK;
	case STORE_MEND:
		return OK;
	default:
		return ERR_SYS;
	}
}
