/*
 * store_rows - the rows of one message in a table whose keys are its id and a
 * number, from a number on.
 *
 * A flipped bit in the file may have put a key of others between them, or given
 * one of them another number.  A few of others are passed over, so what lies
 * behind them is found too; and a row is given as one only where its number
 * rises, so that nothing is found twice.
 */
#ifndef QUEUE_STORE_ROWS_H
#define QUEUE_STORE_ROWS_H

#include "queue/store/lmdb/store_table.h"

/* Keys of others that may stand in one place where none should. */
#define STORE_FOREIGN_MAX	4

struct store_rows {
	MDB_val		 key, val;	/* the map's, good until a change */
	bool		 is_row;	/* its number is right, and this: */
	uint32_t	 no;

	MDB_cursor	*cursor;	/* what follows is its own	*/
	struct id	 id;
	uint64_t	 least;
	bool		 has_begun;
};

/* Returns codes of LMDB.  To be closed if, and only if, this gives 0. */
int	store_rows_open(const struct store_env *, MDB_txn *, enum table,
	    struct id, uint32_t from, struct store_rows *);
/* On to the next, is_row or not; MDB_NOTFOUND behind the last. */
int	store_rows_next(struct store_rows *);
/* Remove the row that it is at: the next stays the next. */
int	store_rows_del(struct store_rows *);
void	store_rows_close(struct store_rows *);

/* How many there are, whatever their numbers; whether there is one. */
int	store_rows_count(const struct store_env *, MDB_txn *, enum table,
	    struct id, uint32_t *cnt);
int	store_rows_have(const struct store_env *, MDB_txn *, enum table,
	    struct id, bool *have);

#endif
