/*
 * store_row.c - rows that more than one call of the store writes.
 */
#include <errno.h>
#include <string.h>

#include "queue/store_inside.h"
#include "sys/clock.h"

#define DIRECT_MAX	64	/* chunks removed at once; more are swept */

int
store_row_put_loose(struct store *st, MDB_txn *txn, struct id id, bool done)
{
	struct record_loose r = { st->life, done };
	struct store_key k;

	store_table_key_id(&k, id);
	return store_table_put_record(&st->env, txn, TABLE_LOOSE, &k,
	    RECORD_loose, &r);
}

int
store_row_put_history(struct store *st, MDB_txn *txn, struct id id,
    enum event event, uint32_t no, const struct record_history *r)
{
	struct store_key k;

	store_table_key_history(&k, clock_wall_ms(), id, event, no);
	return store_table_put_record(&st->env, txn, TABLE_HISTORY, &k,
	    RECORD_history, r);
}

int
store_row_put_due(struct store *st, MDB_txn *txn, const struct store_flow *flow,
    const struct store_place *place)
{
	struct store_key k;

	store_table_key_due(&k, (struct span){ flow->name, flow->len }, place);
	return store_table_put(&st->env, txn, TABLE_DUE, &k, "", 0);
}

int
store_sweep_later(struct store *st, MDB_txn *txn, struct id id)
{
	st->state.loose_cnt++;
	return store_row_put_loose(st, txn, id, true);
}

/* Read a record; one that is damaged is set aside and ends this call only. */
int
store_row_get(struct store *st, MDB_txn *txn, enum table t,
    const struct store_key *k, enum record_kind kind, union record *out,
    enum err *e)
{
	MDB_val val;
	int rc = store_table_get(&st->env, txn, t, k, &val);

	*e = ERR_NONE;
	if (rc != 0)
		return rc == MDB_NOTFOUND ? 0 : rc;
	*e = record_get((struct span){ val.mv_data, val.mv_size }, kind, out);
	if (*e != OK)
		store_set_aside(st, t, k);
	return 0;
}

static int
del_chunks(struct store *st, MDB_txn *txn, enum table t, struct id id,
    uint64_t cnt)
{
	int rc = 0;

	for (uint32_t no = 0; rc == 0 && no < cnt; no++) {
		struct store_key k;

		store_table_key_no(&k, id, no);
		rc = store_table_del(&st->env, txn, t, &k);
	}
	return rc;
}

static uint64_t
chunks_of(uint64_t len)
{
	return (len + CHUNK_MAX - 1) / CHUNK_MAX;
}

int
store_row_del_message(struct store *st, MDB_txn *txn, struct id id,
    uint64_t header_len, uint64_t body_len)
{
	uint64_t header_cnt = chunks_of(header_len);
	uint64_t body_cnt = chunks_of(body_len);
	struct store_key k;
	int rc;

	store_table_key_id(&k, id);
	if ((rc = store_table_del(&st->env, txn, TABLE_MESSAGE, &k)) != 0)
		return rc;
	if (header_cnt + body_cnt > DIRECT_MAX)
		return store_sweep_later(st, txn, id);
	rc = del_chunks(st, txn, TABLE_HEADER, id, header_cnt);
	if (rc == 0)
		rc = del_chunks(st, txn, TABLE_BODY, id, body_cnt);
	return rc;
}

static void
key_held(struct store_key *k)
{
	k->len = sizeof("held") - 1;
	memcpy(k->b, "held", k->len);
}

int
store_row_add_held(struct store *st, MDB_txn *txn, int64_t more)
{
	struct record_total total = { 0 };
	union record r;
	struct store_key k;
	enum err e;
	int rc;

	if (more == 0)
		return 0;
	key_held(&k);
	rc = store_row_get(st, txn, TABLE_TOTAL, &k, RECORD_total, &r, &e);
	if (rc != 0)
		return rc;
	if (e == OK)
		total.held = r.total.held;
	if (more > 0 || total.held >= (uint64_t)-more)
		total.held += (uint64_t)more;
	else
		total.held = 0;		/* a damaged one was set aside */
	return store_table_put_record(&st->env, txn, TABLE_TOTAL, &k,
	    RECORD_total, &total);
}
