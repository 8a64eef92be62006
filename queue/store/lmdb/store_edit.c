/*
 * store_edit.c - what an administrator wants of a message, as rows: its
 * deliveries are walked once, each moved or taken away, within the transaction
 * that the writer began.  What cannot be read is passed over, but for a
 * removal, which an administrator has decided: that takes every row there is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "queue/store/engine_rows.h"
#include "queue/store/lmdb/store_inside.h"

#define ROWS_FIRST	4

/* The next row of the message from this number on; its value is the map's. */
static int
next_row(struct store *st, MDB_txn *txn, enum table t, struct id id,
    uint32_t *no, MDB_val *val)
{
	struct store_rows w;
	int rc = store_rows_open(&st->env, txn, t, id, *no, &w);

	if (rc != 0)
		return rc;
	while ((rc = store_rows_next(&w)) == 0 && !w.is_row)
		;
	*no = w.no;
	*val = w.val;
	store_rows_close(&w);
	return rc;
}

static bool
is_removal(const struct store_edit *e)
{
	return e->action == EDIT_REMOVE || e->action == EDIT_GIVE_UP;
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
due_then(const struct store_edit *e, const struct record_delivery *d)
{
	int64_t due_ms = (int64_t)d->due_ms;
	bool is_held = due_ms == STORE_HELD_MS;

	switch (e->action) {
	case EDIT_HOLD:
		return STORE_HELD_MS;
	case EDIT_RELEASE:
		return is_held ? e->now_ms : due_ms;
	case EDIT_RETRY:
		return is_held && (d->held == HELD_DAMAGE ||
		    d->held == HELD_NEWER) ? e->now_ms : due_ms;
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
	if ((rc = store_find_del(&st->env, txn, TABLE_DUE, &k)) != 0)
		return rc;
	store_table_key_no(&k, m->place.id, m->place.no);
	if (record == NULL) {
		if ((rc = store_find_del(&st->env, txn, TABLE_DELIVERY,
		    &k)) != 0)
			return rc;
		return store_row_add_held(st, txn, -(int64_t)was_held);
	}
	if ((rc = store_find_put(&st->env, txn, TABLE_DELIVERY, &k, record,
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
	int64_t due_ms = due_then(e, d);
	struct store_moved *m = add_row(e);
	uint8_t buf[RECORD_MAX];
	size_t len;

	if (m == NULL)
		return ENOMEM;
	m->moved = false;
	m->place = (struct store_place){ (int64_t)d->due_ms, e->id, no };
	if (!store_flow_name(&m->flow, d->relay, d->destination, d->tenant))
		return EINVAL;
	if (is_removal(e)) {
		e->changed_cnt++;
		e->counted += d->rcpt_cnt;
		return write_moved(st, txn, m, NULL, 0, 0);
	}
	if (e->action == EDIT_RETRY && due_ms == m->place.due_ms) {
		/* While it could not be read its row of due was moved. */
		m->moved = due_ms != STORE_HELD_MS;
		return m->moved ? store_row_put_due(st, txn, &m->flow,
		    &m->place) : 0;
	}
	/* Held for deaths, and now by an administrator: a change as well. */
	if (due_ms == m->place.due_ms && (e->action != EDIT_HOLD ||
	    !store_spent_is_held(d)))
		return 0;
	if (m->place.due_ms == STORE_HELD_MS || due_ms == STORE_HELD_MS)
		d->deaths = 0;		/* as many more are forgiven */
	d->due_ms = (uint64_t)due_ms;
	d->held = due_ms == STORE_HELD_MS ? HELD_ADMINISTRATOR : 0;
	d->holder = due_ms == STORE_HELD_MS ? e->who : SPAN("");
	if ((len = record_put(buf, RECORD_delivery, d)) == 0)
		return EINVAL;
	e->changed_cnt++;
	return write_moved(st, txn, m, buf, len, due_ms);
}

/* Where its row of table due stands a note may say, or table due's round. */
static int
edit_unreadable(struct store *st, MDB_txn *txn, struct store_edit *e,
    uint32_t no, struct span row)
{
	struct store_key k;

	e->was_damaged = true;
	store_table_key_no(&k, e->id, no);
	if (!is_removal(e)) {
		store_set_aside(st, TABLE_DELIVERY, &k, record_is_newer(row,
		    RECORD_delivery) ? ASIDE_NEWER : ASIDE_DAMAGED);
		return 0;
	}
	e->changed_cnt++;
	return store_find_del(&st->env, txn, TABLE_DELIVERY, &k);
}

static int
edit_deliveries(struct store *st, MDB_txn *txn, struct store_edit *e)
{
	uint32_t no = 0;
	MDB_val val;
	int rc;

	while ((rc = next_row(st, txn, TABLE_DELIVERY, e->id, &no,
	    &val)) == 0) {
		struct span row = { val.mv_data, val.mv_size };
		union record r;

		rc = record_get(row, RECORD_delivery, &r) == OK ?
		    edit_delivery(st, txn, e, no, &r.delivery) :
		    edit_unreadable(st, txn, e, no, row);
		if (rc != 0 || no++ == UINT32_MAX)
			return rc;
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
del_rcpts(struct store *st, MDB_txn *txn, struct id id)
{
	struct store_rows w;
	int rc = store_rows_open(&st->env, txn, TABLE_RECIPIENT, id, 0, &w);

	if (rc != 0)
		return rc;
	while ((rc = store_rows_next(&w)) == 0 &&
	    (rc = store_rows_del(&w)) == 0)
		;
	store_rows_close(&w);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
put_event(struct store *st, MDB_txn *txn, const struct store_edit *e,
    struct span sender)
{
	const struct record_history h = { .address = sender,
	    .login = e->who };
	enum event event;

	return engine_rows_event(e->action, &event) ?
	    store_story_put(st, txn, e->id, event, 0, &h) : 0;
}

/* Is there anything of a message whose envelope is not there? */
static int
has_trace(struct store *st, MDB_txn *txn, const struct store_edit *e,
    bool *has)
{
	uint32_t deliveries, rcpts;
	struct store_notes notes;
	int rc;

	*has = false;
	if (!is_removal(e) && e->action != EDIT_RETRY)
		return 0;
	if ((rc = store_rows_count(&st->env, txn, TABLE_DELIVERY, e->id,
	    &deliveries)) != 0 || (rc = store_rows_count(&st->env, txn,
	    TABLE_RECIPIENT, e->id, &rcpts)) != 0 ||
	    (rc = store_notes_count(st, txn, e->id, &notes)) != 0)
		return rc;
	*has = deliveries > 0 || rcpts > 0 || notes.found > 0;
	return 0;
}

/* Are there rows in quarantine, and is one of them good again? */
static int
look_again(struct store *st, MDB_txn *txn, struct store_edit *e)
{
	struct store_notes notes;
	int rc = store_notes_drop(st, txn, e->id, false, &notes);

	e->note_cnt = notes.over;
	if (rc == 0 && notes.over == 0)
		e->op.err = notes.found == 0 ? ERR_NONE : ERR_PEER;
	return rc;
}

/* It stays as one that only waits until its sender has been told. */
static int
keep_for_reports(struct store *st, MDB_txn *txn, struct store_edit *e,
    bool *kept)
{
	struct store_key k;
	union record r;
	enum err found;
	int rc = store_report_has(st, txn, e->id, kept);

	if (rc != 0 || !*kept)
		return rc;
	store_table_key_id(&k, e->id);
	rc = store_row_get(st, txn, TABLE_MESSAGE, &k, &r, &found);
	*kept = rc == 0 && found == OK;
	if (!*kept)
		return rc;	/* what there is to tell is discarded	*/
	e->removed = false;
	r.message.delivery_cnt = 0;
	return store_find_put_record(&st->env, txn, TABLE_MESSAGE, &k,
	    RECORD_message, &r.message);
}

/*
 * How much text a message has that cannot be read nobody knows: it is swept.
 * m is of no use but where the envelope was read.
 */
static int
remove_rest(struct store *st, MDB_txn *txn, struct store_edit *e,
    const struct record_message *m, bool has_envelope)
{
	struct store_notes notes;
	struct store_key k;
	bool kept = false;
	int rc = 0;

	if (e->action == EDIT_GIVE_UP)
		rc = store_answer_rcpts(st, txn, e, has_envelope ? m : NULL);
	else
		rc = store_report_del_all(st, txn, e->id);
	if (rc != 0 || (rc = del_rcpts(st, txn, e->id)) != 0 ||
	    (rc = store_notes_drop(st, txn, e->id, true, &notes)) != 0)
		return rc;
	e->was_damaged |= notes.found > 0;
	if (e->action == EDIT_GIVE_UP &&
	    ((rc = keep_for_reports(st, txn, e, &kept)) != 0 || kept))
		return rc;
	if (!e->was_damaged)
		return store_row_del_message(st, txn, e->id, m->header_len,
		    m->body_len);
	store_table_key_id(&k, e->id);
	if ((rc = store_find_del(&st->env, txn, TABLE_MESSAGE, &k)) != 0)
		return rc;
	return store_sweep_later(st, txn, e->id);
}

/* Has somebody gone on with what was seen?  Of damage nobody can say it. */
static int
find_stale(struct store *st, MDB_txn *txn, struct store_edit *e)
{
	struct store_key k;
	union record r;
	enum err found;
	int rc = 0;

	for (uint32_t i = 0; i < e->seen_cnt && e->op.err == OK; i++) {
		store_table_key_no(&k, e->id, e->seen[i].no);
		if ((rc = store_row_get(st, txn, TABLE_DELIVERY, &k, &r,
		    &found)) != 0)
			return rc;
		if (found == ERR_NONE || (found == OK &&
		    engine_rows_has_gone_on(&e->seen[i], &r.delivery)))
			e->op.err = ERR_STALE;
	}
	return rc;
}

int
store_apply_edit(struct store *st, MDB_txn *txn, struct store_edit *e)
{
	struct record_message m = { .flags = 0 };
	char sender[RECORD_STR_MAX];
	bool has = true;
	struct store_key k;
	union record r;
	enum err found;
	int rc;

	store_table_key_id(&k, e->id);
	rc = store_row_get(st, txn, TABLE_MESSAGE, &k, &r, &found);
	if (rc == 0 && found == OK) {
		m = r.message;
		if (m.sender.len > 0)
			memcpy(sender, m.sender.ptr, m.sender.len);
		m.sender.ptr = sender;
	} else if (rc == 0 && found == ERR_NONE) {
		rc = has_trace(st, txn, e, &has);
	}
	e->reported_cnt = e->unreported_cnt = 0;
	e->counted = 0;
	e->removed = is_removal(e) && found != ERR_NONE;
	e->was_damaged = found != OK;
	if (rc != 0 || !has) {
		e->op.err = ERR_NONE;
		return rc;
	}
	if ((rc = find_stale(st, txn, e)) != 0 || e->op.err != OK)
		return rc;
	if (e->action == EDIT_RETRY && ((rc = look_again(st, txn,
	    e)) != 0 || e->op.err != OK))
		return rc;
	/* What had a note only for an envelope that nobody needs any more. */
	if (e->action == EDIT_RETRY && found == ERR_PEER)
		rc = store_row_end_damaged(st, txn, e->id, &e->removed);
	if (rc != 0 || (e->action == EDIT_RETRY && e->removed))
		return rc;
	if ((rc = edit_deliveries(st, txn, e)) != 0 || (is_removal(e) &&
	    (rc = remove_rest(st, txn, e, &m, found == OK)) != 0))
		return rc;
	if (e->changed_cnt == 0)
		return 0;
	return put_event(st, txn, e, m.sender);
}
