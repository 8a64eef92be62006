/*
 * store_lone.c - rows of messages that there are not: a flipped bit has changed
 * the id in their key, and nobody has missed them before their message was done
 * with, or it is gone.  They take room for good, and may be all that is left of
 * a message: so there is a note of them, and an administrator decides.
 *
 * Such a row stands where it always stood, among those of its own message, so
 * keys are walked as they stand.  One whose id is a bit off that of a message
 * which is there may be missed yet, and is brought home then (store_stray.c).
 */
#include <string.h>

#include "queue/store/lmdb/store_inside.h"

#define ID_BITS		(8 * sizeof(struct id))

static const enum table tables[] = {
	TABLE_RECIPIENT, TABLE_CRC, TABLE_HEADER, TABLE_BODY,
};

#define TABLES		(sizeof(tables) / sizeof(tables[0]))

/* Of a bit's difference. */
static int
has_neighbour(struct store *st, MDB_txn *txn, struct id id, bool *has)
{
	int rc = 0;

	*has = false;
	for (size_t bit = 0; rc == 0 && !*has && bit < ID_BITS; bit++) {
		struct id other = id;

		other.b[bit / 8] ^= (uint8_t)(1u << bit % 8);
		rc = store_lone_is_anything(st, txn, other, has);
	}
	return rc;
}

/* Where there is a note of the message, what is to be done is known. */
static int
look(struct store *st, MDB_txn *txn, enum table t, struct id id, MDB_val key)
{
	struct store_key k = { .len = key.mv_size };
	struct store_notes notes;
	bool has;
	int rc;

	memcpy(k.b, key.mv_data, k.len);
	if ((rc = store_lone_has_message(st, txn, t, id, &has)) != 0 || has ||
	    (rc = store_notes_count(st, txn, id, &notes)) != 0 ||
	    notes.found > 0 ||
	    (rc = has_neighbour(st, txn, id, &has)) != 0 || has)
		return rc;
	store_set_aside(st, t, &k, ASIDE_LONE);
	return 0;
}

static int
walk(struct store *st, MDB_txn *txn, enum table t, struct store_walk *w,
    unsigned max)
{
	struct id id, last = { { 0 } };
	int rc = store_walk_next(w);

	for (unsigned i = 0; rc == 0 && i < max; i++) {
		if (w->key.mv_size > sizeof(id.b) &&
		    w->key.mv_size < STORE_KEY_MAX) {
			memcpy(id.b, w->key.mv_data, sizeof(id.b));
			if (id_cmp(id, last) != 0 &&
			    (rc = look(st, txn, t, id, w->key)) != 0)
				break;
			last = id;
		}
		rc = store_walk_next(w);
	}
	return rc;
}

/* Where nothing is in order there is no going on. */
static bool
is_further(const struct store_read_lone *r, const struct store_walk *w)
{
	return w->behind.len > 0 && (r->from.len == 0 || store_table_cmp(
	    (MDB_val){ w->behind.len, (void *)w->behind.b }, r->from.b,
	    r->from.len) > 0);
}

int
store_lone_read(struct store *st, MDB_txn *txn, struct store_read_lone *r)
{
	struct store_key from = { .len = r->from.len };
	struct store_walk w;
	bool further;
	int rc;

	memcpy(from.b, r->from.b, from.len);
	if ((rc = store_walk_open(&st->env, txn, tables[r->table % TABLES],
	    &from, &w)) != 0)
		return rc;
	w.shows_all = true;
	rc = walk(st, txn, tables[r->table % TABLES], &w, r->row_max);
	store_walk_close(&w);
	further = rc == 0 && is_further(r, &w);
	r->from.len = further ? w.behind.len : 0;
	memcpy(r->from.b, w.behind.b, r->from.len);
	r->table += !further;
	r->at_end = r->table >= TABLES;
	return rc == MDB_NOTFOUND ? 0 : rc;
}
