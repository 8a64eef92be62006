/* store_lone_row.c - does a row belong to a message that there is? */
#include "queue/store/lmdb/store_inside.h"

/* Is there a message of this id, arriving or not, or an envelope's part? */
int
store_lone_is_anything(struct store *st, MDB_txn *txn, struct id id, bool *is)
{
	bool over;
	int rc = store_stray_is_known(st, txn, id, is);

	if (rc != 0 || *is)
		return rc;
	rc = store_row_is_over(st, txn, id, &over);
	*is = !over;
	return rc;
}

/* The same of a recipient, which is not its own proof. */
int
store_lone_has_message(struct store *st, MDB_txn *txn, enum table t,
    struct id id, bool *has)
{
	int rc;

	if (t != TABLE_RECIPIENT)
		return store_lone_is_anything(st, txn, id, has);
	rc = store_stray_is_known(st, txn, id, has);
	if (rc == 0 && !*has)
		rc = store_rows_have(&st->env, txn, TABLE_DELIVERY, id, has);
	if (rc == 0 && !*has)
		rc = store_rows_have(&st->env, txn, TABLE_REPORT, id, has);
	return rc;
}

int
store_lone_is_over(struct store *st, MDB_txn *txn, enum table t, struct id id,
    bool *over)
{
	bool has;
	int rc = store_rows_have(&st->env, txn, t, id, &has);

	*over = !has;
	if (rc != 0 || *over)
		return rc;
	return store_lone_has_message(st, txn, t, id, over);
}
