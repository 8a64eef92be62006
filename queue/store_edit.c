/*
 * store_edit.c - what an administrator wants of a message, as rows: its
 * deliveries are walked once, each moved or taken away, within the transaction
 * that the writer began.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "queue/store_inside.h"

#define ROWS_FIRST	4

/* The next row of the message from this number on; its value is the map's. */
static int
next_row(struct store *st, MDB_txn *txn, enum table t, struct id id,
    uint32_t *no, MDB_val *val)
{
	struct store_key k;
	MDB_cursor *c;
	MDB_val key;
	int rc = mdb_cursor_open(txn, st->env.dbi[t], &c);

	if (rc != 0)
		return rc;
	store_table_key_no(&k, id, *no);
	key = (MDB_val){ k.len, k.b };
	rc = mdb_cursor_get(c, &key, val, MDB_SET_RANGE);
	if (rc == 0 && !store_table_same_id(key, id))
		rc = MDB_NOTFOUND;
	if (rc == 0)
		*no = store_table_no(key);
	mdb_cursor_close(c);
	return rc;
}

/* Room for one more in the answer. */
static struct store_moved *
add_row(struct store_edit *e)
{
	uint32_t cnt = e->row_cnt;
	struct store_moved *more;

	if (cnt == 0 || (cnt >= ROWS_FIRST && (cnt & (cnt - 1)) == 0)) {
		more = reallocarray(e->rows, cnt == 0 ? ROWS_FIRST : cnt * 2,
		    sizeof(*more));
		if (more == NULL)
			return NULL;
		e->rows = more;
	}
	return &e->rows[e->row_cnt++];
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

static int
write_moved(struct store *st, MDB_txn *txn, struct store_moved *m,
    const uint8_t *record, size_t len, int64_t due_ms)
{
	struct span flow = { m->flow.name, m->flow.len };
	bool was_held = m->place.due_ms == STORE_HELD_MS;
	struct store_key k;
	int rc;

	store_table_key_due(&k, flow, &m->place);
	if ((rc = store_table_del(&st->env, txn, TABLE_DUE, &k)) != 0)
		return rc;
	store_table_key_no(&k, m->place.id, m->place.no);
	if (record == NULL) {
		if ((rc = store_table_del(&st->env, txn, TABLE_DELIVERY,
		    &k)) != 0)
			return rc;
		return store_row_add_held(st, txn, -(int64_t)was_held);
	}
	if ((rc = store_table_put(&st->env, txn, TABLE_DELIVERY, &k, record,
	    len)) != 0)
		return rc;
	m->place.due_ms = due_ms;
	m->moved = true;
	if ((rc = store_row_put_due(st, txn, &m->flow, &m->place)) != 0)
		return rc;
	return store_row_add_held(st, txn,
	    (due_ms == STORE_HELD_MS) - was_held);
}

static int
edit_delivery(struct store *st, MDB_txn *txn, struct store_edit *e,
    uint32_t no, struct record_delivery *d)
{
	int64_t due_ms = due_then(e, (int64_t)d->due_ms);
	struct store_moved *m = add_row(e);
	uint8_t buf[RECORD_MAX];
	size_t len;

	if (m == NULL)
		return ENOMEM;
	m->moved = false;
	m->place = (struct store_place){ (int64_t)d->due_ms, e->id, no };
	if (!store_flow_name(&m->flow, d->relay, d->destination, d->tenant))
		return EINVAL;
	if (e->action == EDIT_REMOVE) {
		e->changed_cnt++;
		return write_moved(st, txn, m, NULL, 0, 0);
	}
	if (due_ms == m->place.due_ms)
		return 0;
	if (m->place.due_ms == STORE_HELD_MS)
		d->deaths = 0;		/* as many more are forgiven */
	d->due_ms = (uint64_t)due_ms;
	d->held = due_ms == STORE_HELD_MS ? HELD_ADMINISTRATOR : 0;
	if ((len = record_put(buf, RECORD_delivery, d)) == 0)
		return EINVAL;
	e->changed_cnt++;
	return write_moved(st, txn, m, buf, len, due_ms);
}

static int
edit_deliveries(struct store *st, MDB_txn *txn, struct store_edit *e)
{
	uint32_t no = 0;
	MDB_val val;
	int rc;

	while ((rc = next_row(st, txn, TABLE_DELIVERY, e->id, &no,
	    &val)) == 0) {
		struct store_key k;
		union record r;

		if (record_get((struct span){ val.mv_data, val.mv_size },
		    RECORD_delivery, &r) != OK) {
			store_table_key_no(&k, e->id, no);
			store_set_aside(st, TABLE_DELIVERY, &k,
			    ASIDE_DAMAGED);
		} else if ((rc = edit_delivery(st, txn, e, no,
		    &r.delivery)) != 0) {
			return rc;
		}
		if (no++ == UINT32_MAX)
			return 0;
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
del_rcpts(struct store *st, MDB_txn *txn, struct id id)
{
	uint32_t no = 0;
	MDB_val val;
	int rc;

	while ((rc = next_row(st, txn, TABLE_RECIPIENT, id, &no,
	    &val)) == 0) {
		struct store_key k;

		store_table_key_no(&k, id, no);
		rc = store_table_del(&st->env, txn, TABLE_RECIPIENT, &k);
		if (rc != 0 || no++ == UINT32_MAX)
			return rc;
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
put_event(struct store *st, MDB_txn *txn, const struct store_edit *e,
    struct span sender)
{
	static const enum event events[EDIT__COUNT] = {
		[EDIT_HOLD] = EVENT_HELD, [EDIT_RELEASE] = EVENT_RELEASED,
		[EDIT_REMOVE] = EVENT_REMOVED,
	};
	struct record_history h = { .address = sender };

	if (e->action == EDIT_FLUSH)
		return 0;
	return store_row_put_history(st, txn, e->id, events[e->action], 0, &h);
}

int
store_apply_edit(struct store *st, MDB_txn *txn, struct store_edit *e)
{
	char sender[RECORD_STR_MAX];
	uint64_t header_len, body_len;
	struct store_key k;
	union record r;
	size_t sender_len;
	int rc;

	store_table_key_id(&k, e->id);
	rc = store_row_get(st, txn, TABLE_MESSAGE, &k, &r, &e->op.err);
	if (rc != 0 || e->op.err != OK)
		return rc;
	header_len = r.message.header_len;
	body_len = r.message.body_len;
	sender_len = r.message.sender.len;
	if (sender_len > 0)
		memcpy(sender, r.message.sender.ptr, sender_len);
	if ((rc = edit_deliveries(st, txn, e)) != 0)
		return rc;
	if (e->action == EDIT_REMOVE && ((rc = del_rcpts(st, txn,
	    e->id)) != 0 || (rc = store_report_del_all(st, txn,
	    e->id)) != 0 || (rc = store_row_del_message(st, txn, e->id,
	    header_len, body_len)) != 0))
		return rc;
	if (e->changed_cnt == 0)
		return 0;
	return put_event(st, txn, e, (struct span){ sender, sender_len });
}
