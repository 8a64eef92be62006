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
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "queue/store/engine_rows.h"
#include "queue/store/lmdb/store_inside.h"
#include "sys/clock.h"

static const char *const why_said[ASIDE__COUNT] = {
	[ASIDE_DAMAGED] = "a row is damaged",
	[ASIDE_NEWER] = "a row was written by a newer postern",
	[ASIDE_MISSING] = "a row is missing",
	[ASIDE_LONE] = "a row belongs to no message",
};

static void
set_aside_done(struct store_op *op, enum err e, void *arg)
{
	struct store_quarantine *q = (struct store_quarantine *)op;
	struct log_line l;
	struct id id;

	if (e == OK && !q->is_new && !q->is_back) {
		free(q);
		return;
	}
	memcpy(id.b, q->key.b, sizeof(id.b));
	log_begin(&l, q->is_back ? LOG_trouble : LOG_quarantined);
	log_id(&l, LOG_KEY_id, id);
	log_text(&l, LOG_KEY_table, store_table_name(q->table));
	if (q->key.len > sizeof(id.b))
		log_num(&l, LOG_KEY_row, store_table_no((MDB_val){
		    q->key.len, q->key.b }));
	log_text(&l, LOG_KEY_why, q->is_back ? "a row stood under a key of "
	    "which a bit was flipped, and is put back" : why_said[q->why]);
	log_end(&l);
	free(q);
}

void
store_set_aside(struct store *st, enum table t, const struct store_key *k,
    enum aside why)
{
	struct store_quarantine *q;

	if (k->len < sizeof(struct id) || (q = calloc(1, sizeof(*q))) == NULL)
		return;		/* found again with the next read */
	q->table = t;
	q->key = *k;
	q->why = why;
	store_hand_write(st, &q->op, STORE_QUARANTINE, set_aside_done, NULL);
}

void
store_aside_end(struct store *st)
{
	struct store_op *op;

	while ((op = STAILQ_FIRST(&st->done)) != NULL) {
		STAILQ_REMOVE_HEAD(&st->done, entry);
		if (op->kind == STORE_QUARANTINE)
			set_aside_done(op, op->err, op->arg);
		else
			engine_rows_discard(op);
	}
	while ((op = STAILQ_FIRST(&st->writes)) != NULL) {
		STAILQ_REMOVE_HEAD(&st->writes, entry);
		if (op->kind == STORE_QUARANTINE)
			free(op);	/* no note was made: found again */
	}
}

void
store_miss_rcpt(struct store *st, struct id id)
{
	struct store_key k;

	store_table_key_id(&k, id);
	store_set_aside(st, TABLE_RECIPIENT, &k, ASIDE_MISSING);
}

bool
store_row_kind(enum table t, enum record_kind *out)
{
	static const struct { bool is; enum record_kind kind; }
	    kinds[TABLE__COUNT] = {
		[TABLE_MESSAGE] = { true, RECORD_message },
		[TABLE_RECIPIENT] = { true, RECORD_recipient },
		[TABLE_DELIVERY] = { true, RECORD_delivery },
		[TABLE_LOOSE] = { true, RECORD_loose },
		[TABLE_HISTORY] = { true, RECORD_history },
		[TABLE_QUARANTINE] = { true, RECORD_quarantine },
		[TABLE_TOTAL] = { true, RECORD_total },
		[TABLE_REPORT] = { true, RECORD_report },
		[TABLE_DISCARD] = { true, RECORD_discard },
		[TABLE_CRC] = { true, RECORD_crc },
		[TABLE_SUSPENSION] = { true, RECORD_suspension },
	};

	*out = kinds[t].kind;
	return kinds[t].is;
}

int
store_row_look(const struct store *st, MDB_txn *txn, enum table t,
    const struct store_key *k, union record *out, enum err *e,
    enum aside *why)
{
	enum record_kind kind;
	struct span bytes;
	MDB_val val;
	int rc = store_find_row(&st->env, txn, t, k, &val);

	*e = ERR_NONE;
	*why = ASIDE_MISSING;
	if (rc != 0)
		return rc == MDB_NOTFOUND ? 0 : rc;
	*e = ERR_PEER;
	*why = ASIDE_DAMAGED;
	if (!store_row_kind(t, &kind))
		return EINVAL;
	bytes = (struct span){ val.mv_data, val.mv_size };
	if ((*e = record_get(bytes, kind, out)) != OK &&
	    record_is_newer(bytes, kind))
		*why = ASIDE_NEWER;
	return 0;
}

/* The key of the note about a row; false when it is too long to have one. */
bool
store_note_key(struct store_key *to, enum table t, const struct store_key *k)
{
	if (k->len >= STORE_KEY_MAX)
		return false;
	to->b[0] = (uint8_t)t;
	memcpy(to->b + 1, k->b, k->len);
	to->len = k->len + 1;
	return true;
}

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
	struct record_history event = { .reply = span_of(why_said[h->why]) };
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
