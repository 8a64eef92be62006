/*
 * store_life.c - how long the queue has been running, over all its starts: the
 * one measure of age that nobody's setting of a clock changes.
 *
 * It is kept in table total, about once a minute, so a crash loses a minute of
 * it at most; the newest messages know it too, each of its arrival, and what
 * they know counts when the row is gone.
 */
#include <string.h>

#include "queue/store/lmdb/store_inside.h"
#include "sys/clock.h"

#define ENDING_MS	1000	/* less is not worth a commit at the end */
#define LOOKS_MAX	16	/* messages asked before we believe none */

static const struct store_key key = { .len = 5, .b = "lived" };

int64_t
store_life_ms(const struct store *st)
{
	return st->lived_before_ms + clock_mono_ms() - st->opened_ms;
}

static int
learn_from_row(struct store *st, MDB_txn *txn)
{
	union record r;
	MDB_val val;
	int rc = store_table_get(&st->env, txn, TABLE_TOTAL, &key, &val);

	if (rc == 0 && record_get((struct span){ val.mv_data, val.mv_size },
	    RECORD_total, &r) == OK)
		st->lived_before_ms = (int64_t)r.total.lived_ms;
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* The newest message that can be read knows what was so when it came. */
static int
learn_from_messages(struct store *st, MDB_txn *txn)
{
	MDB_cursor *c;
	MDB_val k, val;
	union record r;
	int rc = mdb_cursor_open(txn, st->env.dbi[TABLE_MESSAGE], &c);

	if (rc != 0)
		return rc;
	rc = mdb_cursor_get(c, &k, &val, MDB_LAST);
	for (int i = 0; rc == 0 && i < LOOKS_MAX; i++) {
		if (record_get((struct span){ val.mv_data, val.mv_size },
		    RECORD_message, &r) == OK) {
			if ((int64_t)r.message.lived_ms > st->lived_before_ms)
				st->lived_before_ms =
				    (int64_t)r.message.lived_ms;
			break;
		}
		rc = mdb_cursor_get(c, &k, &val, MDB_PREV);
	}
	mdb_cursor_close(c);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

int
store_life_learn(struct store *st, MDB_txn *txn)
{
	int rc;

	st->opened_ms = clock_mono_ms();
	if ((rc = learn_from_row(st, txn)) != 0)
		return rc;
	rc = learn_from_messages(st, txn);
	st->state.lived_kept_ms = st->lived_before_ms;
	return rc;
}

bool
store_life_is_due(const struct store *st)
{
	int64_t more_ms = store_life_ms(st) - st->state.lived_kept_ms;

	return st->state.message_cnt > 0 &&
	    more_ms >= (st->is_ending ? ENDING_MS :
	    STORE_LIFE_MS);
}

int
store_life_keep(struct store *st, MDB_txn *txn)
{
	struct record_total r = { .lived_ms = (uint64_t)store_life_ms(st) };

	st->state.lived_kept_ms = (int64_t)r.lived_ms;
	return store_table_put_record(&st->env, txn, TABLE_TOTAL, &key,
	    RECORD_total, &r);
}
