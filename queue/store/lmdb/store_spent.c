/*
 * store_spent.c - table delivery is in the order of ids, which is the order in
 * which messages came: a walk from its beginning touches the old, one that is
 * too young, and no more.
 */
#include <string.h>

#include "queue/store/lmdb/store_inside.h"

#define LOOKS_MAX	512	/* rows looked at in one reading */
#define LOOKS_LAST	2048	/* where none of them has a message */

/* The message that the walk has come to. */
struct owner {
	bool		 is_there;
	bool		 is_old;	/* it came that early		*/
	bool		 is_bounce;
	int64_t		 lived_ms;
};

/* A damaged one is somebody else's matter. */
static int
look_at(struct store *st, MDB_txn *txn, struct store_read_spent *r,
    struct id id, struct owner *o)
{
	int64_t last_ms = r->until_ms > r->bounces_until_ms ? r->until_ms :
	    r->bounces_until_ms;
	struct store_key k;
	union record m;
	MDB_val val;
	int rc;

	*o = (struct owner){ .is_old = false };
	store_table_key_id(&k, id);
	rc = store_find_row(&st->env, txn, TABLE_MESSAGE, &k, &val);
	o->is_there = rc == 0;
	if (rc != 0)
		return rc == MDB_NOTFOUND ? 0 : rc;
	if (record_get((struct span){ val.mv_data, val.mv_size },
	    RECORD_message, &m) != OK)
		return 0;
	o->lived_ms = (int64_t)m.message.lived_ms;
	o->is_bounce = record_is_bounce(&m.message);
	o->is_old = o->lived_ms <= (o->is_bounce ? r->bounces_until_ms :
	    r->until_ms);
	r->at_end = o->lived_ms > last_ms;
	return 0;
}

bool
store_spent_is_held(const struct record_delivery *d)
{
	return store_held_by(d) == HELD_DEATHS;
}

/* Whether by an administrator, or for a damage that is his to look at. */
static bool
is_kept(const struct record_delivery *d)
{
	return (int64_t)d->due_ms == STORE_HELD_MS && !store_spent_is_held(d);
}

static void
take(struct store_read_spent *r, MDB_val val, const struct owner *o)
{
	struct store_spent *row = &r->rows[r->cnt];
	union record d;

	if (record_get((struct span){ val.mv_data, val.mv_size },
	    RECORD_delivery, &d) != OK ||
	    is_kept(&d.delivery) ||
	    !store_flow_name(&row->flow, d.delivery.relay,
	    d.delivery.destination, d.delivery.tenant))
		return;
	row->place = (struct store_place){ (int64_t)d.delivery.due_ms,
	    r->from, r->from_no };
	row->lived_ms = o->lived_ms;
	row->is_bounce = o->is_bounce;
	row->waived_ms = d.delivery.waived_ms;
	row->waived_until_ms = d.delivery.waived_until_ms;
	r->cnt++;
}

/*
 * A key that a flipped bit has put out of order names no message: the next
 * reading must not begin there, behind those that it hides.
 */
static int
walk(struct store *st, MDB_txn *txn, struct store_read_spent *r, MDB_cursor *c)
{
	struct id known = { { 0 } }, id;
	struct owner o = { .is_old = false };
	struct store_key k;
	MDB_val key, val;
	int rc;

	store_table_key_no(&k, r->from, r->from_no);
	rc = store_table_seek(c, &k, &key, &val);
	for (int i = 0; rc == 0; i++) {
		if (key.mv_size == k.len) {
			memcpy(id.b, key.mv_data, sizeof(id.b));
			if (id_cmp(known, id) != 0)
				rc = look_at(st, txn, r, id, &o);
			known = id;
			if (rc != 0 || r->at_end)
				return rc;
			if (o.is_there || i >= LOOKS_LAST) {
				r->from = id;
				r->from_no = store_table_no(key);
			}
			if (i >= LOOKS_LAST || (o.is_there && (i >= LOOKS_MAX ||
			    r->cnt == STORE_SPENT_MAX)))
				return 0;
			if (o.is_old)
				take(r, val, &o);
		}
		rc = mdb_cursor_get(c, &key, &val, MDB_NEXT);
	}
	r->at_end = rc == MDB_NOTFOUND;
	return r->at_end ? 0 : rc;
}

int
store_spent_read(struct store *st, MDB_txn *txn, struct store_read_spent *r)
{
	MDB_cursor *c;
	int rc = mdb_cursor_open(txn, st->env.dbi[TABLE_DELIVERY], &c);

	if (rc != 0)
		return rc;
	r->cnt = 0;
	r->at_end = false;
	rc = walk(st, txn, r, c);
	mdb_cursor_close(c);
	return rc;
}
