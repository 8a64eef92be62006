/*
 * store_writer.c - the thread that owns the write transactions.  It takes all
 * that is pending (bounded), makes it one transaction, and gives it back only
 * after the commit.  Nothing waits for a timer: while one commit waits for the
 * disk, the next batch gathers.
 */
#include <errno.h>

#include "queue/store/lmdb/store_inside.h"

#define BATCH_OPS	1024
#define BATCH_BYTES	(32u << 20)	/* half the reserve: a full disk is
					 * noticed before it is eaten up */
#define TROUBLE_MAX	3	/* failed transactions before we give up */

/* Is there work that nobody asked for? */
static bool
has_chores(const struct store *st)
{
	return st->state.loose_cnt > 0;
}

/* Wait, lock held, until there is something to do.  False: the end. */
static bool
wait_for_work(struct store *st)
{
	while (STAILQ_EMPTY(&st->writes) && !has_chores(st)) {
		if (st->closing)
			return false;
		if (!bell_wait(&st->write_more, &st->lock) &&
		    (st->full != QUEUE_HAS_ROOM || store_life_is_due(st)))
			return true;	/* is there room again? */
	}
	return !(st->closing && STAILQ_EMPTY(&st->writes));
}

static unsigned
take_batch(struct store *st, struct store_ops *batch)
{
	struct store_op *op;
	size_t bytes = 0;
	unsigned cnt = 0;

	while ((op = STAILQ_FIRST(&st->writes)) != NULL && cnt < BATCH_OPS) {
		bytes += store_apply_weight(op);
		if (cnt > 0 && bytes > BATCH_BYTES)
			break;
		STAILQ_REMOVE_HEAD(&st->writes, entry);
		STAILQ_INSERT_TAIL(batch, op, entry);
		cnt++;
	}
	return cnt;
}

/* And how many messages there are now. */
static int
keep_life(struct store *st, MDB_txn *txn)
{
	MDB_stat s;
	int rc = mdb_stat(txn, st->env.dbi[TABLE_MESSAGE], &s);

	if (rc == 0)
		st->state.message_cnt = s.ms_entries;
	return rc == 0 && store_life_is_due(st) ? store_life_keep(st, txn) :
	    rc;
}

static int
fill(struct store *st, MDB_txn *txn, struct store_ops *batch, unsigned cnt,
    const struct store_limits *limits, size_t *pages)
{
	struct store_op *op;
	int rc = 0;

	STAILQ_FOREACH(op, batch, entry) {
		op->err = OK;
		if ((rc = store_apply(st, txn, op)) != 0)
			return rc;
	}
	if ((rc = store_sweep_loose(st, txn)) != 0 ||
	    (rc = store_sweep_history(st, txn, limits)) != 0 ||
	    (rc = keep_life(st, txn)) != 0)
		return rc;
	return store_table_pages(&st->env, txn, pages);
}

static int
run_txn(struct store *st, struct store_ops *batch, unsigned cnt,
    const struct store_limits *limits, size_t *pages)
{
	MDB_txn *txn;
	int rc;

	if ((rc = mdb_txn_begin(st->env.env, NULL, 0, &txn)) != 0)
		return rc;
	if ((rc = fill(st, txn, batch, cnt, limits, pages)) != 0) {
		mdb_txn_abort(txn);
		return rc;
	}
	return mdb_txn_commit(txn);
}

/* Nothing of the batch was kept: messages on their way in are lost to it. */
static void
fail_batch(struct store_ops *batch, enum err why)
{
	struct store_op *op;

	STAILQ_FOREACH(op, batch, entry) {
		op->err = why;
		if (op->kind == STORE_PIECE)
			((struct store_piece *)op)->mail->failed = why;
		else if (op->kind == STORE_ACCEPT)
			((struct store_accept *)op)->mail->failed = why;
	}
}

/*
 * A short write on a full disk comes out of LMDB as EIO, and so does a failed
 * fsync, after which the kernel may have dropped what we wrote: only the first
 * may be survived.  So may a disk that takes nothing: it says so beforehand.
 * True when it was.
 */
static bool
survive(struct store *st, int rc, struct store_ops *batch)
{
	bool out = store_table_err(rc) == ERR_FULL ||
	    (rc == EIO && store_space_is_out(st));

	fail_batch(batch, out ? ERR_FULL : ERR_SYS);
	if (out || store_space_is_refusal(rc))
		return true;
	if (rc == EIO || rc == MDB_PANIC || rc == MDB_CORRUPTED ||
	    rc == MDB_PAGE_NOTFOUND || ++st->trouble_cnt >= TROUBLE_MAX) {
		store_give_up(st, rc < 0 ? mdb_strerror(rc) :
		    "the store cannot be written", rc);
		return false;
	}
	return true;
}

/* One transaction.  False when the store is broken. */
static bool
turn(struct store *st, struct store_ops *batch, unsigned cnt,
    const struct store_limits *limits)
{
	struct store_state before = st->state;
	size_t pages = st->pages;
	int rc = run_txn(st, batch, cnt, limits, &pages);
	bool alive = true;

	if (rc == 0) {
		st->trouble_cnt = 0;
	} else {
		st->state = before;
		alive = survive(st, rc, batch);
		pages = st->pages;
	}
	store_space_check(st, pages, limits);
	pthread_mutex_lock(&st->lock);
	st->message_cnt = st->state.message_cnt;
	pthread_mutex_unlock(&st->lock);
	return alive;
}

/* What is kept now and then is kept once more. */
static void
end(struct store *st)
{
	struct store_ops none = STAILQ_HEAD_INITIALIZER(none);
	struct store_limits limits = st->limits;

	st->is_ending = true;
	if (store_life_is_due(st))
		(void)turn(st, &none, 0, &limits);
}

void *
store_writer_run(void *arg)
{
	struct store *st = arg;
	bool alive = true;

	pthread_mutex_lock(&st->lock);
	while (alive && wait_for_work(st)) {
		struct store_ops batch = STAILQ_HEAD_INITIALIZER(batch);
		struct store_limits limits = st->limits;
		unsigned cnt = take_batch(st, &batch);

		pthread_mutex_unlock(&st->lock);
		alive = turn(st, &batch, cnt, &limits);
		if (!alive)
			STAILQ_INIT(&batch);	/* promised to nobody */
		store_give_back(st, &batch);
		pthread_mutex_lock(&st->lock);
	}
	pthread_mutex_unlock(&st->lock);
	if (alive)
		end(st);
	return NULL;
}
