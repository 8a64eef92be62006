/*
 * store_notes.c - table quarantine, read and looked through again: a note goes
 * when its row can be used by now, or when nothing is left that needs the row.
 *
 * A key is the number of a table and the key of the row there.  The note of a
 * recipient without a number says that one is missing, nobody knows which: a
 * delivery counts more than there are.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "queue/store/lmdb/store_inside.h"

/* The row that a note is about; false: this is no key of a note. */
static bool
row_of(MDB_val key, enum table *t, struct store_key *k)
{
	const uint8_t *b = key.mv_data;

	if (key.mv_size <= sizeof(struct id) || b[0] >= TABLE__COUNT)
		return false;
	*t = b[0];
	k->len = key.mv_size - 1;
	memcpy(k->b, b + 1, k->len);
	return true;
}

static struct id
id_of(const struct store_key *k)
{
	struct id id;

	memcpy(id.b, k->b, sizeof(id.b));
	return id;
}

/* Does nothing of the message need the row any more? */
static int
is_nothing_left(struct store *st, MDB_txn *txn, struct id id, bool *nothing)
{
	uint32_t deliveries, rcpts;
	int rc;

	if ((rc = store_rows_count(&st->env, txn, TABLE_DELIVERY, id,
	    &deliveries)) != 0 || (rc = store_rows_count(&st->env, txn,
	    TABLE_RECIPIENT, id, &rcpts)) != 0)
		return rc;
	*nothing = deliveries == 0 && rcpts == 0;
	return 0;
}

/* How many recipients all deliveries of the message count. */
static int
count_counted(struct store *st, MDB_txn *txn, struct id id, uint64_t *cnt)
{
	struct store_rows w;
	int rc = store_rows_open(&st->env, txn, TABLE_DELIVERY, id, 0, &w);

	if (rc != 0)
		return rc;
	for (*cnt = 0; (rc = store_rows_next(&w)) == 0; ) {
		union record r;

		if (record_get((struct span){ w.val.mv_data, w.val.mv_size },
		    RECORD_delivery, &r) == OK)
			*cnt += r.delivery.rcpt_cnt;
	}
	store_rows_close(&w);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Is it of a delivery that there is?  One that cannot be read may be. */
static int
has_delivery(struct store *st, MDB_txn *txn, struct id id, MDB_val row,
    bool *has)
{
	struct store_key k;
	union record r;
	MDB_val val;
	int rc;

	*has = true;
	if (record_get((struct span){ row.mv_data, row.mv_size },
	    RECORD_recipient, &r) != OK)
		return 0;
	store_table_key_no(&k, id, r.recipient.delivery);
	rc = store_find_row(&st->env, txn, TABLE_DELIVERY, &k, &val);
	*has = rc == 0;
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* As many recipients, whole or not, as the deliveries count? */
static int
are_all_there(struct store *st, MDB_txn *txn, struct id id, bool *all)
{
	uint64_t counted, cnt = 0;
	struct store_rows w;
	bool has;
	int rc = count_counted(st, txn, id, &counted);

	if (rc != 0 || (rc = store_rows_open(&st->env, txn, TABLE_RECIPIENT,
	    id, 0, &w)) != 0)
		return rc;
	while ((rc = store_rows_next(&w)) == 0 &&
	    (rc = has_delivery(st, txn, id, w.val, &has)) == 0)
		cnt += has && w.is_row;
	store_rows_close(&w);
	*all = cnt >= counted;
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* No record tells how text is: its checksum does. */
static int
is_text_good(struct store *st, MDB_txn *txn, enum table t,
    const struct store_key *k, bool *good)
{
	struct store_read_piece r = {
		.id = id_of(k),
		.part = t == TABLE_HEADER ? PART_HEADER : PART_BODY,
		.piece_no = store_table_no((MDB_val){ k->len,
		    (void *)k->b }) / PIECE_CHUNKS,
	};
	enum err e = store_text_read(st, txn, &r);

	free(r.text);
	*good = e == OK;
	return e == ERR_NONE ? is_nothing_left(st, txn, r.id, good) : 0;
}

int
store_note_look(struct store *st, MDB_txn *txn, enum table t,
    const struct store_key *k, enum aside *why, bool *over)
{
	bool was_missing = *why == ASIDE_MISSING;
	enum record_kind kind;
	enum aside now;
	union record r;
	enum err e;
	int rc;

	*over = true;
	if (*why == ASIDE_LONE)
		return store_lone_is_over(st, txn, t, id_of(k), over);
	if (t == TABLE_RECIPIENT && k->len == sizeof(struct id))
		return are_all_there(st, txn, id_of(k), over);
	if (t == TABLE_HEADER || t == TABLE_BODY)
		return is_text_good(st, txn, t, k, over);
	if (!store_row_kind(t, &kind))
		return 0;
	rc = store_row_look(st, txn, t, k, &r, &e, &now);
	if (rc != 0 || e == OK)
		return rc;
	if (t == TABLE_MESSAGE && e == ERR_PEER && now == ASIDE_DAMAGED) {
		*why = now;
		return store_row_is_over(st, txn, id_of(k), over);
	}
	if (e == ERR_NONE)
		return was_missing ? is_nothing_left(st, txn, id_of(k),
		    over) : 0;
	*why = now;
	*over = false;
	return 0;
}

static enum aside
why_of(const union record *r)
{
	return r->quarantine.why < ASIDE__COUNT ? r->quarantine.why :
	    ASIDE_DAMAGED;
}

/* One note as it is given out; false: it is none. */
static bool
fill_note(struct store_note *n, MDB_val key, MDB_val val, enum table *t,
    struct store_key *k)
{
	union record r;

	if (!row_of(key, t, k))
		return false;
	*n = (struct store_note){
		.table = store_table_name(*t), .id = id_of(k),
		.has_no = k->len > sizeof(struct id), .why = ASIDE_DAMAGED,
	};
	if (n->has_no)
		n->no = store_table_no((MDB_val){ k->len, k->b });
	/* Of a damaged note the key still says which row it is about. */
	if (record_get((struct span){ val.mv_data, val.mv_size },
	    RECORD_quarantine, &r) == OK) {
		n->why = why_of(&r);
		n->since_ms = r.quarantine.since_ms;
	}
	return true;
}

int
store_notes_read(struct store *st, MDB_txn *txn, struct store_read_notes *r)
{
	struct store_key from = { .len = r->from.len };
	struct store_walk w;
	int rc;

	memcpy(from.b, r->from.b, from.len);
	rc = store_walk_open(&st->env, txn, TABLE_QUARANTINE, &from, &w);
	if (rc != 0)
		return rc;
	r->cnt = 0;
	rc = store_walk_next(&w);
	while (rc == 0 && r->cnt < STORE_NOTES_MAX) {
		struct store_note *n = &r->rows[r->cnt];
		struct store_key k;
		enum table t;

		if (fill_note(n, w.key, w.val, &t, &k)) {
			r->cnt++;
			if (r->looks && (rc = store_note_look(st, txn, t, &k,
			    &n->why, &n->is_over)) != 0)
				break;
		}
		rc = store_walk_next(&w);
	}
	store_walk_close(&w);
	r->from.len = w.behind.len;
	memcpy(r->from.b, w.behind.b, w.behind.len);
	r->at_end = rc == MDB_NOTFOUND;
	return r->at_end ? 0 : rc;
}

/* A delivery that could not be read was held by its row of table due alone. */
static int
unhold(struct store *st, MDB_txn *txn, const struct store_key *row,
    struct span flow)
{
	struct store_place place = { STORE_HELD_MS, id_of(row),
	    store_table_no((MDB_val){ row->len, (void *)row->b }) };
	struct store_key k;
	int rc;

	store_table_key_due(&k, flow, &place);
	if ((rc = store_find_del(&st->env, txn, TABLE_DUE, &k)) != 0)
		return rc;
	return store_row_add_held(st, txn, -1);
}

static int
drop_note(struct store *st, MDB_txn *txn, enum table t,
    const struct store_key *note, const struct store_key *row,
    const struct record_quarantine *q)
{
	char flow[STORE_FLOW_MAX];
	size_t len = q->flow.len;
	int rc;

	if (len > sizeof(flow))
		len = 0;
	if (len > 0)
		memcpy(flow, q->flow.ptr, len);
	rc = store_find_del(&st->env, txn, TABLE_QUARANTINE, note);
	if (rc != 0 || t != TABLE_DELIVERY || len == 0)
		return rc;
	return unhold(st, txn, row, (struct span){ flow, len });
}

static bool
is_note_of(MDB_val key, const struct store_key *prefix,
    const struct store_key *least)
{
	return key.mv_size >= prefix->len && key.mv_size < sizeof(least->b) &&
	    memcmp(key.mv_data, prefix->b, prefix->len) == 0 &&
	    store_table_cmp(key, least->b, least->len) >= 0;
}

/*
 * The note at k or the next of the same table and message; a few of others that
 * should stand elsewhere are passed over.
 */
static int
next_note(struct store *st, MDB_txn *txn, const struct store_key *prefix,
    struct store_key *k, MDB_val *val)
{
	MDB_cursor *c;
	MDB_val key;
	int rc = mdb_cursor_open(txn, st->env.dbi[TABLE_QUARANTINE], &c);

	if (rc != 0)
		return rc;
	rc = store_table_seek(c, k, &key, val);
	for (unsigned i = 0; rc == 0 && !is_note_of(key, prefix, k); i++)
		rc = i == STORE_FOREIGN_MAX ? MDB_NOTFOUND :
		    mdb_cursor_get(c, &key, val, MDB_NEXT);
	if (rc == 0) {
		k->len = key.mv_size;
		memcpy(k->b, key.mv_data, key.mv_size);
	}
	mdb_cursor_close(c);
	return rc;
}

enum aim { JUST_COUNT, DROP_OVER, DROP_ALL };

static int
walk_table(struct store *st, MDB_txn *txn, enum table t, struct id id,
    enum aim aim, struct store_notes *out)
{
	struct store_key prefix = { .len = 1 + sizeof(id.b) }, k, row;
	MDB_val val;
	int rc;

	prefix.b[0] = (uint8_t)t;
	memcpy(prefix.b + 1, id.b, sizeof(id.b));
	k = prefix;
	while ((rc = next_note(st, txn, &prefix, &k, &val)) == 0) {
		union record r = { .quarantine = { .why = ASIDE_DAMAGED } };
		enum aside why;
		bool over = aim == DROP_ALL;

		out->found++;
		if (record_get((struct span){ val.mv_data, val.mv_size },
		    RECORD_quarantine, &r) != OK)
			r.quarantine = (struct record_quarantine){
				.why = ASIDE_DAMAGED };
		why = why_of(&r);
		row.len = k.len - 1;
		memcpy(row.b, k.b + 1, row.len);
		if (aim == DROP_OVER && (rc = store_note_look(st, txn, t,
		    &row, &why, &over)) != 0)
			return rc;
		if (over && (rc = drop_note(st, txn, t, &k, &row,
		    &r.quarantine)) != 0)
			return rc;
		out->over += over;
		k.b[k.len++] = 0;	/* just behind it */
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
walk(struct store *st, MDB_txn *txn, struct id id, enum aim aim,
    struct store_notes *out)
{
	MDB_stat s;
	int rc = mdb_stat(txn, st->env.dbi[TABLE_QUARANTINE], &s);

	*out = (struct store_notes){ 0, 0 };
	if (rc != 0 || s.ms_entries == 0)
		return rc;
	for (enum table t = 0; rc == 0 && t < TABLE__COUNT; t++)
		rc = walk_table(st, txn, t, id, aim, out);
	return rc;
}

int
store_notes_drop(struct store *st, MDB_txn *txn, struct id id, bool all,
    struct store_notes *out)
{
	return walk(st, txn, id, all ? DROP_ALL : DROP_OVER, out);
}

int
store_notes_count(struct store *st, MDB_txn *txn, struct id id,
    struct store_notes *out)
{
	return walk(st, txn, id, JUST_COUNT, out);
}
