/*
 * store_hand.c - from the loop to the writer and back, and what any thread
 * finds that ends the process.
 */
#include <errno.h>

#include "queue/store/lmdb/store_inside.h"

void
store_hand(struct store *st, struct store_op *op)
{
	pthread_mutex_lock(&st->lock);
	STAILQ_INSERT_TAIL(&st->writes, op, entry);
	pthread_cond_signal(&st->write_more);
	pthread_mutex_unlock(&st->lock);
}

void
store_hand_write(struct store *st, struct store_op *op, unsigned kind,
    store_fn *fn, void *arg)
{
	op->kind = kind;
	op->fn = fn;
	op->arg = arg;
	store_hand(st, op);
}

void
store_give_back(struct store *st, struct store_ops *ops)
{
	pthread_mutex_lock(&st->lock);
	STAILQ_CONCAT(&st->done, ops);
	pthread_mutex_unlock(&st->lock);
	bell_ring(&st->bell);
}

void
store_give_up(struct store *st, const char *why, int rc)
{
	pthread_mutex_lock(&st->lock);
	st->broken_why = why;
	st->broken_error = store_table_errno(rc);
	pthread_mutex_unlock(&st->lock);
}

enum err
store_reader_err(struct store *st, int rc)
{
	if (rc != MDB_NOTFOUND && store_table_errno(rc) == EUCLEAN)
		store_give_up(st, mdb_strerror(rc), rc);
	return store_table_err(rc);
}
