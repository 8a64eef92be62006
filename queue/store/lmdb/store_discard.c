/*
 * store_discard.c - what nobody could be told of waits in table discard for the
 * digest: the first thousand have a row each, and all are counted.  What is
 * told of goes by the transaction that accepts the digest, by exact key: what
 * came between has its turn with the next one.
 */
#include <stdlib.h>
#include <string.h>

#include "queue/store/lmdb/store_inside.h"

int
store_discard_put(struct store *st, MDB_txn *txn, struct id id,
    int64_t now_ms, const struct store_discard *d, uint32_t cnt)
{
	struct store_key k;
	MDB_stat s;
	int rc = 0;

	if (cnt == 0)
		return 0;
	if ((rc = mdb_stat(txn, st->env.dbi[TABLE_DISCARD], &s)) != 0)
		return rc;
	for (uint32_t i = 0; rc == 0 && i < cnt &&
	    s.ms_entries + i < STORE_DISCARDS_MAX; i++) {
		store_table_key_discard(&k, now_ms, id, d[i].rcpt_no);
		rc = store_table_put_record(&st->env, txn, TABLE_DISCARD, &k,
		    RECORD_discard, &d[i].rec);
	}
	return rc != 0 ? rc : store_row_add_discarded(st, txn, cnt);
}

int
store_apply_digest(struct store *st, MDB_txn *txn, struct store_digest *d)
{
	uint32_t gone = 0;
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < d->rows->cnt; i++) {
		struct store_key k = { .len = STORE_DISCARD_KEY };
		MDB_val val;

		memcpy(k.b, d->rows->rows[i].key, k.len);
		rc = store_find_row(&st->env, txn, TABLE_DISCARD, &k, &val);
		if (rc == 0)
			rc = store_find_del(&st->env, txn, TABLE_DISCARD, &k);
		else if (rc == MDB_NOTFOUND) {
			rc = 0;
			gone++;
		}
	}
	if (rc == 0 && gone > 0 && gone == d->rows->cnt) {
		d->op.err = ERR_STALE;
		return 0;
	}
	if (rc == 0)
		rc = store_row_add_discarded(st, txn,
		    -(int64_t)d->rows->all_cnt);
	return rc != 0 || d->message == NULL ? rc :
	    store_apply_accept(st, txn, d->message);
}

static struct span
keep(char **at, struct span s)
{
	struct span kept = { *at, s.len };

	if (s.len > 0)
		memcpy(*at, s.ptr, s.len);
	*at += s.len;
	return kept;
}

/* A row as it is given out; without room for them, without its strings. */
static void
keep_row(struct discard_row *row, MDB_val key, MDB_val val, char **at)
{
	union record r;
	uint64_t ms = 0;

	memset(row, 0, sizeof(*row));
	memcpy(row->key, key.mv_data, sizeof(row->key));
	for (size_t i = 0; i < sizeof(ms); i++)
		ms = ms << 8 | row->key[i];
	row->at_ms = (int64_t)ms;
	memcpy(row->id.b, row->key + sizeof(ms), sizeof(row->id.b));
	if (at == NULL)
		return;
	row->is_lost = record_get((struct span){ val.mv_data, val.mv_size },
	    RECORD_discard, &r) != OK;
	if (row->is_lost)
		return;
	row->rec.code = r.discard.code;
	row->rec.sender = keep(at, r.discard.sender);
	row->rec.address = keep(at, r.discard.address);
	row->rec.why = keep(at, r.discard.why);
	row->rec.reply = keep(at, r.discard.reply);
}

/* A key of another length has it from damage: salvage names it. */
static int
walk(MDB_cursor *c, struct discard_rows *rows, uint32_t row_max, char *at)
{
	MDB_val key, val;
	int rc = mdb_cursor_get(c, &key, &val, MDB_FIRST);

	for (; rc == 0 && rows->cnt < row_max;
	    rc = mdb_cursor_get(c, &key, &val, MDB_NEXT)) {
		bool has_room = rows->cnt < STORE_DISCARDS_READ;

		if (key.mv_size != STORE_DISCARD_KEY)
			continue;
		keep_row(&rows->rows[rows->cnt++], key, val,
		    has_room ? &at : NULL);
		rows->text_cnt += has_room;
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

enum err
store_discard_read(struct store *st, MDB_txn *txn,
    struct store_read_discards *r)
{
	uint32_t text_max = r->row_max < STORE_DISCARDS_READ ? r->row_max :
	    STORE_DISCARDS_READ;
	size_t head = sizeof(*r->rows) + r->row_max * sizeof(r->rows->rows[0]);
	struct discard_rows *rows = malloc(head + text_max * RECORD_MAX);
	MDB_cursor *c;
	int rc;

	r->rows = NULL;
	if (rows == NULL)
		return ERR_SYS;
	*rows = (struct discard_rows){ .cnt = 0 };
	rc = mdb_cursor_open(txn, st->env.dbi[TABLE_DISCARD], &c);
	if (rc == 0) {
		rc = walk(c, rows, r->row_max, (char *)rows + head);
		mdb_cursor_close(c);
	}
	if (rc == 0)
		rc = store_row_get_discarded(st, txn, &rows->all_cnt);
	if (rc != 0) {
		free(rows);
		return store_reader_err(st, rc);
	}
	if (rows->all_cnt < rows->cnt)	/* it is damaged, or of a salvage */
		rows->all_cnt = rows->cnt;
	r->rows = rows;
	return OK;
}
