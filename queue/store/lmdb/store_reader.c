/*
 * store_reader.c - the thread that serves the reads, and may wait for the disk
 * to bring pages in.  A read transaction lasts one batch: one that stayed open
 * would keep LMDB from using freed pages again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "queue/store/lmdb/store_inside.h"

#define BATCH_OPS	64

/* The first row behind key k; *c is open. */
static int
seek(MDB_cursor *c, const struct store_key *k, MDB_val *key)
{
	MDB_val val;

	if (k->len == 0)
		return mdb_cursor_get(c, key, &val, MDB_FIRST);
	return store_table_seek(c, k, key, &val);
}

/* A key just behind all rows of this flow. */
static void
flow_end(struct store_key *k, const struct store_flow *f)
{
	memcpy(k->b, f->name, f->len);
	memset(k->b + f->len, 0xff, PLACE_LEN);
	k->len = f->len + PLACE_LEN;
}

/*
 * The first row behind k that is one: a key that is none is passed over, and so
 * is one that stands there out of order, which would lead us round and round.
 */
static int
next_flow(MDB_cursor *c, const struct store_key *k, MDB_val *key)
{
	MDB_val val;
	int rc = seek(c, k, key);

	while (rc == 0 && (!store_index_is_key(*key) ||
	    (k->len > 0 && store_table_cmp(*key, k->b, k->len) <= 0)))
		rc = mdb_cursor_get(c, key, &val, MDB_NEXT);
	return rc;
}

static bool
in_flow(MDB_val key, struct span flow)
{
	return key.mv_size == flow.len + PLACE_LEN &&
	    memcmp(key.mv_data, flow.ptr, flow.len) == 0;
}

/* Held rows are due last of all, so one seek tells. */
static int
find_far(MDB_cursor *c, struct store_flow *f, int64_t far_ms)
{
	struct span flow = { f->name, f->len };
	struct store_place place = { .due_ms = far_ms + 1 };
	struct store_key k;
	MDB_val key;
	int rc;

	f->has_far = false;
	if (far_ms == 0)
		return 0;
	store_table_key_due(&k, flow, &place);
	if ((rc = next_flow(c, &k, &key)) != 0)
		return rc == MDB_NOTFOUND ? 0 : rc;
	if (in_flow(key, flow)) {
		store_table_place(key, &place);
		f->has_far = place.due_ms < STORE_HELD_MS;
	}
	return 0;
}

/* Skip from flow to flow: two seeks each, whatever they hold. */
static int
read_flows(struct store *st, MDB_txn *txn, struct store_read_flows *r)
{
	struct store_key k = { .len = 0 };
	MDB_cursor *c;
	MDB_val key;
	int rc = mdb_cursor_open(txn, st->env.dbi[TABLE_DUE], &c);

	if (rc != 0)
		return rc;
	if (r->after.len > 0)
		flow_end(&k, &r->after);
	r->cnt = 0;
	while (r->cnt < STORE_FLOWS_MAX &&
	    (rc = next_flow(c, &k, &key)) == 0) {
		struct store_flow *f = &r->flows[r->cnt];
		struct store_place place;

		f->len = key.mv_size - PLACE_LEN;
		memcpy(f->name, key.mv_data, f->len);
		store_table_place(key, &place);
		f->due_ms = place.due_ms;
		if ((rc = find_far(c, f, r->far_ms)) != 0)
			break;
		flow_end(&k, f);
		r->cnt++;
	}
	mdb_cursor_close(c);
	r->at_end = rc == MDB_NOTFOUND;
	return r->at_end ? 0 : rc;
}

/* The next row of the flow; a few foreign ones in between are passed over. */
static int
next_in_flow(MDB_cursor *c, const struct store_read_due *r, MDB_val *key)
{
	MDB_val val;
	int rc = 0;

	for (unsigned i = 0; rc == 0 && !in_flow(*key, r->flow); i++) {
		if (i == STORE_FOREIGN_MAX)
			return MDB_NOTFOUND;
		rc = mdb_cursor_get(c, key, &val, MDB_NEXT);
	}
	return rc;
}

static int
walk_due(MDB_cursor *c, struct store_read_due *r, const struct store_key *from)
{
	MDB_val key, val;
	int rc = seek(c, from, &key);

	if (rc == 0 && store_table_cmp(key, from->b, from->len) == 0)
		rc = mdb_cursor_get(c, &key, &val, MDB_NEXT);
	for (; rc == 0; rc = mdb_cursor_get(c, &key, &val, MDB_NEXT)) {
		struct store_place place;

		if ((rc = next_in_flow(c, r, &key)) != 0)
			break;
		store_table_place(key, &place);
		if (place.due_ms > r->until_ms) {
			r->next_ms = place.due_ms;
			return MDB_NOTFOUND;
		}
		if (r->cnt == r->row_max || r->cnt == STORE_DUE_MAX) {
			r->next_ms = place.due_ms;
			return 0;
		}
		r->rows[r->cnt++] = place;
	}
	return rc;
}

static int
read_due(struct store *st, MDB_txn *txn, struct store_read_due *r)
{
	struct store_key from;
	MDB_cursor *c;
	int rc = mdb_cursor_open(txn, st->env.dbi[TABLE_DUE], &c);

	if (rc != 0)
		return rc;
	r->cnt = 0;
	r->next_ms = INT64_MAX;
	store_table_key_due(&from, r->flow, &r->after);
	rc = walk_due(c, r, &from);
	mdb_cursor_close(c);
	r->at_end = rc == MDB_NOTFOUND;
	return r->at_end ? 0 : rc;
}

static enum err
read_story(struct store *st, MDB_txn *txn, struct store_read_story *r)
{
	enum err e;
	int rc = store_story_read(st, txn, r, &e);

	if (rc == 0)
		return e;
	free(r->rows);
	r->rows = NULL;
	r->cnt = 0;
	return store_reader_err(st, rc);
}

static enum err
serve(struct store *st, MDB_txn *txn, struct store_op *op)
{
	switch (op->kind) {
	case STORE_READ_FLOWS:
		return store_reader_err(st, read_flows(st, txn,
		    (struct store_read_flows *)op));
	case STORE_READ_DUE:
		return store_reader_err(st, read_due(st, txn,
		    (struct store_read_due *)op));
	case STORE_READ_ENVELOPE:
		return store_envelope_read(st, txn,
		    (struct store_read_envelope *)op);
	case STORE_READ_PIECE:
		return store_text_read(st, txn,
		    (struct store_read_piece *)op);
	case STORE_READ_ROWS:
		return store_list_rows(st, txn, (struct store_read_rows *)op);
	case STORE_READ_REPORT:
		return store_report_read(st, txn,
		    (struct store_read_report *)op);
	case STORE_READ_REPORTS:
		return store_table_err(store_report_list(st, txn,
		    (struct store_read_reports *)op));
	case STORE_READ_DISCARDS:
		return store_discard_read(st, txn,
		    (struct store_read_discards *)op);
	case STORE_READ_OLD:
		return store_table_err(store_list_old(st, txn,
		    (struct store_read_old *)op));
	case STORE_READ_INDEX:
		return store_reader_err(st, store_index_read(st, txn,
		    (struct store_read_index *)op));
	case STORE_READ_NOTES:
		return store_reader_err(st, store_notes_read(st, txn,
		    (struct store_read_notes *)op));
	case STORE_READ_LONE:
		return store_reader_err(st, store_lone_read(st, txn,
		    (struct store_read_lone *)op));
	case STORE_READ_SPENT:
		return store_reader_err(st, store_spent_read(st, txn,
		    (struct store_read_spent *)op));
	case STORE_READ_FOUND:
		return store_reader_err(st, store_story_find(st, txn,
		    (struct store_read_found *)op));
	case STORE_READ_STORY:
		return read_story(st, txn, (struct store_read_story *)op);
	case STORE_READ_TOTALS:
		return store_reader_err(st, store_list_totals(st, txn,
		    (struct store_read_totals *)op));
	default:
		return ERR_SYS;
	}
}

static void
turn(struct store *st, MDB_txn **txn, struct store_ops *batch)
{
	struct store_op *op;
	int rc;

	if (*txn == NULL)
		rc = mdb_txn_begin(st->env.env, NULL, MDB_RDONLY, txn);
	else
		rc = mdb_txn_renew(*txn);
	STAILQ_FOREACH(op, batch, entry)
		op->err = rc == 0 ? serve(st, *txn, op) : ERR_SYS;
	if (rc == 0)
		mdb_txn_reset(*txn);
}

void *
store_reader_run(void *arg)
{
	struct store *st = arg;
	MDB_txn *txn = NULL;

	pthread_mutex_lock(&st->lock);
	for (;;) {
		struct store_ops batch = STAILQ_HEAD_INITIALIZER(batch);
		struct store_op *op;
		unsigned cnt = 0;

		while (STAILQ_EMPTY(&st->reads) && !st->closing)
			(void)bell_wait(&st->read_more, &st->lock);
		if (st->closing)
			break;
		while (cnt++ < BATCH_OPS &&
		    (op = STAILQ_FIRST(&st->reads)) != NULL) {
			STAILQ_REMOVE_HEAD(&st->reads, entry);
			STAILQ_INSERT_TAIL(&batch, op, entry);
		}
		pthread_mutex_unlock(&st->lock);
		turn(st, &txn, &batch);
		store_give_back(st, &batch);
		pthread_mutex_lock(&st->lock);
	}
	pthread_mutex_unlock(&st->lock);
	if (txn != NULL)
		mdb_txn_abort(txn);
	return NULL;
}
