/*
 * store_find.c - MDB_SET searches the tree; what it misses is looked for key by
 * key, which believes in no order.
 */
#include <errno.h>

#include "queue/store/lmdb/store_find.h"

/* From where the search leads, in one direction. */
static int
walk(MDB_cursor *c, const struct store_key *k, MDB_cursor_op step,
    MDB_val *val)
{
	MDB_val key = { k->len, (void *)k->b };
	int rc = mdb_cursor_get(c, &key, val, MDB_SET_RANGE);

	if (rc == MDB_NOTFOUND)
		rc = mdb_cursor_get(c, &key, val, MDB_LAST);
	for (int i = 0; rc == 0 && store_table_cmp(key, k->b, k->len) != 0;
	    i++)
		rc = i == STORE_FIND_AROUND ? MDB_NOTFOUND :
		    mdb_cursor_get(c, &key, val, step);
	return rc;
}

static int
look_around(MDB_cursor *c, const struct store_key *k, MDB_val *val)
{
	int rc = walk(c, k, MDB_PREV, val);

	return rc == MDB_NOTFOUND ? walk(c, k, MDB_NEXT, val) : rc;
}

/* The cursor is at the row then. */
static int
seek(MDB_cursor *c, const struct store_key *k)
{
	MDB_val key = { k->len, (void *)k->b }, val;
	int rc = mdb_cursor_get(c, &key, &val, MDB_SET);

	return rc == MDB_NOTFOUND ? look_around(c, k, &val) : rc;
}

int
store_find_row(const struct store_env *e, MDB_txn *txn, enum table t,
    const struct store_key *k, MDB_val *out)
{
	int rc = store_table_get(e, txn, t, k, out);
	MDB_cursor *c;

	if (rc != MDB_NOTFOUND ||
	    (rc = mdb_cursor_open(txn, e->dbi[t], &c)) != 0)
		return rc;
	rc = look_around(c, k, out);
	mdb_cursor_close(c);
	return rc;
}

int
store_find_put(const struct store_env *e, MDB_txn *txn, enum table t,
    const struct store_key *k, const void *p, size_t len)
{
	MDB_val key = { k->len, (void *)k->b };
	MDB_val val = { len, (void *)p };
	MDB_cursor *c;
	int rc = mdb_cursor_open(txn, e->dbi[t], &c);

	if (rc != 0)
		return rc;
	rc = seek(c, k);
	if (rc == 0 || rc == MDB_NOTFOUND)
		rc = mdb_cursor_put(c, &key, &val,
		    rc == 0 ? MDB_CURRENT : 0);
	mdb_cursor_close(c);
	return rc;
}

int
store_find_put_record(const struct store_env *e, MDB_txn *txn, enum table t,
    const struct store_key *k, enum record_kind kind, const void *rec)
{
	uint8_t buf[RECORD_MAX];
	size_t len = record_put(buf, kind, rec);

	return len == 0 ? EINVAL : store_find_put(e, txn, t, k, buf, len);
}

int
store_find_del(const struct store_env *e, MDB_txn *txn, enum table t,
    const struct store_key *k)
{
	MDB_val key = { k->len, (void *)k->b }, val;
	int rc = mdb_del(txn, e->dbi[t], &key, NULL);
	MDB_cursor *c;

	if (rc != MDB_NOTFOUND ||
	    (rc = mdb_cursor_open(txn, e->dbi[t], &c)) != 0)
		return rc;
	if ((rc = look_around(c, k, &val)) == 0)
		rc = mdb_cursor_del(c, 0);
	mdb_cursor_close(c);
	return rc == MDB_NOTFOUND ? 0 : rc;
}
