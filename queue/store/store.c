/*
 * store.c - opening, closing, and the loop's side of the hand-over: one bell
 * wakes the loop for however many calls have come back.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "queue/store/catalogue.h"
#include "queue/store/store_inside.h"
#include "sys/clock.h"

#define STACK_BYTES	(256u << 10)	/* of a thread */
#define AHEAD_MS	86400000	/* no clock is wrong by more, we hope */

void
store_give_back(struct store *st, struct store_ops *ops)
{
	pthread_mutex_lock(&st->lock);
	STAILQ_CONCAT(&st->done, ops);
	pthread_mutex_unlock(&st->lock);
	bell_ring(&st->bell);
}

static void
tell_space(struct store *st, enum queue_full full, const char *why)
{
	if (full == st->told_full)
		return;
	st->told_full = full;
	st->calls.space(full, why, st->arg);
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

/* A callback must not close the store: boot's end does, after the loop. */
static void
take_back(struct bell *b, void *arg)
{
	struct store *st = arg;
	struct store_ops ops = STAILQ_HEAD_INITIALIZER(ops);
	const char *why, *broken;
	enum queue_full full;
	int error;

	pthread_mutex_lock(&st->lock);
	STAILQ_CONCAT(&ops, &st->done);
	full = st->full;
	why = st->full_why;
	broken = st->broken_why;
	error = st->broken_error;
	pthread_mutex_unlock(&st->lock);
	if (broken != NULL)
		st->calls.broken(broken, error, st->arg);
	tell_space(st, full, why);
	call_back(st, &ops);
}

void
store_hand_write(struct store *st, struct store_op *op, enum store_kind kind,
    store_fn *fn, void *arg)
{
	op->kind = kind;
	op->fn = fn;
	op->arg = arg;
	pthread_mutex_lock(&st->lock);
	STAILQ_INSERT_TAIL(&st->writes, op, entry);
	pthread_cond_signal(&st->write_more);
	pthread_mutex_unlock(&st->lock);
}

static void
hand_read(struct store *st, struct store_op *op, enum store_kind kind,
    store_fn *fn, void *arg)
{
	op->kind = kind;
	op->fn = fn;
	op->arg = arg;
	pthread_mutex_lock(&st->lock);
	STAILQ_INSERT_TAIL(&st->reads, op, entry);
	pthread_cond_signal(&st->read_more);
	pthread_mutex_unlock(&st->lock);
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
	st->message_cnt = s.ms_entries;
	st->state.has_mail = s.ms_entries > 0;
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

enum err
store_open(struct store **out, struct ev_loop *loop, const char *dir,
    const struct store_limits *limits, const struct store_calls *calls,
    void *arg)
{
	struct store *st = calloc(1, sizeof(*st));
	enum err e;

	if (st == NULL)
		return ERR_SYS;
	STAILQ_INIT(&st->writes);
	STAILQ_INIT(&st->reads);
	STAILQ_INIT(&st->done);
	st->loop = loop;
	st->limits = *limits;
	st->calls = *calls;
	st->arg = arg;
	arc4random_buf(&st->life, sizeof(st->life));
	if ((e = init_locks(st)) == OK && (e = open_env(st, dir)) == OK &&
	    (e = bell_init(&st->bell, loop, take_back, st)) == OK)
		e = start_threads(st);
	if (e != OK) {
		store_close(&st);
		return e;
	}
	*out = st;
	if (st->full != QUEUE_HAS_ROOM)
		bell_ring(&st->bell);
	return OK;
}

void
store_close(struct store **s)
{
	struct store *st = *s;

	if (st == NULL)
		return;
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

void
store_set_limits(struct store *st, const struct store_limits *limits)
{
	pthread_mutex_lock(&st->lock);
	st->limits = *limits;
	pthread_mutex_unlock(&st->lock);
}

uint64_t
store_message_cnt(const struct store *st)
{
	return st->message_cnt;
}

struct id
store_last_id(const struct store *st)
{
	return st->last_id;
}

static bool
append_name(struct store_flow *f, struct span s)
{
	if (s.len + 1 > sizeof(f->name) - f->len ||
	    span_find(s, '\0') != s.len)
		return false;
	if (s.len > 0)
		memcpy(f->name + f->len, s.ptr, s.len);
	f->len += s.len;
	f->name[f->len++] = '\0';
	return true;
}

bool
store_flow_name(struct store_flow *f, struct span relay,
    struct span destination, struct span tenant)
{
	f->len = 0;
	return append_name(f, relay) && append_name(f, destination) &&
	    append_name(f, span_head(tenant, STORE_TURN_MAX));
}

void
store_put_piece(struct store *st, struct store_piece *p, store_fn *fn,
    void *arg)
{
	store_hand_write(st, &p->op, STORE_PIECE, fn, arg);
}

void
store_accept(struct store *st, struct store_accept *a, store_fn *fn,
    void *arg)
{
	a->message.lived_ms = (uint64_t)store_lived_ms(st);
	store_hand_write(st, &a->op, STORE_ACCEPT, fn, arg);
}

void
store_drop(struct store *st, struct store_drop *d, store_fn *fn, void *arg)
{
	store_hand_write(st, &d->op, STORE_DROP, fn, arg);
}

void
store_settle(struct store *st, struct store_settle *s, store_fn *fn,
    void *arg)
{
	store_hand_write(st, &s->op, STORE_SETTLE, fn, arg);
}

void
store_report(struct store *st, struct store_report *r, store_fn *fn, void *arg)
{
	if (r->bounce != NULL)
		r->bounce->message.lived_ms = (uint64_t)store_lived_ms(st);
	store_hand_write(st, &r->op, STORE_REPORT, fn, arg);
}

void
store_digest(struct store *st, struct store_digest *d, store_fn *fn, void *arg)
{
	if (d->message != NULL)
		d->message->message.lived_ms = (uint64_t)store_lived_ms(st);
	store_hand_write(st, &d->op, STORE_DIGEST, fn, arg);
}

void
store_undue(struct store *st, struct store_undue *u, store_fn *fn, void *arg)
{
	store_hand_write(st, &u->op, STORE_UNDUE, fn, arg);
}

void
store_hold(struct store *st, struct store_hold *h, store_fn *fn, void *arg)
{
	store_hand_write(st, &h->op, STORE_HOLD, fn, arg);
}

void
store_edit(struct store *st, struct store_edit *e, store_fn *fn, void *arg)
{
	store_hand_write(st, &e->op, STORE_EDIT, fn, arg);
}

void
store_replan(struct store *st, struct store_replan *r, store_fn *fn, void *arg)
{
	store_hand_write(st, &r->op, STORE_REPLAN, fn, arg);
}

void
store_suspend(struct store *st, struct store_suspend *s, store_fn *fn,
    void *arg)
{
	store_hand_write(st, &s->op, STORE_SUSPEND, fn, arg);
}

void
store_hasten(struct store *st, struct store_hasten *h, store_fn *fn, void *arg)
{
	store_hand_write(st, &h->op, STORE_HASTEN, fn, arg);
}

void
store_read_flows(struct store *st, struct store_read_flows *r, store_fn *fn,
    void *arg)
{
	hand_read(st, &r->op, STORE_READ_FLOWS, fn, arg);
}

void
store_read_due(struct store *st, struct store_read_due *r, store_fn *fn,
    void *arg)
{
	hand_read(st, &r->op, STORE_READ_DUE, fn, arg);
}

void
store_read_old(struct store *st, struct store_read_old *r, store_fn *fn,
    void *arg)
{
	hand_read(st, &r->op, STORE_READ_OLD, fn, arg);
}

void
store_read_envelope(struct store *st, struct store_read_envelope *r,
    store_fn *fn, void *arg)
{
	hand_read(st, &r->op, STORE_READ_ENVELOPE, fn, arg);
}

void
store_read_piece(struct store *st, struct store_read_piece *r, store_fn *fn,
    void *arg)
{
	hand_read(st, &r->op, STORE_READ_PIECE, fn, arg);
}

void
store_read_rows(struct store *st, struct store_read_rows *r, store_fn *fn,
    void *arg)
{
	hand_read(st, &r->op, STORE_READ_ROWS, fn, arg);
}

void
store_read_report(struct store *st, struct store_read_report *r, store_fn *fn,
    void *arg)
{
	hand_read(st, &r->op, STORE_READ_REPORT, fn, arg);
}

void
store_read_reports(struct store *st, struct store_read_reports *r,
    store_fn *fn, void *arg)
{
	hand_read(st, &r->op, STORE_READ_REPORTS, fn, arg);
}

void
store_read_discards(struct store *st, struct store_read_discards *r,
    store_fn *fn, void *arg)
{
	hand_read(st, &r->op, STORE_READ_DISCARDS, fn, arg);
}

void
store_read_notes(struct store *st, struct store_read_notes *r, store_fn *fn,
    void *arg)
{
	hand_read(st, &r->op, STORE_READ_NOTES, fn, arg);
}

void
store_read_spent(struct store *st, struct store_read_spent *r, store_fn *fn,
    void *arg)
{
	hand_read(st, &r->op, STORE_READ_SPENT, fn, arg);
}

void
store_read_totals(struct store *st, struct store_read_totals *r,
    store_fn *fn, void *arg)
{
	hand_read(st, &r->op, STORE_READ_TOTALS, fn, arg);
}
