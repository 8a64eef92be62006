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

/* The key of table due that this delivery must have; false: none can be. */
bool
store_row_due_key(MDB_val key, MDB_val val, struct store_key *out)
{
	struct store_place place;
	struct store_flow flow;
	union record r;

	if (key.mv_size != sizeof(place.id.b) + sizeof(place.no) ||
	    record_get((struct span){ val.mv_data, val.mv_size },
	    RECORD_delivery, &r) != OK ||
	    !store_flow_name(&flow, r.delivery.relay, r.delivery.destination,
	    r.delivery.tenant))
		return false;
	memcpy(place.id.b, key.mv_data, sizeof(place.id.b));
	place.no = store_table_no(key);
	place.due_ms = (int64_t)r.delivery.due_ms;
	store_table_key_due(out, (struct span){ flow.name, flow.len }, &place);
	return true;
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
