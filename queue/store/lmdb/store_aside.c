/*
 * store_aside.c - rows that cannot be used: damaged, missing, or written by a
 * newer postern.  They stay where they are, untouched, for they may yet be
 * read: by a newer program, or when the disk says something else.  Table
 * quarantine has a note of each, so that it is told once and can be listed.
 *
 * A delivery that cannot go on is held by its due time.  Where that stands in a
 * record that cannot be read, only its row of table due is moved, and the note
 * says where from.
 */
#include <errno.h>
#include <string.h>

#include "queue/store/lmdb/store_inside.h"
#include "sys/clock.h"

static int
are_readable(struct store *st, MDB_txn *txn, struct id id, bool *are)
{
	struct store_rows w;
	union record r;
	int rc = store_rows_open(&st->env, txn, TABLE_RECIPIENT, id, 0, &w);

	if (rc != 0)
		return rc;
	for (*are = true; *are && (rc = store_rows_next(&w)) == 0; )
		*are = record_get((struct span){ w.val.mv_data,
		    w.val.mv_size }, RECORD_recipient, &r) == OK;
	store_rows_close(&w);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/*
 * Did another of its message, with a wrong number, stand before a recipient?
 * One that cannot be read has a note of its own.
 */
static int
is_hidden(struct store *st, MDB_txn *txn, const struct store_quarantine *q,
    bool *is)
{
	struct id id;
	int rc;

	*is = false;
	if (q->table != TABLE_RECIPIENT || q->key.len != sizeof(id.b))
		return 0;
	memcpy(id.b, q->key.b, sizeof(id.b));
	if ((rc = are_readable(st, txn, id, is)) != 0 || !*is)
		return rc;
	return store_rows_have(&st->env, txn, TABLE_DELIVERY, id, is);
}

int
store_apply_quarantine(struct store *st, MDB_txn *txn,
    struct store_quarantine *q)
{
	struct record_quarantine note = {
		.since_ms = (uint64_t)clock_wall_ms(),
	};
	bool over, hidden = false;
	struct store_key k;
	MDB_val val;
	int rc;

	q->is_new = q->is_back = false;
	if (!store_note_key(&k, q->table, &q->key))
		return 0;
	rc = store_table_get(&st->env, txn, TABLE_QUARANTINE, &k, &val);
	if (rc != MDB_NOTFOUND)
		return rc;
	if (q->why == ASIDE_MISSING && (rc = store_stray_fetch(st, txn,
	    q->table, &q->key, &q->is_back)) != 0)
		return rc;
	/* Is it as bad as whoever saw it said?  It may be gone by now. */
	if ((rc = store_note_look(st, txn, q->table, &q->key, &q->why,
	    &over)) != 0 || (over && !q->is_back &&
	    (rc = is_hidden(st, txn, q, &hidden)) != 0))
		return rc;
	if (over && !q->is_back && !hidden)
		return 0;
	/* One that is back has a note too: what it held is let go by that. */
	q->is_new = !over;
	note.why = (uint8_t)q->why;
	return store_table_put_record(&st->env, txn, TABLE_QUARANTINE, &k,
	    RECORD_quarantine, &note);
}

enum held
store_held_for(enum aside why)
{
	return why == ASIDE_NEWER ? HELD_NEWER : HELD_DAMAGE;
}

/* The record is as good as it ever was: its due time holds it. */
static int
hold_readable(struct store *st, MDB_txn *txn, struct store_hold *h,
    const struct store_key *k, struct record_delivery *d)
{
	struct store_place place = { (int64_t)d->due_ms, h->place.id,
	    h->place.no };
	struct store_flow flow;
	struct store_key due;
	uint8_t buf[RECORD_MAX];
	size_t len;
	int rc;

	if (place.due_ms == STORE_HELD_MS)
		return 0;
	if (!store_flow_name(&flow, d->relay, d->destination, d->tenant))
		return EINVAL;
	store_table_key_due(&due, (struct span){ flow.name, flow.len },
	    &place);
	place.due_ms = STORE_HELD_MS;
	d->due_ms = (uint64_t)STORE_HELD_MS;
	d->held = store_held_for(h->why);
	d->holder = SPAN("");
	if ((len = record_put(buf, RECORD_delivery, d)) == 0)
		return EINVAL;
	h->held = true;
	if ((rc = store_find_del(&st->env, txn, TABLE_DUE, &due)) != 0 ||
	    (rc = store_find_put(&st->env, txn, TABLE_DELIVERY, k, buf,
	    len)) != 0 ||
	    (rc = store_row_put_due(st, txn, &flow, &place)) != 0)
		return rc;
	return store_row_add_held(st, txn, 1);
}

/* Has the delivery a recipient that can be read? */
static int
has_rcpt(struct store *st, MDB_txn *txn, struct store_place at, bool *has)
{
	struct store_rows w;
	int rc = store_rows_open(&st->env, txn, TABLE_RECIPIENT, at.id, 0, &w);

	if (rc != 0)
		return rc;
	for (*has = false; !*has && (rc = store_rows_next(&w)) == 0; ) {
		union record r;

		*has = w.is_row && record_get((struct span){ w.val.mv_data,
		    w.val.mv_size }, RECORD_recipient, &r) == OK &&
		    r.recipient.delivery == at.no;
	}
	store_rows_close(&w);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* What was missing has been brought home since: it need not be held. */
static int
is_back(struct store *st, MDB_txn *txn, const struct store_hold *h, bool *is)
{
	struct store_key k;
	union record r;
	enum aside why;
	enum err e;
	int rc;

	*is = false;
	if (h->why != ASIDE_MISSING)
		return 0;
	store_table_key_id(&k, h->place.id);
	rc = store_row_look(st, txn, TABLE_MESSAGE, &k, &r, &e, &why);
	if (rc != 0 || e != OK)
		return rc;
	store_table_key_no(&k, h->place.id, h->place.no);
	rc = store_row_look(st, txn, TABLE_DELIVERY, &k, &r, &e, &why);
	return rc != 0 || e != OK ? rc : has_rcpt(st, txn, h->place, is);
}

/* Only the row of table due can be moved; the note remembers it. */
static int
hold_unreadable(struct store *st, MDB_txn *txn, struct store_hold *h,
    const struct store_key *k)
{
	struct record_quarantine note = {
		.since_ms = (uint64_t)clock_wall_ms(), .why = (uint8_t)h->why,
		.due_ms = (uint64_t)h->place.due_ms, .flow = h->flow,
	};
	struct store_place place = h->place;
	struct store_flow flow;
	struct store_key at;
	union record r;
	enum aside why;
	enum err e;
	int rc;

	if (h->flow.len == 0 || h->flow.len > sizeof(flow.name) ||
	    place.due_ms == STORE_HELD_MS ||
	    !store_note_key(&at, TABLE_DELIVERY, k))
		return 0;
	rc = store_row_look(st, txn, TABLE_QUARANTINE, &at, &r, &e, &why);
	if (rc != 0)
		return rc;
	if (e == OK)
		note.since_ms = r.quarantine.since_ms;
	flow.len = h->flow.len;
	memcpy(flow.name, h->flow.ptr, flow.len);
	place.due_ms = STORE_HELD_MS;
	h->held = e != OK || r.quarantine.flow.len == 0;
	if ((rc = store_row_put_due(st, txn, &flow, &place)) != 0 ||
	    (rc = store_table_put_record(&st->env, txn, TABLE_QUARANTINE, &at,
	    RECORD_quarantine, &note)) != 0)
		return rc;
	return store_row_add_held(st, txn, h->held);
}

int
store_apply_hold(struct store *st, MDB_txn *txn, struct store_hold *h)
{
	struct record_history event = {
		.reply = span_of(store_aside_said(h->why)),
	};
	union record r;
	struct store_key k;
	enum aside why;
	bool back;
	enum err e;
	int rc;

	h->held = false;
	if ((rc = is_back(st, txn, h, &back)) != 0)
		return rc;
	if (back) {
		h->op.err = ERR_SYS;	/* to be read once more */
		return 0;
	}
	if (h->flow.len > 0 && h->place.due_ms != STORE_HELD_MS) {
		store_table_key_due(&k, h->flow, &h->place);
		if ((rc = store_find_del(&st->env, txn, TABLE_DUE, &k)) != 0)
			return rc;
	}
	store_table_key_no(&k, h->place.id, h->place.no);
	rc = store_row_look(st, txn, TABLE_DELIVERY, &k, &r, &e, &why);
	if (rc != 0)
		return rc;
	if (e == OK)
		rc = hold_readable(st, txn, h, &k, &r.delivery);
	else
		rc = hold_unreadable(st, txn, h, &k);
	if (rc != 0 || !h->held)
		return rc;
	return store_story_put(st, txn, h->place.id, EVENT_HELD,
	    h->place.no, &event);
}
