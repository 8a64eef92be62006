/*
 * store_stray.c - rows whose key a flipped bit has made another's.
 *
 * Such a row is whole, and stands where it always stood: between those that are
 * beside its right key.  What is there under a key that differs in one bit, and
 * that no message claims, is the row that is missing.  One whose key still is
 * in order there could be another message's, so each claim is looked at.
 */
#include <string.h>

#include "queue/store/lmdb/store_inside.h"

#define NEAR		4	/* keys on each side that are looked at	*/
#define VALUE_MAX	4096	/* bytes; none is over a page		*/

/* Where a row stands, and a copy of it that no change takes away. */
struct stray {
	struct store_key key;
	uint8_t		 val[VALUE_MAX];
	size_t		 len;
};

static bool
is_one_bit_off(MDB_val key, const struct store_key *k)
{
	const uint8_t *b = key.mv_data;
	unsigned bits = 0;

	if (key.mv_size != k->len)
		return false;
	for (size_t i = 0; i < k->len && bits < 2; i++)
		bits += (unsigned)__builtin_popcount(b[i] ^ k->b[i]);
	return bits == 1;
}

static int
has_row(const struct store *st, MDB_txn *txn, enum table t, struct id id,
    bool *has)
{
	struct store_key k;
	MDB_val val;
	int rc;

	store_table_key_id(&k, id);
	rc = store_find_row(&st->env, txn, t, &k, &val);
	*has = rc == 0;
	return rc == MDB_NOTFOUND ? 0 : rc;
}

int
store_stray_is_known(const struct store *st, MDB_txn *txn, struct id id,
    bool *known)
{
	int rc = has_row(st, txn, TABLE_MESSAGE, id, known);

	return rc != 0 || *known ? rc :
	    has_row(st, txn, TABLE_LOOSE, id, known);
}

/* Does an envelope have anything that it is of? */
static int
has_parts(const struct store *st, MDB_txn *txn, struct id id, bool *has)
{
	static const enum table parts[] = {
		TABLE_DELIVERY, TABLE_RECIPIENT, TABLE_REPORT,
	};
	int rc = 0;

	*has = false;
	for (size_t i = 0; rc == 0 && !*has &&
	    i < sizeof(parts) / sizeof(parts[0]); i++)
		rc = store_rows_have(&st->env, txn, parts[i], id, has);
	return rc;
}

/* Does table due know of this delivery? */
static int
is_due(const struct store *st, MDB_txn *txn, MDB_val key, MDB_val val,
    bool *is)
{
	struct store_key due;
	int rc;

	*is = false;
	if (!store_row_due_key(key, val, &due))
		return 0;
	rc = store_table_get(&st->env, txn, TABLE_DUE, &due, &val);
	*is = rc == 0;
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* A row of the same message under another number: of text behind its end? */
static int
is_numbered(const struct store *st, MDB_txn *txn, enum table t, MDB_val key,
    MDB_val val, bool *claimed)
{
	struct store_key k = { .len = sizeof(struct id) };
	uint64_t len;
	union record m;
	MDB_val row;
	int rc;

	if (t == TABLE_DELIVERY)
		return is_due(st, txn, key, val, claimed);
	*claimed = true;
	if (t != TABLE_HEADER && t != TABLE_BODY)
		return 0;
	memcpy(k.b, key.mv_data, k.len);
	rc = store_find_row(&st->env, txn, TABLE_MESSAGE, &k, &row);
	if (rc != 0 || record_get((struct span){ row.mv_data, row.mv_size },
	    RECORD_message, &m) != OK)
		return rc == MDB_NOTFOUND ? 0 : rc;
	len = t == TABLE_HEADER ? m.message.header_len : m.message.body_len;
	*claimed = (uint64_t)store_table_no(key) * CHUNK_MAX < len;
	return 0;
}

/* Is the row where it belongs, for all that is known of it? */
static int
is_claimed(const struct store *st, MDB_txn *txn, enum table t,
    const struct store_key *home, MDB_val key, MDB_val val, bool *claimed)
{
	struct id id;

	memcpy(id.b, key.mv_data, sizeof(id.b));
	if (t == TABLE_MESSAGE)
		return has_parts(st, txn, id, claimed);
	if (memcmp(id.b, home->b, sizeof(id.b)) == 0)
		return is_numbered(st, txn, t, key, val, claimed);
	return store_stray_is_known(st, txn, id, claimed);
}

static int
copy_row(struct stray *s, MDB_val key, MDB_val val)
{
	if (key.mv_size > sizeof(s->key.b) || val.mv_size > sizeof(s->val))
		return MDB_NOTFOUND;
	memcpy(s->key.b, key.mv_data, key.mv_size);
	s->key.len = key.mv_size;
	memcpy(s->val, val.mv_data, val.mv_size);
	s->len = val.mv_size;
	return 0;
}

/* To the stray row near the cursor, which is where it must stand. */
static int
seek_stray(const struct store *st, MDB_txn *txn, MDB_cursor *c, enum table t,
    const struct store_key *home, struct stray *s)
{
	MDB_val key, val;
	int rc = store_table_seek(c, home, &key, &val);
	bool claimed;

	if (rc == MDB_NOTFOUND)
		rc = mdb_cursor_get(c, &key, &val, MDB_LAST);
	for (int i = 0; rc == 0 && i < NEAR; i++)
		rc = mdb_cursor_get(c, &key, &val, MDB_PREV);
	if (rc == MDB_NOTFOUND)
		rc = mdb_cursor_get(c, &key, &val, MDB_FIRST);
	for (int i = 0; rc == 0 && i <= 2 * NEAR; i++) {
		if (is_one_bit_off(key, home)) {
			rc = is_claimed(st, txn, t, home, key, val, &claimed);
			if (rc != 0 || !claimed)
				return rc != 0 ? rc : copy_row(s, key, val);
		}
		rc = mdb_cursor_get(c, &key, &val, MDB_NEXT);
	}
	return rc == 0 ? MDB_NOTFOUND : rc;
}

static int
put_row(const struct store *st, MDB_txn *txn, enum table t,
    const struct store_key *k, const struct stray *s)
{
	return store_table_put(&st->env, txn, t, k, s->val, s->len);
}

/* A key among recipients: is it one of this message's, but for a bit? */
static int
is_stray_rcpt(const struct store *st, MDB_txn *txn, MDB_val key, struct id id,
    bool *is)
{
	struct store_key own = { .len = sizeof(id.b) };
	MDB_val head = { sizeof(id.b), key.mv_data };
	struct id of;
	int rc;

	*is = false;
	memcpy(own.b, id.b, sizeof(id.b));
	if (key.mv_size != sizeof(id.b) + sizeof(uint32_t) ||
	    !is_one_bit_off(head, &own))
		return 0;
	memcpy(of.b, key.mv_data, sizeof(of.b));
	rc = store_stray_is_known(st, txn, of, is);
	*is = !*is;
	return rc;
}

static int
next_stray_rcpt(const struct store *st, MDB_txn *txn, struct id id,
    MDB_cursor *c, struct stray *s)
{
	struct store_key from;
	MDB_val key, val;
	bool is = false;
	int rc;

	store_table_key_no(&from, id, 0);
	rc = store_table_seek(c, &from, &key, &val);
	if (rc == MDB_NOTFOUND)
		rc = mdb_cursor_get(c, &key, &val, MDB_LAST);
	for (int i = 0; rc == 0 && i < NEAR; i++)
		rc = mdb_cursor_get(c, &key, &val, MDB_PREV);
	if (rc == MDB_NOTFOUND)
		rc = mdb_cursor_get(c, &key, &val, MDB_FIRST);
	for (int foreign = 0; rc == 0 && foreign <= 2 * NEAR; ) {
		foreign = store_table_same_id(key, id) ? 0 : foreign + 1;
		if ((rc = is_stray_rcpt(st, txn, key, id, &is)) != 0 || is)
			return rc != 0 ? rc : copy_row(s, key, val);
		rc = mdb_cursor_get(c, &key, &val, MDB_NEXT);
	}
	return rc == 0 ? MDB_NOTFOUND : rc;
}

/* Which of its recipients is missing nobody knows: all that stray are its. */
static int
fetch_rcpts(struct store *st, MDB_txn *txn, struct id id, bool *found)
{
	struct stray s;
	MDB_cursor *c;
	int rc = 0;

	while (rc == 0) {
		struct store_key k;

		if ((rc = mdb_cursor_open(txn, st->env.dbi[TABLE_RECIPIENT],
		    &c)) != 0)
			return rc;
		if ((rc = next_stray_rcpt(st, txn, id, c, &s)) == 0)
			rc = mdb_cursor_del(c, 0);
		mdb_cursor_close(c);
		if (rc != 0)
			break;
		store_table_key_no(&k, id, store_table_no((MDB_val){
		    s.key.len, s.key.b }));
		rc = put_row(st, txn, TABLE_RECIPIENT, &k, &s);
		*found = true;
	}
	return rc == MDB_NOTFOUND ? 0 : rc;
}

int
store_stray_fetch(struct store *st, MDB_txn *txn, enum table t,
    const struct store_key *k, bool *found)
{
	struct stray s;
	MDB_cursor *c;
	MDB_val val;
	struct id id;
	int rc;

	*found = false;
	if (t == TABLE_RECIPIENT && k->len == sizeof(id.b)) {
		memcpy(id.b, k->b, sizeof(id.b));
		return fetch_rcpts(st, txn, id, found);
	}
	rc = store_find_row(&st->env, txn, t, k, &val);
	if (rc != MDB_NOTFOUND || k->len < sizeof(struct id))
		return rc == MDB_NOTFOUND ? 0 : rc;
	if ((rc = mdb_cursor_open(txn, st->env.dbi[t], &c)) != 0)
		return rc;
	if ((rc = seek_stray(st, txn, c, t, k, &s)) == 0)
		rc = mdb_cursor_del(c, 0);
	mdb_cursor_close(c);
	if (rc == 0 && (rc = put_row(st, txn, t, k, &s)) == 0)
		*found = true;
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* The row, wherever it stands, and the cursor at it: all keys are compared. */
static int
seek_anywhere(MDB_cursor *c, const struct store_key *k, struct stray *s)
{
	MDB_val key, val;
	int rc = mdb_cursor_get(c, &key, &val, MDB_FIRST);

	while (rc == 0 && store_table_cmp(key, k->b, k->len) != 0)
		rc = mdb_cursor_get(c, &key, &val, MDB_NEXT);
	return rc != 0 ? rc : copy_row(s, key, val);
}

/* Is there a row of table due, and no delivery, under this key? */
static int
is_home(const struct store *st, MDB_txn *txn, const struct store_key *home,
    const struct stray *s, bool *is)
{
	MDB_val key = { home->len, (void *)home->b };
	MDB_val val = { s->len, (void *)s->val };
	int rc = is_due(st, txn, key, val, is);

	if (rc != 0 || !*is)
		return rc;
	rc = store_find_row(&st->env, txn, TABLE_DELIVERY, home, &val);
	*is = rc == MDB_NOTFOUND;
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Try each key that differs in a bit, from this one on. */
static int
bring_home(struct store *st, MDB_txn *txn, const struct stray *s, size_t bit,
    bool *moved)
{
	struct store_key home = s->key;
	int rc = 0;
	bool is;

	for (; rc == 0 && !*moved && bit < 8 * home.len;
	    bit++) {
		home.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
		rc = is_home(st, txn, &home, s, &is);
		if (rc == 0 && is)
			rc = store_stray_fetch(st, txn, TABLE_DELIVERY, &home,
			    moved);
		home.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	return rc;
}

/* It stands where nobody looks for its key: put it where they do. */
static int
reseat(struct store *st, MDB_txn *txn, const struct stray *s)
{
	struct stray same;
	MDB_cursor *c;
	int rc = mdb_cursor_open(txn, st->env.dbi[TABLE_DELIVERY], &c);

	if (rc != 0)
		return rc;
	if ((rc = seek_anywhere(c, &s->key, &same)) == 0)
		rc = mdb_cursor_del(c, 0);
	mdb_cursor_close(c);
	return rc != 0 ? rc : put_row(st, txn, TABLE_DELIVERY, &s->key, s);
}

/* *near: where its own key is looked for, or beside it. */
static int
take(struct store *st, MDB_txn *txn, const struct store_key *k,
    struct stray *s, bool *near)
{
	MDB_cursor *c;
	MDB_val val;
	int rc = store_find_row(&st->env, txn, TABLE_DELIVERY, k, &val);

	*near = rc == 0;
	if (rc != MDB_NOTFOUND)
		return rc != 0 ? rc : copy_row(s, (MDB_val){ k->len,
		    (void *)k->b }, val);
	if ((rc = mdb_cursor_open(txn, st->env.dbi[TABLE_DELIVERY],
	    &c)) != 0)
		return rc;
	rc = seek_anywhere(c, k, s);
	mdb_cursor_close(c);
	return rc;
}

int
store_stray_delivery(struct store *st, MDB_txn *txn,
    const struct store_key *k, bool *moved)
{
	bool known, near;
	struct stray s;
	struct id id;
	int rc;

	*moved = false;
	if (k->len != sizeof(id.b) + sizeof(uint32_t))
		return 0;
	memcpy(id.b, k->b, sizeof(id.b));
	if ((rc = store_stray_is_known(st, txn, id, &known)) != 0 ||
	    (rc = take(st, txn, k, &s, &near)) != 0)
		return rc == MDB_NOTFOUND ? 0 : rc;
	/* Of a message that there is only the number can be wrong. */
	rc = bring_home(st, txn, &s, known ? 8 * sizeof(id.b) : 0, moved);
	return rc != 0 || *moved || near ? rc : reseat(st, txn, &s);
}
