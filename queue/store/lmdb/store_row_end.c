/* store_row_end.c - a message goes, with its text and what was noted of it. */
#include "queue/store/lmdb/store_inside.h"

#define DIRECT_MAX	64	/* chunks removed at once; more are swept */

static int
del_text(struct store *st, MDB_txn *txn, enum part part, struct id id,
    uint64_t cnt)
{
	enum table t = part == PART_HEADER ? TABLE_HEADER : TABLE_BODY;
	int rc = 0;

	for (uint32_t no = 0; rc == 0 && no < cnt; no++) {
		struct store_key k;

		store_table_key_no(&k, id, no);
		rc = store_find_del(&st->env, txn, t, &k);
		if (rc != 0 || no < PIECE_CHUNKS || no % PIECE_CHUNKS != 0)
			continue;
		store_table_key_crc(&k, id, part, no / PIECE_CHUNKS);
		rc = store_find_del(&st->env, txn, TABLE_CRC, &k);
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
	struct store_notes notes;
	struct store_key k;
	int rc;

	store_table_key_id(&k, id);
	if ((rc = store_find_del(&st->env, txn, TABLE_MESSAGE, &k)) != 0 ||
	    (rc = store_notes_drop(st, txn, id, true, &notes)) != 0)
		return rc;
	if (header_cnt + body_cnt > DIRECT_MAX)
		return store_sweep_later(st, txn, id);
	rc = del_text(st, txn, PART_HEADER, id, header_cnt);
	if (rc == 0)
		rc = del_text(st, txn, PART_BODY, id, body_cnt);
	return rc;
}

int
store_row_end_damaged(struct store *st, MDB_txn *txn, struct id id,
    bool *gone)
{
	struct store_notes notes;
	struct store_key k;
	MDB_val val;
	bool over, found;
	int rc;

	*gone = false;
	store_table_key_id(&k, id);
	if ((rc = store_row_is_over(st, txn, id, &over)) != 0 || !over ||
	    (rc = store_stray_fetch(st, txn, TABLE_MESSAGE, &k, &found)) != 0)
		return rc;
	rc = store_find_row(&st->env, txn, TABLE_MESSAGE, &k, &val);
	*gone = rc == 0;
	if ((rc != 0 && rc != MDB_NOTFOUND) ||
	    (rc = store_find_del(&st->env, txn, TABLE_MESSAGE, &k)) != 0 ||
	    (rc = store_notes_drop(st, txn, id, true, &notes)) != 0)
		return rc;
	return store_sweep_later(st, txn, id);
}
