/*
 * store_row.c - rows that more than one call of the store writes.
 */
#include <errno.h>
#include <string.h>

#include "base/crc.h"
#include "queue/store/lmdb/store_inside.h"
#include "sys/clock.h"

_Static_assert(STORE_PIECES_MAX <= (UINT64_C(1) << 32) / PIECE_CHUNKS,
    "chunks of a part are numbered in 32 bits");

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

int
store_row_get(struct store *st, MDB_txn *txn, enum table t,
    const struct store_key *k, union record *out, enum err *e)
{
	enum aside why;
	int rc = store_row_look(st, txn, t, k, out, e, &why);

	if (rc == 0 && *e == ERR_PEER)
		store_set_aside(st, t, k, why);
	return rc;
}

static int
put_chunks(struct store *st, MDB_txn *txn, enum part part, struct id id,
    uint32_t piece_no, struct span text)
{
	enum table t = part == PART_HEADER ? TABLE_HEADER : TABLE_BODY;
	uint32_t chunk_no = piece_no * PIECE_CHUNKS;
	int rc = 0;

	while (rc == 0 && text.len > 0) {
		struct span chunk = span_head(text, CHUNK_MAX);
		struct store_key k;

		store_table_key_no(&k, id, chunk_no++);
		rc = store_table_put(&st->env, txn, t, &k, chunk.ptr,
		    chunk.len);
		text = span_tail(text, chunk.len);
	}
	return rc;
}

static int
put_piece(struct store *st, MDB_txn *txn, struct store_mail *mail,
    enum part part, uint32_t piece_no, struct span text)
{
	struct record_crc r;
	struct store_key k;
	int rc = put_chunks(st, txn, part, mail->id, piece_no, text);

	if (rc != 0)
		return rc;
	r.sum = crc_of(0, text.ptr, text.len);
	if (piece_no == 0) {
		mail->sum[part] = r.sum;
		return 0;
	}
	store_table_key_crc(&k, mail->id, part, piece_no);
	return store_table_put_record(&st->env, txn, TABLE_CRC, &k,
	    RECORD_crc, &r);
}

/* A report of ours comes whole, and each of its pieces has its own sum. */
int
store_row_put_text(struct store *st, MDB_txn *txn, struct store_mail *mail,
    enum part part, uint32_t piece_no, struct span text)
{
	int rc = 0;

	while (rc == 0 && text.len > 0) {
		struct span piece = span_head(text, PIECE_MAX);

		rc = put_piece(st, txn, mail, part, piece_no++, piece);
		text = span_tail(text, piece.len);
	}
	return rc;
}

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
store_row_is_over(struct store *st, MDB_txn *txn, struct id id, bool *over)
{
	static const enum table parts[] = {
		TABLE_DELIVERY, TABLE_RECIPIENT, TABLE_REPORT,
	};
	bool has = false;
	int rc = 0;

	for (size_t i = 0; rc == 0 && !has &&
	    i < sizeof(parts) / sizeof(parts[0]); i++)
		rc = store_rows_have(&st->env, txn, parts[i], id, &has);
	*over = !has;
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

/* As if they were 0 where they are damaged, and never below 0. */
static void
add(uint64_t *sum, int64_t more)
{
	if (more > 0 || *sum >= (uint64_t)-more)
		*sum += (uint64_t)more;
	else
		*sum = 0;
}

static int
get_total(struct store *st, MDB_txn *txn, const char *name,
    struct store_key *k, struct record_total *out)
{
	union record r;
	enum err e;
	int rc;

	k->len = strlen(name);
	memcpy(k->b, name, k->len);
	*out = (struct record_total){ 0 };
	rc = store_row_get(st, txn, TABLE_TOTAL, k, &r, &e);
	if (rc == 0 && e == OK)
		*out = r.total;
	return rc;
}

int
store_row_add_held(struct store *st, MDB_txn *txn, int64_t more)
{
	struct record_total total;
	struct store_key k;
	int rc;

	if (more == 0)
		return 0;
	if ((rc = get_total(st, txn, "held", &k, &total)) != 0)
		return rc;
	add(&total.held, more);
	return store_table_put_record(&st->env, txn, TABLE_TOTAL, &k,
	    RECORD_total, &total);
}

int
store_row_add_discarded(struct store *st, MDB_txn *txn, int64_t more)
{
	struct record_total total;
	struct store_key k;
	int rc = get_total(st, txn, "discarded", &k, &total);

	if (rc != 0)
		return rc;
	add(&total.discarded, more);
	return store_table_put_record(&st->env, txn, TABLE_TOTAL, &k,
	    RECORD_total, &total);
}

int
store_row_get_discarded(struct store *st, MDB_txn *txn, uint64_t *out)
{
	struct record_total total;
	struct store_key k;
	int rc = get_total(st, txn, "discarded", &k, &total);

	*out = total.discarded;
	return rc;
}
