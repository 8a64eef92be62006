/*
 * memory_edit.c - what an administrator wants of a message; nothing of it is
 * ever damaged here.
 */
#include <stdlib.h>
#include <string.h>

#include "queue/bounce/duty.h"
#include "queue/store/engine_rows.h"
#include "queue/store/memory/memory.h"

#define CODE	550	/* of what is given up */

static bool
is_removal(const struct store_edit *e)
{
	return e->action == EDIT_REMOVE || e->action == EDIT_GIVE_UP;
}

/* When it is to be due; as it is when this edit is not about it. */
static int64_t
due_then(const struct store_edit *e, int64_t due_ms)
{
	bool is_held = due_ms == STORE_HELD_MS;

	switch (e->action) {
	case EDIT_HOLD:
		return STORE_HELD_MS;
	case EDIT_RELEASE:
		return is_held ? e->now_ms : due_ms;
	case EDIT_FLUSH:
		return !is_held && due_ms > e->now_ms ? e->now_ms : due_ms;
	default:
		return due_ms;
	}
}

/* Held for deaths, and now by an administrator: a change as well. */
static bool
is_changed(const struct store_edit *e, const struct record_delivery *d,
    int64_t due_ms)
{
	return due_ms != (int64_t)d->due_ms || (e->action == EDIT_HOLD &&
	    store_held_by(d) == HELD_DEATHS);
}

static void
edit_delivery(struct memory *m, struct store_edit *e, uint32_t no,
    struct record_delivery *d)
{
	struct store_moved *to = &e->rows[e->row_cnt++];
	int64_t due_ms = due_then(e, (int64_t)d->due_ms);

	to->moved = false;
	to->place = (struct store_place){ (int64_t)d->due_ms, e->id, no };
	(void)store_flow_name(&to->flow, d->relay, d->destination,
	    d->tenant);
	if (is_removal(e)) {
		e->changed_cnt++;
		memory_del_delivery(m, e->id, no, d);
		return;
	}
	if (!is_changed(e, d, due_ms))
		return;
	if ((int64_t)d->due_ms == STORE_HELD_MS || due_ms == STORE_HELD_MS)
		d->deaths = 0;		/* as many more are forgiven */
	d->due_ms = (uint64_t)due_ms;
	d->held = due_ms == STORE_HELD_MS ? HELD_ADMINISTRATOR : 0;
	d->holder = due_ms == STORE_HELD_MS ? e->who : SPAN("");
	e->changed_cnt++;
	memory_move(m, e->id, no, d);
	to->place.due_ms = due_ms;
	to->moved = true;
}

static bool
edit_deliveries(struct memory *m, struct store_edit *e)
{
	struct memory_row *row, *next;
	uint32_t cnt = 0;

	for (row = memory_first_of(m, MEMORY_DELIVERY, e->id); row != NULL;
	    row = memory_next_of(row))
		cnt++;
	if ((e->rows = calloc(cnt + 1, sizeof(*e->rows))) == NULL)
		return false;
	row = memory_first_of(m, MEMORY_DELIVERY, e->id);
	for (; row != NULL; row = next) {
		uint32_t no = memory_row_no(row);
		uint8_t copy[RECORD_MAX];
		union record r;

		next = memory_next_of(row);
		memcpy(copy, memory_row_bytes(row).ptr, row->len);
		if (record_get((struct span){ (char *)copy, row->len },
		    RECORD_delivery, &r) == OK)
			edit_delivery(m, e, no, &r.delivery);
	}
	return true;
}

/* A recipient that was left: his sender is told, or nobody can be. */
static void
answer(struct memory *m, struct store_edit *e, const struct record_message *of,
    const struct memory_row *row)
{
	bool has_sender = of->sender.len > 0;
	struct store_discard none;
	struct store_change c;
	union record r;

	memory_read(row, RECORD_recipient, &r);
	c = (struct store_change){
		.rcpt_no = memory_row_no(row), .class = CLASS_NEVER,
		.code = CODE, .address = r.recipient.address,
		.reply = e->reply, .tried_ms = (int64_t)r.recipient.tried_ms,
		.orcpt = r.recipient.orcpt, .owner = r.recipient.owner,
		.report = duty_report(&(struct duty){ .class = CLASS_NEVER,
		    .notify = r.recipient.notify, .has_sender = has_sender }),
	};
	memory_story_put(m, e->id, EVENT_FAILED, c.rcpt_no,
	    &(struct record_history){ .code = CODE, .address = c.address,
	    .reply = c.reply });
	if (c.report == REPORT_NONE)
		return;
	if (has_sender) {
		e->reported_cnt++;
		memory_put_report(m, e->id, e->now_ms, &c);
	} else if ((of->flags & MAIL_DIGEST) == 0) {
		e->unreported_cnt++;
		none = (struct store_discard){ c.rcpt_no, { .code = CODE,
		    .address = c.address, .reply = c.reply,
		    .why = SPAN("it has no sender to be told") } };
		memory_put_discards(m, e->id, e->now_ms, &none, 1);
	}
}

/* It goes, or stays as one that only waits until its sender is told. */
static void
remove_rest(struct memory *m, struct store_edit *e,
    struct record_message *of, const struct memory_key *k)
{
	struct memory_row *row = memory_first_of(m, MEMORY_RECIPIENT, e->id);

	if (e->action == EDIT_REMOVE)
		memory_del_all_of(m, MEMORY_REPORT, e->id);
	for (; row != NULL && e->action == EDIT_GIVE_UP;
	    row = memory_next_of(row))
		answer(m, e, of, row);
	memory_del_all_of(m, MEMORY_RECIPIENT, e->id);
	e->removed = memory_first_of(m, MEMORY_REPORT, e->id) == NULL;
	of->delivery_cnt = 0;
	if (e->removed)
		memory_del_message(m, e->id);
	else
		(void)memory_put_record(m, MEMORY_MESSAGE, k, RECORD_message,
		    of);
}

static void
put_event(struct memory *m, const struct store_edit *e, struct span sender)
{
	const struct record_history h = { .address = sender,
	    .login = e->who };
	enum event event;

	if (engine_rows_event(e->action, &event))
		memory_story_put(m, e->id, event, 0, &h);
}

/* Has somebody gone on with what was seen? */
static bool
is_stale(struct memory *m, const struct store_edit *e)
{
	for (uint32_t i = 0; i < e->seen_cnt; i++) {
		struct memory_row *row;
		struct memory_key k;
		union record r;

		memory_key_no(&k, e->id, e->seen[i].no);
		if ((row = memory_get(m, MEMORY_DELIVERY, &k)) == NULL)
			return true;
		memory_read(row, RECORD_delivery, &r);
		if (engine_rows_has_gone_on(&e->seen[i], &r.delivery))
			return true;
	}
	return false;
}

enum err
memory_edit(struct memory *m, struct store_edit *e)
{
	struct memory_row *row;
	struct memory_key k;
	union record r;

	e->reported_cnt = e->unreported_cnt = e->row_cnt = e->changed_cnt = 0;
	e->note_cnt = 0;
	e->removed = e->was_damaged = false;
	memory_key_id(&k, e->id);
	row = memory_get(m, MEMORY_MESSAGE, &k);
	if (row == NULL || e->action == EDIT_RETRY)
		return ERR_NONE;
	if (is_stale(m, e))
		return ERR_STALE;
	memory_read(row, RECORD_message, &r);
	if (!edit_deliveries(m, e))
		return ERR_SYS;
	put_event(m, e, r.message.sender);
	if (is_removal(e))
		remove_rest(m, e, &r.message, &k);
	return OK;
}
