/*
 * store_walk.c - `key' is the one that was given last, empty before the first.
 */
#include <string.h>

#include "queue/store/lmdb/store_walk.h"

int
store_walk_open(const struct store_env *env, MDB_txn *txn, enum table t,
    const struct store_key *behind, struct store_walk *w)
{
	w->behind = *behind;
	w->key = (MDB_val){ 0, NULL };
	w->shows_all = false;
	return mdb_cursor_open(txn, env->dbi[t], &w->cursor);
}

/* To the first key that has not been gone on behind. */
static int
pass_over(struct store_walk *w, int rc)
{
	while (rc == 0 && w->behind.len > 0 && store_table_cmp(w->key,
	    w->behind.b, w->behind.len) <= 0)
		rc = mdb_cursor_get(w->cursor, &w->key, &w->val, MDB_NEXT);
	return rc;
}

static int
begin(struct store_walk *w)
{
	if (w->behind.len == 0)
		return mdb_cursor_get(w->cursor, &w->key, &w->val, MDB_FIRST);
	return pass_over(w, store_table_seek(w->cursor, &w->behind, &w->key,
	    &w->val));
}

int
store_walk_next(struct store_walk *w)
{
	struct store_key last = { .len = w->key.mv_size };
	int rc;

	if (w->key.mv_data == NULL)
		return begin(w);
	if (last.len > sizeof(last.b))
		return MDB_CORRUPTED;
	memcpy(last.b, w->key.mv_data, last.len);
	rc = mdb_cursor_get(w->cursor, &w->key, &w->val, MDB_NEXT);
	if (rc == MDB_NOTFOUND || (rc == 0 &&
	    store_table_cmp(w->key, last.b, last.len) > 0))
		w->behind = last;
	return w->shows_all ? rc : pass_over(w, rc);
}

void
store_walk_close(struct store_walk *w)
{
	mdb_cursor_close(w->cursor);
}
