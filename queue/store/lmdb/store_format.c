/*
 * store_format.c - in LMDB a name of the environment's own table is either a
 * table or a value: whoever opens a value as a table is refused.
 */
#include <errno.h>
#include <string.h>

#include "queue/store/lmdb/store_format.h"

static MDB_val
name(void)
{
	return (MDB_val){ sizeof("total") - 1, (void *)"total" };
}

static int
get_value(MDB_txn *txn, MDB_dbi *dbi, MDB_val *val)
{
	MDB_val key = name();
	int rc = mdb_dbi_open(txn, NULL, 0, dbi);

	return rc != 0 ? rc : mdb_get(txn, *dbi, &key, val);
}

/* A damaged number is taken for ours: each record still tells its version. */
int
store_format_look(MDB_txn *txn)
{
	union record r;
	MDB_dbi dbi;
	MDB_val val;
	struct span bytes;
	int rc = mdb_dbi_open(txn, "total", 0, &dbi);

	if (rc != MDB_INCOMPATIBLE)
		return rc == MDB_NOTFOUND ? 0 : rc;
	if ((rc = get_value(txn, &dbi, &val)) != 0)
		return rc;
	bytes = (struct span){ val.mv_data, val.mv_size };
	if (record_is_newer(bytes, RECORD_format) ||
	    (record_get(bytes, RECORD_format, &r) == OK &&
	    r.format.format > STORE_FORMAT))
		return ENOTSUP;
	return 0;
}

static int
move_total(const struct store_env *e, MDB_txn *txn, MDB_dbi old)
{
	uint8_t held[RECORD_MAX];
	struct store_key k = { .len = 4, .b = "held" };
	MDB_val key = { k.len, k.b }, val;
	int rc = mdb_get(txn, old, &key, &val);

	if (rc == 0 && val.mv_size <= sizeof(held)) {
		memcpy(held, val.mv_data, val.mv_size);
		val.mv_data = held;
		rc = mdb_put(txn, e->dbi[TABLE_TOTAL], &key, &val, 0);
	}
	return rc == 0 || rc == MDB_NOTFOUND ? mdb_drop(txn, old, 1) : rc;
}

int
store_format_write(const struct store_env *e, MDB_txn *txn)
{
	struct record_format now = { STORE_FORMAT };
	uint8_t buf[RECORD_MAX];
	size_t len = record_put(buf, RECORD_format, &now);
	MDB_val key = name(), val;
	MDB_dbi dbi;
	int rc = mdb_dbi_open(txn, "total", 0, &dbi);

	if (rc == 0)
		rc = move_total(e, txn, dbi);
	else if (rc == MDB_NOTFOUND || rc == MDB_INCOMPATIBLE)
		rc = 0;
	if (rc != 0)
		return rc;
	rc = get_value(txn, &dbi, &val);
	if (rc == 0 && val.mv_size == len && memcmp(val.mv_data, buf, len) == 0)
		return 0;
	if (rc != 0 && rc != MDB_NOTFOUND)
		return rc;
	val = (MDB_val){ len, buf };
	return mdb_put(txn, dbi, &key, &val, 0);
}
