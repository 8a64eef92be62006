/*
 * store_sweep.c - what may go, goes a bounded number of rows per transaction.
 *
 * A row of table loose names a message that is none: still arriving (its life
 * is ours and it is not done), done with, or left over by an earlier life.
 * The last two are swept.  Rows are removed by explicit key, the cursor only
 * finds them: see ITS#9155 and its kin in LMDB 0.9.24.
 */
#include <string.h>

#include "queue/store/lmdb/store_inside.h"
#include "sys/clock.h"

#define SWEEP_ROWS	512	/* removed per transaction		*/
#define SWEEP_LOOKS	64	/* rows of loose looked at		*/
#define STEP_MS		3600000		/* of a clock set forward	*/
#define DOUBT_MS	86400000	/* what it says is believed then */

/* The first row of this id; a few keys of others may stand before it. */
static int
seek_id(struct store *st, MDB_txn *txn, enum table t, struct id id,
    MDB_val *key)
{
	struct store_key k;
	MDB_cursor *c;
	MDB_val val;
	int rc = mdb_cursor_open(txn, st->env.dbi[t], &c);

	if (rc != 0)
		return rc;
	store_table_key_no(&k, id, 0);
	rc = store_table_seek(c, &k, key, &val);
	for (unsigned i = 0; rc == 0 && !store_table_same_id(*key, id); i++)
		rc = i == STORE_FOREIGN_MAX ? MDB_NOTFOUND :
		    mdb_cursor_get(c, key, &val, MDB_NEXT);
	mdb_cursor_close(c);
	return rc;
}

static void
copy_key(struct store_key *to, MDB_val key)
{
	to->len = key.mv_size;
	memcpy(to->b, key.mv_data, key.mv_size);
}

/* Remove rows of this id from one table, while *left lasts. */
static int
sweep_table(struct store *st, MDB_txn *txn, enum table t, struct id id,
    unsigned *left)
{
	struct store_key k;
	MDB_val key;
	int rc = 0;

	while (*left > 0) {
		if ((rc = seek_id(st, txn, t, id, &key)) != 0)
			break;
		copy_key(&k, key);
		if ((rc = store_find_del(&st->env, txn, t, &k)) != 0)
			break;
		(*left)--;
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Text of a message is never loose, whatever a row says. */
static int
sweep_id(struct store *st, MDB_txn *txn, struct id id, unsigned *left)
{
	static const enum table tables[] = {
		TABLE_BODY, TABLE_HEADER, TABLE_RECIPIENT, TABLE_CRC,
	};
	const size_t cnt = sizeof(tables) / sizeof(tables[0]);
	struct store_key k;
	MDB_val val;
	int rc;

	store_table_key_id(&k, id);
	rc = store_find_row(&st->env, txn, TABLE_MESSAGE, &k, &val);
	if (rc != 0 && rc != MDB_NOTFOUND)
		return rc;
	if (rc == MDB_NOTFOUND)
		for (size_t i = rc = 0; rc == 0 && i < cnt; i++)
			rc = sweep_table(st, txn, tables[i], id, left);
	if (rc != 0 || *left == 0)
		return rc;
	if (st->state.loose_cnt > 0)
		st->state.loose_cnt--;
	return store_find_del(&st->env, txn, TABLE_LOOSE, &k);
}

/*
 * A row that cannot be read may be of what is just arriving, unless its id is
 * from before our start.
 */
static bool
is_swept(const struct store *st, struct id id, MDB_val val)
{
	union record r;

	if (record_get((struct span){ val.mv_data, val.mv_size },
	    RECORD_loose, &r) != OK)
		return id_cmp(id, st->last_id) <= 0;
	return r.loose.done || r.loose.life != st->life;
}

/*
 * Round again.  A round that found nothing shows that the count was wrong, and
 * there is nothing to do.
 */
static void
end_round(struct store_state *state)
{
	memset(&state->sweep_after, 0, sizeof(state->sweep_after));
	if (!state->sweep_found)
		state->loose_cnt = 0;
	state->sweep_found = false;
}

/* The id of the next row of loose; MDB_NOTFOUND behind the last. */
static int
next_loose(struct store *st, MDB_txn *txn, struct id *id, bool *swept)
{
	struct store_key k;
	MDB_cursor *c;
	MDB_val key, val;
	int rc = mdb_cursor_open(txn, st->env.dbi[TABLE_LOOSE], &c);

	if (rc != 0)
		return rc;
	store_table_key_no(&k, st->state.sweep_after, 0);
	rc = store_table_seek(c, &k, &key, &val);
	while (rc == 0 && (key.mv_size != sizeof(id->b) ||
	    store_table_cmp(key, k.b, k.len) < 0))
		rc = mdb_cursor_get(c, &key, &val, MDB_NEXT);
	if (rc == 0) {
		memcpy(id->b, key.mv_data, sizeof(id->b));
		*swept = is_swept(st, *id, val);
	}
	mdb_cursor_close(c);
	return rc;
}

int
store_sweep_loose(struct store *st, MDB_txn *txn)
{
	unsigned left = SWEEP_ROWS;
	bool swept;
	struct id id;
	int rc;

	for (int i = 0; st->state.loose_cnt > 0 && i < SWEEP_LOOKS; i++) {
		rc = next_loose(st, txn, &id, &swept);
		if (rc == MDB_NOTFOUND) {
			end_round(&st->state);
			return 0;
		}
		if (rc == 0 && swept) {
			st->state.sweep_found = true;
			rc = sweep_id(st, txn, id, &left);
		}
		if (rc != 0 || left == 0)
			return rc;	/* goes on with the same id */
		st->state.sweep_after = id;
	}
	return 0;
}

static bool
is_old(MDB_val key, int64_t before_ms)
{
	uint64_t at = 0;

	for (size_t i = 0; i < 8 && i < key.mv_size; i++)
		at = at << 8 | ((const uint8_t *)key.mv_data)[i];
	return (int64_t)at < before_ms;
}

static void
doubt_clock(struct store *st)
{
	st->history_from_ms = clock_mono_ms() + DOUBT_MS;
}

/* A clock that was far ahead when we came would make all of it old at once. */
int
store_sweep_learn(struct store *st, MDB_txn *txn)
{
	MDB_cursor *c;
	MDB_val key, val;
	int rc = mdb_cursor_open(txn, st->env.dbi[TABLE_HISTORY], &c);

	if (rc != 0)
		return rc;
	rc = mdb_cursor_get(c, &key, &val, MDB_LAST);
	st->clock_ms = clock_wall_ms() - clock_mono_ms();
	if (rc == 0 && is_old(key, clock_wall_ms() - DOUBT_MS))
		doubt_clock(st);
	mdb_cursor_close(c);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Is nobody likely to be setting it right just now? */
static bool
believes_clock(struct store *st)
{
	int64_t clock_ms = clock_wall_ms() - clock_mono_ms();

	if (clock_ms > st->clock_ms + STEP_MS)
		doubt_clock(st);
	st->clock_ms = clock_ms;
	return clock_mono_ms() >= st->history_from_ms;
}

/*
 * What is past its time.  For a day after the clock was set forward, or seems
 * to have been, nothing is.
 */
int
store_sweep_history(struct store *st, MDB_txn *txn,
    const struct store_limits *limits)
{
	int64_t before_ms = believes_clock(st) ?
	    clock_wall_ms() - limits->history_ms : 0;

	return store_story_sweep(st, txn, before_ms, limits->history_bytes);
}
