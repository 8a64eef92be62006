/*
 * store_format - which format the store as a whole has.  A number for what
 * the version of each record cannot say: what tables there are, and what must
 * be done with them.
 *
 *	1	the first release.  It wrote no number; text has no checksums,
 *		damaged rows were moved to table quarantine, sums lie in a
 *		table "total"
 *	2	the number lies where that table was, so that the first
 *		release, which would throw away what it cannot read, does not
 *		open it; sums lie in "totals"; table crc; rows stay where they
 *		are and quarantine has notes of them.  Table suspension came
 *		later: a postern without it hands out what is suspended
 *
 * An older store becomes one of ours when it is opened, in the transaction that
 * makes the tables; one of a higher number is not opened, nor touched.  Records
 * of a newer version within the same format are held, one by one.
 */
#ifndef QUEUE_STORE_FORMAT_H
#define QUEUE_STORE_FORMAT_H

#include "queue/store/lmdb/store_table.h"

#define STORE_FORMAT	2

/* Before the tables: 0, or ENOTSUP when it is a newer one. */
int	store_format_look(MDB_txn *);

/* Behind them: make it ours, if it is not. */
int	store_format_write(const struct store_env *, MDB_txn *);

#endif
