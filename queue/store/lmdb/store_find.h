/*
 * store_find - a row that must be there, wherever a search in the tree leads.
 *
 * A flipped bit in a key, of a leaf or of a branch, misleads the search for
 * others that stand beside it: LMDB says that they are not there, adds them a
 * second time, and does not remove them.  What is missed is looked for among
 * STORE_FIND_AROUND keys on each side of where the search led.  In a store that
 * is whole nothing is missed, and nothing is paid; only there where rows are
 * missing for good reasons store_table.h has calls that look no further.
 *
 * Calls return codes of LMDB.
 */
#ifndef QUEUE_STORE_FIND_H
#define QUEUE_STORE_FIND_H

#include "queue/store/lmdb/store_table.h"

#define STORE_FIND_AROUND	2048

/* MDB_NOTFOUND only when it is not near either. */
int	store_find_row(const struct store_env *, MDB_txn *, enum table,
	    const struct store_key *, MDB_val *out);
/* Give the row another value, or make it anew. */
int	store_find_put(const struct store_env *, MDB_txn *, enum table,
	    const struct store_key *, const void *, size_t len);
/* The same with a struct record_NAME; EINVAL when it is too long. */
int	store_find_put_record(const struct store_env *, MDB_txn *,
	    enum table, const struct store_key *, enum record_kind,
	    const void *);
/* Remove it; that there is none is not an error. */
int	store_find_del(const struct store_env *, MDB_txn *, enum table,
	    const struct store_key *);

#endif
