/*
 * store_replan.c - a delivery becomes one or several others, as rows, within
 * the transaction that the writer began.  The first keeps the number; the rest
 * get numbers behind the highest there is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "queue/store/engine_rows.h"
#include "queue/store/lmdb/store_inside.h"

/* What all of the new ones take over, but for strings that they have anew. */
struct old {
	struct record_delivery rec;
	char		 holder[STORE_WHO_MAX];
	bool		 is_held;
	uint32_t	 next_no;
};

/*
 * The first number behind all deliveries of the message.  A few keys of others,
 * that should stand elsewhere, may be behind the last of them.
 */
static int
find_next_no(struct store *st, MDB_txn *txn, struct id id, uint32_t *out)
{
	struct store_key k;
	MDB_cursor *c;
	MDB_val key, val;
	int rc = mdb_cursor_open(txn, st->env.dbi[TABLE_DELIVERY], &c);

	if (rc != 0)
		return rc;
	store_table_key_no(&k, id, UINT32_MAX);
	rc = store_table_seek(c, &k, &key, &val);
	if (rc == 0)
		rc = store_table_same_id(key, id) ? ENOSPC :
		    mdb_cursor_get(c, &key, &val, MDB_PREV);
	else if (rc == MDB_NOTFOUND)
		rc = mdb_cursor_get(c, &key, &val, MDB_LAST);
	for (unsigned i = 0; rc == 0 && !store_table_same_id(key, id); i++)
		rc = i == STORE_FOREIGN_MAX ? MDB_NOTFOUND :
		    mdb_cursor_get(c, &key, &val, MDB_PREV);
	*out = rc == 0 ? store_table_no(key) + 1 : 0;
	mdb_cursor_close(c);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Its row of table due goes. */
static int
take_old(struct store *st, MDB_txn *txn, const struct store_replan *r,
    struct old *old)
{
	struct store_place place = { (int64_t)old->rec.due_ms, r->id, r->no };
	struct store_flow flow;
	struct store_key k;

	if (!store_flow_name(&flow, old->rec.relay, old->rec.destination,
	    old->rec.tenant))
		return EINVAL;
	old->is_held = place.due_ms == STORE_HELD_MS;
	store_table_key_due(&k, (struct span){ flow.name, flow.len }, &place);
	return store_find_del(&st->env, txn, TABLE_DUE, &k);
}

static int
put_delivery(struct store *st, MDB_txn *txn, const struct store_replan *r,
    const struct old *old, uint32_t i, uint32_t rcpt_cnt)
{
	struct record_delivery d = old->rec;
	struct store_moved *m = &r->rows[i];
	struct store_key k;
	int rc;

	d.relay = r->deliveries[i].relay;
	d.destination = r->deliveries[i].destination;
	d.tenant = r->deliveries[i].tenant;
	d.rcpt_cnt = rcpt_cnt;
	d.pinned = r->is_pinned;
	d.waived_ms = (uint64_t)r->waived_ms;
	d.waived_until_ms = (uint64_t)r->waived_until_ms;
	d.deaths = 0;
	d.due_ms = (uint64_t)(old->is_held ? STORE_HELD_MS : r->now_ms);
	m->moved = true;
	m->place = (struct store_place){ (int64_t)d.due_ms, r->id,
	    i == 0 ? r->no : old->next_no + i - 1 };
	if (!store_flow_name(&m->flow, d.relay, d.destination, d.tenant))
		return EINVAL;
	store_table_key_no(&k, r->id, m->place.no);
	rc = i == 0 ? store_find_put_record(&st->env, txn, TABLE_DELIVERY,
	    &k, RECORD_delivery, &d) : store_table_put_record(&st->env, txn,
	    TABLE_DELIVERY, &k, RECORD_delivery, &d);
	if (rc != 0)
		return rc;
	return store_row_put_due(st, txn, &m->flow, &m->place);
}

/* Recipients that left the first delivery name theirs; *cnts counts them. */
static int
move_rcpts(struct store *st, MDB_txn *txn, const struct store_replan *r,
    uint32_t *cnts)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < r->rcpt_cnt; i++) {
		uint32_t to = r->rcpt_delivery[i];
		struct store_key k;
		union record rec;
		enum err e;

		if (to == 0 || to >= r->delivery_cnt)
			continue;
		store_table_key_no(&k, r->id, r->rcpts[i]);
		rc = store_row_get(st, txn, TABLE_RECIPIENT, &k,
		    &rec, &e);
		if (rc != 0 || e != OK)
			continue;	/* it stays where it was */
		rec.recipient.delivery = r->rows[to].place.no;
		rc = store_find_put_record(&st->env, txn, TABLE_RECIPIENT,
		    &k, RECORD_recipient, &rec.recipient);
		cnts[to]++;
	}
	return rc;
}

static int
count_deliveries(struct store *st, MDB_txn *txn, struct id id, uint32_t more)
{
	struct store_key k;
	union record r;
	enum err e;
	int rc;

	store_table_key_id(&k, id);
	rc = store_row_get(st, txn, TABLE_MESSAGE, &k, &r, &e);
	if (rc != 0 || e != OK || more == 0)
		return rc;
	r.message.delivery_cnt += more;
	return store_find_put_record(&st->env, txn, TABLE_MESSAGE, &k,
	    RECORD_message, &r.message);
}

static int
put_all(struct store *st, MDB_txn *txn, const struct store_replan *r,
    struct old *old, uint32_t *cnts)
{
	uint32_t left = old->rec.rcpt_cnt;
	int rc = take_old(st, txn, r, old);

	for (uint32_t i = 0; i < r->delivery_cnt; i++)
		r->rows[i].place.no = i == 0 ? r->no : old->next_no + i - 1;
	if (rc == 0)
		rc = move_rcpts(st, txn, r, cnts);
	for (uint32_t i = 1; rc == 0 && i < r->delivery_cnt; i++) {
		left -= cnts[i] < left ? cnts[i] : left;
		rc = put_delivery(st, txn, r, old, i, cnts[i]);
	}
	cnts[0] = left;
	if (rc == 0)
		rc = put_delivery(st, txn, r, old, 0, left);
	if (rc == 0)
		rc = count_deliveries(st, txn, r->id, r->delivery_cnt - 1);
	if (rc == 0 && old->is_held)
		rc = store_row_add_held(st, txn, r->delivery_cnt - 1);
	return rc;
}

static int
put_events(struct store *st, MDB_txn *txn, const struct store_replan *r,
    const char *from, const uint32_t *cnts)
{
	struct record_history h;
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < r->delivery_cnt; i++)
		if (engine_rows_moved(r, i, from, cnts[i], &h))
			rc = store_story_put(st, txn, r->id, EVENT_MOVED,
			    r->rows[i].place.no, &h);
	return rc;
}

int
store_apply_replan(struct store *st, MDB_txn *txn, struct store_replan *r)
{
	struct old old = { .is_held = false };
	struct store_key k;
	union record rec;
	uint32_t *cnts;
	char from[BLOCK_NAME_MAX + 1] = "";
	int rc;

	store_table_key_no(&k, r->id, r->no);
	rc = store_row_get(st, txn, TABLE_DELIVERY, &k, &rec, &r->op.err);
	if (rc != 0 || r->op.err != OK)
		return rc;
	if (r->seen != NULL && engine_rows_has_gone_on(r->seen,
	    &rec.delivery)) {
		r->op.err = ERR_STALE;
		return 0;
	}
	old.rec = rec.delivery;
	old.rec.holder = span_head(old.rec.holder, sizeof(old.holder));
	if (old.rec.holder.len > 0)
		memcpy(old.holder, old.rec.holder.ptr, old.rec.holder.len);
	old.rec.holder.ptr = old.holder;
	(void)span_cstr(rec.delivery.relay, from, sizeof(from));
	if ((rc = find_next_no(st, txn, r->id, &old.next_no)) != 0)
		return rc;
	if ((cnts = calloc(r->delivery_cnt, sizeof(*cnts))) == NULL)
		return ENOMEM;
	if ((rc = put_all(st, txn, r, &old, cnts)) == 0)
		rc = put_events(st, txn, r, from, cnts);
	free(cnts);
	return rc;
}
