/*
 * store_rows.c - the cursor is at the row that was given last, or before the
 * first.  `least' is the number that the next row has at least.
 */
#include "queue/store/lmdb/store_rows.h"

int
store_rows_open(const struct store_env *env, MDB_txn *txn, enum table t,
    struct id id, uint32_t from, struct store_rows *w)
{
	*w = (struct store_rows){ .id = id, .least = from };
	return mdb_cursor_open(txn, env->dbi[t], &w->cursor);
}

static int
step(struct store_rows *w)
{
	struct store_key k;

	if (w->has_begun)
		return mdb_cursor_get(w->cursor, &w->key, &w->val, MDB_NEXT);
	w->has_begun = true;
	store_table_key_no(&k, w->id, (uint32_t)w->least);
	return store_table_seek(w->cursor, &k, &w->key, &w->val);
}

int
store_rows_next(struct store_rows *w)
{
	int rc;

	for (unsigned foreign = 0; (rc = step(w)) == 0 &&
	    !store_table_same_id(w->key, w->id); )
		if (foreign++ == STORE_FOREIGN_MAX)
			return MDB_NOTFOUND;
	if (rc != 0)
		return rc;
	w->is_row = w->key.mv_size == sizeof(w->id.b) + sizeof(w->no) &&
	    store_table_no(w->key) >= w->least;
	if (w->is_row) {
		w->no = store_table_no(w->key);
		w->least = (uint64_t)w->no + 1;
	}
	return 0;
}

int
store_rows_del(struct store_rows *w)
{
	return mdb_cursor_del(w->cursor, 0);
}

void
store_rows_close(struct store_rows *w)
{
	mdb_cursor_close(w->cursor);
}

int
store_rows_count(const struct store_env *env, MDB_txn *txn, enum table t,
    struct id id, uint32_t *cnt)
{
	struct store_rows w;
	int rc = store_rows_open(env, txn, t, id, 0, &w);

	if (rc != 0)
		return rc;
	for (*cnt = 0; (rc = store_rows_next(&w)) == 0; )
		(*cnt)++;
	store_rows_close(&w);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

int
store_rows_have(const struct store_env *env, MDB_txn *txn, enum table t,
    struct id id, bool *have)
{
	struct store_rows w;
	int rc = store_rows_open(env, txn, t, id, 0, &w);

	if (rc != 0)
		return rc;
	rc = store_rows_next(&w);
	store_rows_close(&w);
	*have = rc == 0;
	return rc == MDB_NOTFOUND ? 0 : rc;
}
