/*
 * store_list.c - the queue as a list, a bounded number of rows at a time.  What
 * changes between two readings is seen or is not; a message that goes away just
 * has no more rows.  Behind it: what is old, for aging.c.
 */
#include <stdlib.h>
#include <string.h>

#include "queue/store/engine_rows.h"
#include "queue/store/lmdb/store_inside.h"

#define TEXT_BYTES	(64u << 10)	/* of strings in one reading */
#define OLD_LOOKS_MAX	512		/* at rows, those held included */

struct reading {
	struct store	*store;
	MDB_txn		*txn;
	struct store_read_rows *r;
	char		*at, *end;	/* room for strings		*/
};

static struct span
keep(char **at, struct span s)
{
	struct span kept = { *at, s.len };

	if (s.len > 0)
		memcpy(*at, s.ptr, s.len);
	*at += s.len;
	return kept;
}

#define U8(f)
#define U16(f)
#define U32(f)
#define U64(f)
#define STR(f)	m->f = keep(at, m->f);
#define SINCE(v, fields)	fields
#define RECORD(name, version, fields)					\
static void								\
keep_##name(union record *r, char **at)					\
{									\
	struct record_##name *m = &r->name;				\
	(void)m;							\
	fields								\
}
#include "queue/store/records.def"
#undef RECORD
#undef U8
#undef U16
#undef U32
#undef U64
#undef STR
#undef SINCE

static void (*const keepers[RECORD__COUNT])(union record *, char **) = {
#define RECORD(name, version, fields)	[RECORD_##name] = keep_##name,
#include "queue/store/records.def"
#undef RECORD
};

static const enum table tables[] = {
	[ROW_MESSAGE] = TABLE_MESSAGE, [ROW_DELIVERY] = TABLE_DELIVERY,
	[ROW_RCPT] = TABLE_RECIPIENT,
};
static const enum record_kind records[] = {
	[ROW_MESSAGE] = RECORD_message, [ROW_DELIVERY] = RECORD_delivery,
	[ROW_RCPT] = RECORD_recipient,
};

static bool
has_room(const struct reading *g)
{
	return g->r->cnt < STORE_ROWS_MAX && g->end - g->at >= RECORD_MAX;
}

/*
 * What stands for a row that cannot be read, for the rest of its message is
 * told: an envelope, or a delivery, which nobody tries.
 */
static void
put_unknown(union record *r, struct id id, enum store_row_kind kind,
    enum aside why)
{
	static const struct span unread = SPAN("(cannot be read)");
	uint64_t ms = 0;

	if (kind == ROW_DELIVERY) {
		r->delivery = (struct record_delivery){
			.due_ms = (uint64_t)STORE_HELD_MS,
			.held = (uint8_t)store_held_for(why),
			.relay = unread, .destination = unread,
		};
		return;
	}
	for (size_t i = 0; i < 6; i++)		/* RFC 9562 5.7 */
		ms = ms << 8 | id.b[i];
	r->message = (struct record_message){
		.arrived_ms = ms, .sender = unread,
	};
}

/* Take a row, or set it aside when it is damaged. */
static void
add(struct reading *g, const struct store_spot *spot, MDB_val val)
{
	struct store_row *row = &g->r->rows[g->r->cnt];
	struct span bytes = { val.mv_data, val.mv_size };
	enum aside why = ASIDE_DAMAGED;
	struct store_key k;

	if (record_get(bytes, records[spot->kind], &row->rec) != OK) {
		if (record_is_newer(bytes, records[spot->kind]))
			why = ASIDE_NEWER;
		if (spot->kind == ROW_MESSAGE)
			store_table_key_id(&k, spot->id);
		else
			store_table_key_no(&k, spot->id, spot->no);
		store_set_aside(g->store, tables[spot->kind], &k, why);
		if (spot->kind == ROW_RCPT)
			return;
		put_unknown(&row->rec, spot->id, spot->kind, why);
	}
	row->kind = spot->kind;
	row->id = spot->id;
	row->no = spot->no;
	keepers[records[spot->kind]](&row->rec, &g->at);
	g->r->cnt++;
}

/* The rows of this kind that the message has; MDB_NOTFOUND at their end. */
static int
walk_parts(struct reading *g, struct store_spot *spot)
{
	struct store_rows w;
	int rc = store_rows_open(&g->store->env, g->txn, tables[spot->kind],
	    spot->id, spot->no, &w);

	if (rc != 0)
		return rc;
	while (has_room(g) && (rc = store_rows_next(&w)) == 0) {
		if (!w.is_row)
			continue;
		spot->no = w.no;
		add(g, spot, w.val);
		if (spot->no++ == UINT32_MAX) {
			rc = MDB_NOTFOUND;
			break;
		}
	}
	store_rows_close(&w);
	return rc;
}

/*
 * The cursor is at this id.  May the list go on behind it?  Not where lower
 * ones follow; one lower one alone is itself out of order.  Else the cursor is
 * at the key behind.
 */
static int
is_step(MDB_cursor *c, struct id id, bool *is)
{
	MDB_val key, val;
	int rc = 0;

	*is = false;
	for (int i = 0; rc == 0 && !*is && i < 2; i++) {
		rc = mdb_cursor_get(c, &key, &val, MDB_NEXT);
		*is = rc == MDB_NOTFOUND || (rc == 0 &&
		    store_table_cmp(key, id.b, sizeof(id.b)) > 0);
	}
	if (rc == MDB_NOTFOUND)
		return 0;
	return rc != 0 || *is ? rc : mdb_cursor_get(c, &key, &val, MDB_PREV);
}

/*
 * The next message from this id on.  Neither a foreign key nor one out of order
 * leads us astray.
 */
static int
seek_message(MDB_cursor *c, struct id from, struct id *found, MDB_val *val)
{
	struct store_key k;
	MDB_val key;
	bool is;
	int rc;

	store_table_key_id(&k, from);
	rc = store_table_seek(c, &k, &key, val);
	while (rc == 0) {
		if (key.mv_size != sizeof(found->b) ||
		    store_table_cmp(key, k.b, k.len) < 0) {
			rc = mdb_cursor_get(c, &key, val, MDB_NEXT);
			continue;
		}
		memcpy(found->b, key.mv_data, sizeof(found->b));
		if ((rc = is_step(c, *found, &is)) != 0 || is)
			return rc;
		rc = mdb_cursor_get(c, &key, val, MDB_GET_CURRENT);
	}
	return rc;
}

static int
find_message(struct reading *g, struct id from, struct id *found,
    MDB_val *val)
{
	struct store_key k;
	MDB_cursor *c;
	int rc;

	*found = from;
	store_table_key_id(&k, from);
	if (g->r->one)
		return store_find_row(&g->store->env, g->txn, TABLE_MESSAGE,
		    &k, val);
	rc = mdb_cursor_open(g->txn, g->store->env.dbi[TABLE_MESSAGE], &c);
	if (rc != 0)
		return rc;
	rc = seek_message(c, from, found, val);
	mdb_cursor_close(c);
	return rc;
}

/* Begin the next message; MDB_NOTFOUND when there is none. */
static int
begin_message(struct reading *g, struct store_spot *spot, bool *full)
{
	struct id found;
	MDB_val val;
	int rc = find_message(g, spot->id, &found, &val);

	*full = rc == 0 && g->r->message_cnt == g->r->message_max;
	if (rc == 0 && !*full) {
		spot->id = found;
		add(g, spot, val);
		g->r->message_cnt++;
		spot->kind = ROW_DELIVERY;
		spot->no = 0;
	}
	return rc;
}

static int
walk(struct reading *g, struct store_spot *spot)
{
	bool full = false;
	int rc = 0;

	while (rc == 0 && !full && has_room(g)) {
		if (spot->kind == ROW_MESSAGE) {
			rc = begin_message(g, spot, &full);
			continue;
		}
		if ((rc = walk_parts(g, spot)) != MDB_NOTFOUND)
			continue;
		rc = engine_rows_step_kind(g->r, spot) ? 0 : MDB_NOTFOUND;
	}
	return rc;
}

enum err
store_list_rows(struct store *st, MDB_txn *txn, struct store_read_rows *r)
{
	struct reading g = { .store = st, .txn = txn, .r = r };
	size_t bytes = STORE_ROWS_MAX * sizeof(*r->rows);
	int rc;

	r->cnt = 0;
	r->message_cnt = 0;
	r->next = r->from;
	if ((r->rows = malloc(bytes + TEXT_BYTES)) == NULL)
		return ERR_SYS;
	g.at = (char *)(r->rows + STORE_ROWS_MAX);
	g.end = g.at + TEXT_BYTES;
	rc = walk(&g, &r->next);
	r->at_end = rc == MDB_NOTFOUND;
	if (rc == 0 || r->at_end)
		return OK;
	free(r->rows);
	r->rows = NULL;
	r->cnt = 0;
	return store_reader_err(st, rc);
}

static int
read_oldest(struct store *st, MDB_txn *txn, struct id *out)
{
	MDB_cursor *c;
	MDB_val key, val;
	int rc = mdb_cursor_open(txn, st->env.dbi[TABLE_MESSAGE], &c);

	if (rc != 0)
		return rc;
	rc = mdb_cursor_get(c, &key, &val, MDB_FIRST);
	while (rc == 0 && key.mv_size != sizeof(out->b))
		rc = mdb_cursor_get(c, &key, &val, MDB_NEXT);
	if (rc == 0)
		memcpy(out->b, key.mv_data, sizeof(out->b));
	mdb_cursor_close(c);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

int
store_list_totals(struct store *st, MDB_txn *txn, struct store_read_totals *r)
{
	struct store_key k = { .len = 4, .b = "held" };
	union record total;
	MDB_stat s;
	MDB_val val;
	int rc;

	memset(&r->oldest, 0, sizeof(r->oldest));
	r->held = 0;
	store_space_disk(st, &r->disk_free, &r->disk_size);
	if ((rc = mdb_stat(txn, st->env.dbi[TABLE_MESSAGE], &s)) != 0)
		return rc;
	r->messages = s.ms_entries;
	if ((rc = mdb_stat(txn, st->env.dbi[TABLE_DELIVERY], &s)) != 0)
		return rc;
	r->deliveries = s.ms_entries;
	if ((rc = mdb_stat(txn, st->env.dbi[TABLE_QUARANTINE], &s)) != 0)
		return rc;
	r->quarantined = s.ms_entries;
	rc = store_table_get(&st->env, txn, TABLE_TOTAL, &k, &val);
	if (rc == 0 && record_get((struct span){ val.mv_data, val.mv_size },
	    RECORD_total, &total) == OK)
		r->held = total.total.held;
	if (rc != 0 && rc != MDB_NOTFOUND)
		return rc;
	return read_oldest(st, txn, &r->oldest);
}

/* Take a row of table delivery, unless it is held. */
static void
add_old(struct store *st, struct store_read_old *r, MDB_val key, MDB_val val)
{
	struct store_old *o = &r->rows[r->cnt];
	struct store_key k;
	union record rec;

	memcpy(o->place.id.b, key.mv_data, sizeof(o->place.id.b));
	o->place.no = store_table_no(key);
	if (record_get((struct span){ val.mv_data, val.mv_size },
	    RECORD_delivery, &rec) != OK) {
		store_table_key_no(&k, o->place.id, o->place.no);
		store_set_aside(st, TABLE_DELIVERY, &k, ASIDE_DAMAGED);
		return;
	}
	o->place.due_ms = (int64_t)rec.delivery.due_ms;
	if (o->place.due_ms != STORE_HELD_MS && store_flow_name(&o->flow,
	    rec.delivery.relay, rec.delivery.destination,
	    rec.delivery.tenant))
		r->cnt++;
}

/* A few that are too young do not end the walk: a flipped bit makes them so. */
static int
walk_old(struct store *st, struct store_read_old *r, struct store_walk *w)
{
	unsigned young = 0;
	int rc = store_walk_next(w);

	for (unsigned i = 0; rc == 0 && young <= STORE_FOREIGN_MAX &&
	    i < OLD_LOOKS_MAX && r->cnt < STORE_OLD_MAX; i++) {
		bool is_one = w->key.mv_size == sizeof(r->after.b) +
		    sizeof(r->after_no);

		if (is_one && memcmp(w->key.mv_data, r->until.b,
		    sizeof(r->until.b)) > 0) {
			young++;
		} else if (is_one) {
			young = 0;
			add_old(st, r, w->key, w->val);
		}
		rc = store_walk_next(w);
	}
	r->at_end = rc != 0 || young > STORE_FOREIGN_MAX;
	return rc;
}

int
store_list_old(struct store *st, MDB_txn *txn, struct store_read_old *r)
{
	struct store_key after;
	struct store_walk w;
	int rc;

	store_table_key_no(&after, r->after, r->after_no);
	rc = store_walk_open(&st->env, txn, TABLE_DELIVERY, &after, &w);
	if (rc != 0)
		return rc;
	r->cnt = 0;
	rc = walk_old(st, r, &w);
	if (w.behind.len == after.len) {
		memcpy(r->after.b, w.behind.b, sizeof(r->after.b));
		r->after_no = store_table_no((MDB_val){ w.behind.len,
		    w.behind.b });
	}
	store_walk_close(&w);
	return rc == MDB_NOTFOUND ? 0 : rc;
}
