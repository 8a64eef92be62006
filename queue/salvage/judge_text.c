/* judge_text.c - chunks are found by number and length, and proven by sums. */
#include "base/crc.h"
#include "queue/salvage/judge.h"

struct span
judge_chunk(const struct rows *r, enum table t, struct id id, uint32_t no,
    size_t len)
{
	size_t left;
	const struct row *row = rows_numbered(r, t, id, no, &left);

	for (; row != NULL && left > 0 && rows_no(row) == no; row++, left--)
		if (!row->is_bad && row->value_len == len)
			return rows_value(row);
	return (struct span){ NULL, 0 };
}

/* The checksum of a piece; false: there must be one, and it is not there. */
static bool
get_sum(const struct rows *r, const struct verdict *v, enum table t,
    uint32_t piece_no, uint32_t *sum)
{
	const struct row *row;
	struct store_key k;
	union record rec;

	*sum = t == TABLE_HEADER ? v->message.header_sum : v->message.body_sum;
	if (piece_no == 0)
		return true;
	store_table_key_crc(&k, v->id, t == TABLE_HEADER ? PART_HEADER :
	    PART_BODY, piece_no);
	row = rows_find(r, TABLE_CRC, (struct span){ (char *)k.b, k.len });
	if (row == NULL || row->is_bad ||
	    record_get(rows_value(row), RECORD_crc, &rec) != OK)
		return false;
	*sum = rec.crc.sum;
	return true;
}

/* A piece: each chunk is full but for the last, and the checksum is right. */
static bool
is_piece_whole(const struct rows *r, const struct verdict *v, enum table t,
    uint32_t piece_no, size_t len)
{
	uint32_t no = piece_no * PIECE_CHUNKS, sum = 0, want = 0;

	if (v->message.has_sums && !get_sum(r, v, t, piece_no, &want))
		return false;
	for (; len > 0; no++) {
		size_t n = len < CHUNK_MAX ? len : CHUNK_MAX;
		struct span chunk = judge_chunk(r, t, v->id, no, n);

		if (chunk.ptr == NULL)
			return false;
		sum = crc_of(sum, chunk.ptr, chunk.len);
		len -= n;
	}
	return !v->message.has_sums || sum == want;
}

static bool
is_whole(const struct rows *r, const struct verdict *v, enum table t,
    uint64_t len)
{
	for (uint32_t no = 0; len > 0; no++) {
		size_t n = len < PIECE_MAX ? (size_t)len : PIECE_MAX;

		if (!is_piece_whole(r, v, t, no, n))
			return false;
		len -= n;
	}
	return true;
}

bool
judge_is_whole(const struct rows *r, const struct verdict *v)
{
	return is_whole(r, v, TABLE_HEADER, v->message.header_len) &&
	    is_whole(r, v, TABLE_BODY, v->message.body_len);
}
