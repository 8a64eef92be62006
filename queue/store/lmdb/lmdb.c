/*
 * lmdb.c - the engine of one machine: opening, closing, and the loop's side of
 * the hand-over: one bell wakes the loop for however many calls have come back.
 * All shards are ours, always.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "queue/store/lmdb/catalogue.h"
#include "queue/store/lmdb/store_inside.h"
#include "sys/clock.h"

#define STACK_BYTES	(256u << 10)	/* of a thread */
#define AHEAD_MS	86400000	/* no clock is wrong by more, we hope */

static void
tell_space(struct store *st, enum queue_full full, const char *why)
{
	if (full == st->last_full)
		return;
	st->last_full = full;
	st->base.calls.space(full, why, st->base.arg);
}

static void
tell_held(struct store *st, uint64_t message_cnt)
{
	if (message_cnt == st->held_cnt)
		return;
	st->held_cnt = message_cnt;
	store_engine_held(&st->base, message_cnt);
}

static void
call_back(struct store *st, struct store_ops *ops)
{
	struct store_op *op;

	while ((op = STAILQ_FIRST(ops)) != NULL) {
		STAILQ_REMOVE_HEAD(ops, entry);
		op->fn(op, op->err, op->arg);
	}
}

/* Once, before anything else is heard of it. */
static void
tell_ready(struct store *st)
{
	struct store_ready r = {
		.last_id = st->last_id, .message_cnt = st->held_cnt,
		.suspensions = st->suspensions,
	};

	if (st->was_ready)
		return;
	st->was_ready = true;
	st->suspensions = NULL;
	store_engine_ready(&st->base, &r);
	tell_space(st, st->full, st->full_why);
	store_engine_owned(&st->base, STORE_SHARD_ALL);
}

/* A callback must not close the store: boot's end does, after the loop. */
static void
take_back(struct bell *b, void *arg)
{
	struct store *st = arg;
	struct store_ops ops = STAILQ_HEAD_INITIALIZER(ops);
	const char *why, *broken;
	enum queue_full full;
	uint64_t message_cnt;
	int error;

	pthread_mutex_lock(&st->lock);
	STAILQ_CONCAT(&ops, &st->done);
	message_cnt = st->message_cnt;
	full = st->full;
	why = st->full_why;
	broken = st->broken_why;
	error = st->broken_error;
	pthread_mutex_unlock(&st->lock);
	if (broken != NULL)
		st->base.calls.broken(broken, error, st->base.arg);
	tell_ready(st);
	tell_space(st, full, why);
	tell_held(st, message_cnt);
	call_back(st, &ops);
}

static void
hand_read(struct store *st, struct store_op *op)
{
	pthread_mutex_lock(&st->lock);
	STAILQ_INSERT_TAIL(&st->reads, op, entry);
	pthread_cond_signal(&st->read_more);
	pthread_mutex_unlock(&st->lock);
}

static void
hand(struct store *st, struct store_op *op)
{
	if (op->kind < STORE_READS)
		store_hand(st, op);
	else
		hand_read(st, op);
}

/* The first key that no id of up to a day from now, or time, can have. */
static void
key_beyond(struct store_key *k, size_t offset)
{
	uint64_t ms = (uint64_t)clock_wall_ms() + AHEAD_MS;
	size_t len = offset == 0 ? 6 : sizeof(ms);	/* RFC 9562 5.7 */

	k->len = len;
	for (size_t i = 0; i < len; i++)
		k->b[i] = (uint8_t)(ms >> (8 * (len - 1 - i)));
}

/*
 * The last key of a table says the highest id in it, at this offset.  One that
 * is far ahead has it from a flipped bit: ids would be ahead for good.
 */
static int
last_id(struct store *st, MDB_txn *txn, enum table t, size_t offset)
{
	struct store_key beyond, id_beyond;
	MDB_cursor *c;
	MDB_val key, val;
	struct id id;
	int rc = mdb_cursor_open(txn, st->env.dbi[t], &c);

	if (rc != 0)
		return rc;
	key_beyond(&beyond, offset);
	key_beyond(&id_beyond, 0);
	key = (MDB_val){ beyond.len, beyond.b };
	rc = mdb_cursor_get(c, &key, &val, MDB_SET_RANGE);
	rc = mdb_cursor_get(c, &key, &val, rc == MDB_NOTFOUND ? MDB_LAST :
	    MDB_PREV);
	while (rc == 0 && (key.mv_size < offset + sizeof(id.b) ||
	    memcmp((uint8_t *)key.mv_data + offset, id_beyond.b,
	    id_beyond.len) > 0))
		rc = mdb_cursor_get(c, &key, &val, MDB_PREV);
	if (rc == 0) {
		memcpy(id.b, (uint8_t *)key.mv_data + offset, sizeof(id.b));
		if (id_cmp(id, st->last_id) > 0)
			st->last_id = id;
	}
	mdb_cursor_close(c);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
read_start(struct store *st, MDB_txn *txn)
{
	MDB_stat s;
	int rc;

	if ((rc = store_life_learn(st, txn)) != 0 ||
	    (rc = store_sweep_learn(st, txn)) != 0 ||
	    (rc = store_suspend_learn(st, txn)) != 0 ||
	    (rc = mdb_stat(txn, st->env.dbi[TABLE_MESSAGE], &s)) != 0)
		return rc;
	st->message_cnt = st->held_cnt = st->state.message_cnt = s.ms_entries;
	if ((rc = mdb_stat(txn, st->env.dbi[TABLE_LOOSE], &s)) != 0)
		return rc;
	st->state.loose_cnt = s.ms_entries;
	if ((rc = store_table_pages(&st->env, txn, &st->pages)) != 0 ||
	    (rc = last_id(st, txn, TABLE_MESSAGE, 0)) != 0 ||
	    (rc = last_id(st, txn, TABLE_LOOSE, 0)) != 0)
		return rc;
	return last_id(st, txn, TABLE_HISTORY, sizeof(int64_t));
}

static int
learn_start(struct store *st)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(st->env.env, NULL, MDB_RDONLY, &txn);

	if (rc != 0)
		return rc;
	rc = read_start(st, txn);
	mdb_txn_abort(txn);
	return rc;
}

static enum err
start_threads(struct store *st)
{
	pthread_attr_t attr;
	sigset_t all, before;
	int rc;

	if (pthread_attr_init(&attr) != 0)
		return ERR_SYS;
	sigfillset(&all);
	if ((rc = pthread_attr_setstacksize(&attr, STACK_BYTES)) == 0)
		rc = pthread_sigmask(SIG_SETMASK, &all, &before);
	if (rc == 0) {
		rc = pthread_create(&st->writer, &attr, store_writer_run, st);
		st->has_writer = rc == 0;
		if (rc == 0)
			rc = pthread_create(&st->reader, &attr,
			    store_reader_run, st);
		st->has_reader = rc == 0;
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	pthread_attr_destroy(&attr);
	errno = rc;
	return rc == 0 ? OK : ERR_SYS;
}

static enum err
init_locks(struct store *st)
{
	if (bell_wait_init(&st->write_more) != OK ||
	    bell_wait_init(&st->read_more) != OK ||
	    pthread_mutex_init(&st->lock, NULL) != 0)
		return ERR_SYS;
	return OK;
}

static enum err
open_env(struct store *st, const char *dir)
{
	const char *why = catalogue_look_at(dir);
	int rc;

	if (why != NULL) {
		log_why(LOG_trouble, why, 0);
		rc = MDB_CORRUPTED;
	} else if ((rc = store_table_open(&st->env, dir)) == 0) {
		rc = learn_start(st);
	}
	if (rc != 0) {
		errno = store_table_errno(rc);
		return store_table_err(rc);
	}
	store_space_check(st, st->pages, &st->limits);
	return OK;
}

static void	close_lmdb(struct store **);

static enum err
open_lmdb(struct store **out, const struct store_start *start)
{
	struct store *st = calloc(1, sizeof(*st));
	enum err e;

	if (st == NULL)
		return ERR_SYS;
	store_engine_init(&st->base, start);
	STAILQ_INIT(&st->writes);
	STAILQ_INIT(&st->reads);
	STAILQ_INIT(&st->done);
	st->limits = *start->limits;
	arc4random_buf(&st->life, sizeof(st->life));
	if ((e = init_locks(st)) == OK &&
	    (e = open_env(st, start->dir)) == OK &&
	    (e = bell_init(&st->bell, start->loop, take_back, st)) == OK)
		e = start_threads(st);
	if (e != OK) {
		close_lmdb(&st);
		return e;
	}
	*out = st;
	bell_ring(&st->bell);		/* it is ready */
	return OK;
}

static void
close_lmdb(struct store **s)
{
	struct store *st = *s;

	pthread_mutex_lock(&st->lock);
	st->closing = true;
	pthread_cond_broadcast(&st->write_more);
	pthread_cond_broadcast(&st->read_more);
	pthread_mutex_unlock(&st->lock);
	if (st->has_writer)
		pthread_join(st->writer, NULL);
	if (st->has_reader)
		pthread_join(st->reader, NULL);
	bell_fini(&st->bell);
	store_aside_end(st);
	store_table_close(&st->env);
	suspension_free(&st->suspensions);
	pthread_cond_destroy(&st->write_more);
	pthread_cond_destroy(&st->read_more);
	pthread_mutex_destroy(&st->lock);
	free(st);
	*s = NULL;
}

static void
set_limits(struct store *st, const struct store_limits *limits)
{
	pthread_mutex_lock(&st->lock);
	st->limits = *limits;
	pthread_mutex_unlock(&st->lock);
}

const struct store_engine store_lmdb = {
	.keeps = true, .open = open_lmdb, .close = close_lmdb,
	.set_limits = set_limits, .hand = hand, .lived_ms = store_life_ms,
};
