/*
 * store_hasten.c - rows that are due later than they can have been told to be.
 * One whose delivery is not there, or is due at another time, is left alone:
 * it is the index that is wrong then.
 */
#include <errno.h>
#include <string.h>

#include "queue/store/lmdb/store_inside.h"

static bool
is_behind(MDB_val key, struct span flow, const struct store_key *k)
{
	return key.mv_size == flow.len + PLACE_LEN &&
	    memcmp(key.mv_data, flow.ptr, flow.len) == 0 &&
	    store_table_cmp(key, k->b, k->len) > 0;
}

/*
 * The next row of the flow behind `after'; MDB_NOTFOUND when there is none.  A
 * few that should stand elsewhere are passed over.
 */
static int
next_row(struct store *st, MDB_txn *txn, struct span flow,
    const struct store_place *after, struct store_place *out)
{
	struct store_key k;
	MDB_cursor *c;
	MDB_val key, val;
	int rc = mdb_cursor_open(txn, st->env.dbi[TABLE_DUE], &c);

	if (rc != 0)
		return rc;
	store_table_key_due(&k, flow, after);
	rc = store_table_seek(c, &k, &key, &val);
	if (rc == 0 && store_table_cmp(key, k.b, k.len) == 0)
		rc = mdb_cursor_get(c, &key, &val, MDB_NEXT);
	for (unsigned i = 0; rc == 0 && !is_behind(key, flow, &k); i++)
		rc = i == STORE_FOREIGN_MAX ? MDB_NOTFOUND :
		    mdb_cursor_get(c, &key, &val, MDB_NEXT);
	if (rc == 0)
		store_table_place(key, out);
	mdb_cursor_close(c);
	if (rc == 0 && out->due_ms >= STORE_HELD_MS)
		rc = MDB_NOTFOUND;
	return rc;
}

static int
move_row(struct store *st, MDB_txn *txn, struct store_hasten *h,
    const struct store_place *from)
{
	struct span flow = { h->flow.name, h->flow.len };
	struct store_place to = { h->now_ms, from->id, from->no };
	struct store_key k, due;
	union record r;
	uint8_t buf[RECORD_MAX];
	size_t len;
	enum err e;
	int rc;

	store_table_key_no(&k, from->id, from->no);
	rc = store_row_get(st, txn, TABLE_DELIVERY, &k, &r, &e);
	if (rc != 0 || e != OK || (int64_t)r.delivery.due_ms != from->due_ms)
		return rc;
	r.delivery.due_ms = (uint64_t)h->now_ms;
	if ((len = record_put(buf, RECORD_delivery, &r.delivery)) == 0)
		return EINVAL;
	store_table_key_due(&due, flow, from);
	if ((rc = store_find_del(&st->env, txn, TABLE_DUE, &due)) != 0 ||
	    (rc = store_find_put(&st->env, txn, TABLE_DELIVERY, &k, buf,
	    len)) != 0 ||
	    (rc = store_row_put_due(st, txn, &h->flow, &to)) != 0)
		return rc;
	h->rows[h->cnt++] = to;
	return 0;
}

int
store_apply_hasten(struct store *st, MDB_txn *txn, struct store_hasten *h)
{
	struct span flow = { h->flow.name, h->flow.len };
	int rc = 0;

	if (h->after.due_ms <= h->far_ms)
		h->after = (struct store_place){ .due_ms = h->far_ms + 1 };
	h->cnt = 0;
	for (int i = 0; rc == 0 && i < STORE_DUE_MAX; i++) {
		rc = next_row(st, txn, flow, &h->after, &h->after);
		if (rc == 0)
			rc = move_row(st, txn, h, &h->after);
	}
	h->at_end = rc == MDB_NOTFOUND;
	return h->at_end ? 0 : rc;
}
