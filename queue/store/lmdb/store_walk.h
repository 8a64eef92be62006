/*
 * store_walk - all keys of a table in order, some in each transaction.
 *
 * A flipped bit in the file may have made a key a higher or a lower one than
 * those around it.  It is walked over like any other; but the next transaction
 * must not go on behind it, over all that it hides or round and round.  So a
 * key is gone on behind only when the one that follows is higher.
 */
#ifndef QUEUE_STORE_WALK_H
#define QUEUE_STORE_WALK_H

#include "queue/store/lmdb/store_table.h"

struct store_walk {
	MDB_val		 key, val;	/* the map's			*/
	struct store_key behind;	/* go on there; .len 0: none yet */
	MDB_cursor	*cursor;	/* its own			*/
	bool		 shows_all;	/* keys out of order too	*/
};

/*
 * Begin behind this key; .len 0: at the beginning.  Returns a code of LMDB, and
 * is to be closed if, and only if, that is 0.
 */
int	store_walk_open(const struct store_env *, MDB_txn *, enum table,
	    const struct store_key *behind, struct store_walk *);
/* On to the next key; MDB_NOTFOUND behind the last. */
int	store_walk_next(struct store_walk *);
void	store_walk_close(struct store_walk *);

#endif
