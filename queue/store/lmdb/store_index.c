/*
 * store_index.c - table due is made of table delivery, and is compared with it
 * a bounded number of rows at a time.  The reader finds what does not agree,
 * with both tables in one snapshot; the writer looks again before it mends, for
 * a row may have moved meanwhile.
 *
 * A key of table due that is found by walking and not by searching means that
 * the tree is out of order, and that searches miss others too: it is made anew.
 * In table delivery such a key is brought home, see store_stray.c, and what it
 * hides is found all the same, see store_find.h.
 */
#include <string.h>

#include "queue/store/lmdb/store_inside.h"

/* relay, destination, tenant, with a NUL behind each, and a place. */
bool
store_index_is_key(MDB_val key)
{
	const char *name = key.mv_data;
	unsigned nuls = 0;
	size_t len;

	if (key.mv_size <= PLACE_LEN)
		return false;
	len = key.mv_size - PLACE_LEN;
	for (size_t i = 0; i < len; i++)
		nuls += name[i] == '\0';
	return nuls == 3 && name[len - 1] == '\0' && len <= STORE_FLOW_MAX;
}

static void
copy_key(struct store_index_key *to, MDB_val key)
{
	to->len = key.mv_size < sizeof(to->b) ? key.mv_size : sizeof(to->b);
	memcpy(to->b, key.mv_data, to->len);
}

/* Does a search find this row? */
static int
is_there(const struct store *st, MDB_txn *txn, enum table t, MDB_val key,
    bool *there)
{
	MDB_val val;
	int rc = mdb_get(txn, st->env.dbi[t], &key, &val);

	*there = rc == 0;
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Does the delivery's row of table due stand there?  A damaged one has none. */
static int
has_due(const struct store *st, MDB_txn *txn, MDB_val key, MDB_val val,
    bool *has)
{
	struct store_key k;

	*has = true;
	if (!store_row_due_key(key, val, &k))
		return 0;
	return is_there(st, txn, TABLE_DUE, (MDB_val){ k.len, k.b }, has);
}

/*
 * A row of table due may be all that is left of a delivery: then its message
 * has more deliveries than there are, or recipients and no envelope.
 */
static int
is_last_trace(const struct store *st, MDB_txn *txn, struct id id, bool *is)
{
	uint32_t deliveries, rcpts;
	struct store_key k;
	union record m;
	MDB_val val;
	bool has_message;
	int rc;

	store_table_key_id(&k, id);
	rc = store_find_row(&st->env, txn, TABLE_MESSAGE, &k, &val);
	if (rc != 0 && rc != MDB_NOTFOUND)
		return rc;
	has_message = rc == 0 && record_get((struct span){ val.mv_data,
	    val.mv_size }, RECORD_message, &m) == OK;
	if ((rc = store_rows_count(&st->env, txn, TABLE_DELIVERY, id,
	    &deliveries)) != 0 || (rc = store_rows_count(&st->env, txn,
	    TABLE_RECIPIENT, id, &rcpts)) != 0)
		return rc;
	*is = has_message ? deliveries < m.message.delivery_cnt :
	    deliveries == 0 && rcpts > 0;
	return 0;
}

/*
 * Does this row of table due lead to a delivery that is due then?  What cannot
 * be read is not judged.
 */
static int
is_right(const struct store *st, MDB_txn *txn, MDB_val key, bool *right)
{
	struct store_key k, want;
	struct store_place place;
	MDB_val val;
	int rc;

	*right = false;
	if (!store_index_is_key(key))
		return 0;
	store_table_place(key, &place);
	store_table_key_no(&k, place.id, place.no);
	rc = store_find_row(&st->env, txn, TABLE_DELIVERY, &k, &val);
	if (rc == MDB_NOTFOUND)
		return is_last_trace(st, txn, place.id, right);
	if (rc != 0)
		return rc;
	*right = !store_row_due_key((MDB_val){ k.len, k.b }, val, &want) ||
	    store_table_cmp(key, want.b, want.len) == 0;
	return 0;
}

/* Of a delivery that cannot be read there is a note, due or not. */
static int
look_whole(struct store *st, MDB_txn *txn, MDB_val key, MDB_val val)
{
	struct span bytes = { val.mv_data, val.mv_size };
	struct store_key k = { .len = key.mv_size }, note;
	MDB_val there;
	union record r;
	int rc;

	if (key.mv_size != sizeof(struct id) + sizeof(uint32_t) ||
	    record_get(bytes, RECORD_delivery, &r) == OK)
		return 0;
	memcpy(k.b, key.mv_data, k.len);
	if (!store_note_key(&note, TABLE_DELIVERY, &k))
		return 0;
	rc = store_table_get(&st->env, txn, TABLE_QUARANTINE, &note, &there);
	if (rc == MDB_NOTFOUND)
		store_set_aside(st, TABLE_DELIVERY, &k,
		    record_is_newer(bytes, RECORD_delivery) ? ASIDE_NEWER :
		    ASIDE_DAMAGED);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Look at one row of table due; what is wrong with it is noted. */
static int
look_at_due(struct store *st, MDB_txn *txn, struct store_read_index *r,
    MDB_val key)
{
	bool there = false, good;
	int rc = 0;

	if (key.mv_size > 0 && key.mv_size <= STORE_KEY_MAX)
		rc = is_there(st, txn, TABLE_DUE, key, &there);
	if (rc != 0)
		return rc;
	r->is_out_of_order = !there || (r->from.len > 0 && store_table_cmp(key,
	    r->from.b, r->from.len) <= 0);
	if (r->is_out_of_order)
		return 0;
	rc = is_right(st, txn, key, &good);
	if (rc == 0 && !good)
		copy_key(&r->wrong[r->wrong_cnt++], key);
	return rc;
}

/* The same of table delivery, whose rows need not be in their order. */
static int
look_at_delivery(struct store *st, MDB_txn *txn, struct store_read_index *r,
    MDB_val key, MDB_val val)
{
	struct store_key k = { .len = key.mv_size };
	bool good = false;
	MDB_val found;
	int rc;

	if (key.mv_size == 0 || key.mv_size > sizeof(k.b))
		return 0;
	memcpy(k.b, key.mv_data, k.len);
	rc = store_find_row(&st->env, txn, TABLE_DELIVERY, &k, &found);
	if (rc == 0 && (rc = has_due(st, txn, key, val, &good)) == 0)
		rc = look_whole(st, txn, key, val);
	if ((rc == 0 && !good) || rc == MDB_NOTFOUND)
		copy_key(&r->wrong[r->wrong_cnt++], key);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
walk_deliveries(struct store *st, MDB_txn *txn, struct store_read_index *r)
{
	struct store_key from = { .len = r->from.len };
	struct store_walk w;
	int rc;

	memcpy(from.b, r->from.b, from.len);
	if ((rc = store_walk_open(&st->env, txn, TABLE_DELIVERY, &from,
	    &w)) != 0)
		return rc;
	rc = store_walk_next(&w);
	while (rc == 0 && r->row_cnt < r->row_max &&
	    r->wrong_cnt < STORE_WRONG_MAX) {
		if ((rc = look_at_delivery(st, txn, r, w.key, w.val)) != 0)
			break;
		r->row_cnt++;
		rc = store_walk_next(&w);
	}
	r->from.len = w.behind.len;
	memcpy(r->from.b, w.behind.b, w.behind.len);
	store_walk_close(&w);
	return rc;
}

/* `from` is the last row looked at: each that follows must be behind it. */
static int
walk_due(struct store *st, MDB_txn *txn, MDB_cursor *c,
    struct store_read_index *r)
{
	MDB_val key = { r->from.len, r->from.b }, val;
	int rc = mdb_cursor_get(c, &key, &val, r->from.len == 0 ? MDB_FIRST :
	    MDB_SET_RANGE);

	if (rc == 0 && r->from.len > 0 && store_table_cmp(key, r->from.b,
	    r->from.len) == 0)
		rc = mdb_cursor_get(c, &key, &val, MDB_NEXT);
	while (rc == 0 && r->row_cnt < r->row_max &&
	    r->wrong_cnt < STORE_WRONG_MAX) {
		if ((rc = look_at_due(st, txn, r, key)) != 0 ||
		    r->is_out_of_order)
			return rc;
		r->row_cnt++;
		copy_key(&r->from, key);
		rc = mdb_cursor_get(c, &key, &val, MDB_NEXT);
	}
	return rc;
}

int
store_index_read(struct store *st, MDB_txn *txn, struct store_read_index *r)
{
	MDB_cursor *c;
	int rc;

	r->wrong_cnt = 0;
	r->row_cnt = 0;
	r->is_out_of_order = false;
	if (!r->in_due) {
		rc = walk_deliveries(st, txn, r);
	} else {
		rc = mdb_cursor_open(txn, st->env.dbi[TABLE_DUE], &c);
		if (rc != 0)
			return rc;
		rc = walk_due(st, txn, c, r);
		mdb_cursor_close(c);
	}
	r->at_end = rc == MDB_NOTFOUND;
	return r->at_end ? 0 : rc;
}

static int
put_due(struct store *st, MDB_txn *txn, MDB_val key, MDB_val val,
    struct store_mend *m)
{
	struct store_key k;
	bool there;
	int rc;

	if (!store_row_due_key(key, val, &k))
		return 0;
	rc = is_there(st, txn, TABLE_DUE, (MDB_val){ k.len, k.b }, &there);
	if (rc != 0 || there)
		return rc;
	m->added++;
	return store_table_put(&st->env, txn, TABLE_DUE, &k, "", 0);
}

/* All of it, from the deliveries: what it held does not matter. */
static int
make_anew(struct store *st, MDB_txn *txn, struct store_mend *m)
{
	MDB_cursor *c;
	MDB_val key, val;
	int rc;

	if ((rc = mdb_drop(txn, st->env.dbi[TABLE_DUE], 0)) != 0 ||
	    (rc = mdb_cursor_open(txn, st->env.dbi[TABLE_DELIVERY], &c)) != 0)
		return rc;
	rc = mdb_cursor_get(c, &key, &val, MDB_FIRST);
	for (; rc == 0; rc = mdb_cursor_get(c, &key, &val, MDB_NEXT))
		if ((rc = put_due(st, txn, key, val, m)) != 0)
			break;
	mdb_cursor_close(c);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
mend_delivery(struct store *st, MDB_txn *txn,
    const struct store_index_key *k, struct store_mend *m)
{
	MDB_val key = { k->len, (void *)k->b }, val;
	struct store_key row = { .len = k->len };
	bool is_home;
	int rc;

	memcpy(row.b, k->b, k->len);
	if ((rc = store_stray_delivery(st, txn, &row, &is_home)) != 0 ||
	    is_home) {
		m->brought += is_home;
		return rc;
	}
	rc = store_find_row(&st->env, txn, TABLE_DELIVERY, &row, &val);
	if (rc != 0)
		return rc == MDB_NOTFOUND ? 0 : rc;
	return put_due(st, txn, key, val, m);
}

static int
mend_due(struct store *st, MDB_txn *txn, const struct store_index_key *k,
    struct store_mend *m)
{
	MDB_val key = { k->len, (void *)k->b };
	bool there, right = true;
	int rc = is_there(st, txn, TABLE_DUE, key, &there);

	if (rc == 0 && there)
		rc = is_right(st, txn, key, &right);
	if (rc != 0 || right)
		return rc;
	m->removed++;
	key = (MDB_val){ k->len, (void *)k->b };
	return mdb_del(txn, st->env.dbi[TABLE_DUE], &key, NULL);
}

int
store_index_mend(struct store *st, MDB_txn *txn, struct store_mend *m)
{
	const struct store_read_index *r = m->found;
	int rc = 0;

	m->added = m->removed = m->brought = 0;
	if (r->is_out_of_order)
		return make_anew(st, txn, m);
	for (unsigned i = 0; rc == 0 && i < r->wrong_cnt; i++)
		rc = r->in_due ? mend_due(st, txn, &r->wrong[i], m) :
		    mend_delivery(st, txn, &r->wrong[i], m);
	return rc;
}
