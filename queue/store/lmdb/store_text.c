/*
 * store_text.c - a piece of text as it came in, or not at all: how long it is
 * and what its checksum is stands elsewhere, each under a checksum of its own.
 */
#include <stdlib.h>
#include <string.h>

#include "base/crc.h"
#include "queue/store/lmdb/store_inside.h"

static enum table
table_of(const struct store_read_piece *r)
{
	return r->part == PART_HEADER ? TABLE_HEADER : TABLE_BODY;
}

static enum err
set_aside(struct store *st, const struct store_read_piece *r, enum aside why)
{
	struct store_key k;

	store_table_key_no(&k, r->id, r->piece_no * PIECE_CHUNKS);
	store_set_aside(st, table_of(r), &k, why);
	return ERR_PEER;
}

/* How long this piece is. */
static size_t
piece_len(const struct store_read_piece *r, const struct record_message *m)
{
	uint64_t len = r->part == PART_HEADER ? m->header_len : m->body_len;
	uint64_t before = (uint64_t)r->piece_no * PIECE_MAX;

	if (len <= before)
		return 0;
	return len - before > PIECE_MAX ? PIECE_MAX : (size_t)(len - before);
}

/* What its checksum must be; a later piece has a row that says it. */
static enum err
get_sum(struct store *st, MDB_txn *txn, const struct store_read_piece *r,
    const struct record_message *m, uint32_t *sum)
{
	union record rec;
	struct store_key k;
	enum err e;
	int rc;

	*sum = r->part == PART_HEADER ? m->header_sum : m->body_sum;
	if (r->piece_no == 0)
		return OK;
	store_table_key_crc(&k, r->id, r->part, r->piece_no);
	if ((rc = store_row_get(st, txn, TABLE_CRC, &k, &rec, &e)) != 0)
		return store_reader_err(st, rc);
	if (e != OK)
		return set_aside(st, r, ASIDE_MISSING);
	*sum = rec.crc.sum;
	return OK;
}

/* Chunks are full but for the very last: one buffer of a piece takes all. */
static enum err
gather(struct store *st, MDB_txn *txn, struct store_read_piece *r, size_t len)
{
	uint32_t no = r->piece_no * PIECE_CHUNKS;
	struct store_key k;
	MDB_val val;
	int rc;

	if ((r->text = malloc(len)) == NULL)
		return ERR_SYS;
	while (r->len < len) {
		store_table_key_no(&k, r->id, no++);
		rc = store_find_row(&st->env, txn, table_of(r), &k, &val);
		if (rc == MDB_NOTFOUND)
			return set_aside(st, r, ASIDE_MISSING);
		if (rc != 0)
			return store_reader_err(st, rc);
		if (val.mv_size != (len - r->len > CHUNK_MAX ? CHUNK_MAX :
		    len - r->len))
			return set_aside(st, r, ASIDE_DAMAGED);
		memcpy(r->text + r->len, val.mv_data, val.mv_size);
		r->len += val.mv_size;
	}
	return OK;
}

static enum err
read_checked(struct store *st, MDB_txn *txn, struct store_read_piece *r,
    const struct record_message *m)
{
	size_t len = piece_len(r, m);
	bool has_sum = m->has_sums;
	uint32_t sum = 0;
	enum err e;

	/* The record is the map's, and all that is needed of it is taken. */
	if (len == 0)
		return OK;
	if (has_sum && (e = get_sum(st, txn, r, m, &sum)) != OK)
		return e;
	if ((e = gather(st, txn, r, len)) != OK)
		return e;
	if (has_sum && crc_of(0, r->text, r->len) != sum)
		return set_aside(st, r, ASIDE_DAMAGED);
	return OK;
}

enum err
store_text_read(struct store *st, MDB_txn *txn, struct store_read_piece *r)
{
	union record m;
	struct store_key k;
	enum err e;
	int rc;

	r->text = NULL;
	r->len = 0;
	store_table_key_id(&k, r->id);
	if ((rc = store_row_get(st, txn, TABLE_MESSAGE, &k, &m, &e)) != 0)
		return store_reader_err(st, rc);
	if (e == OK && (e = read_checked(st, txn, r, &m.message)) != OK) {
		free(r->text);
		r->text = NULL;
		r->len = 0;
	}
	return e;
}
