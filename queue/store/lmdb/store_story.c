/*
 * store_story.c - the tables of story.h in LMDB.  A search that a flipped bit
 * misleads finds less: nobody decides by it.
 */
#include <errno.h>
#include <string.h>

#include "queue/store/lmdb/store_inside.h"
#include "sys/clock.h"

#define PAGE_LEN	4096

struct story_txn {
	struct store	*store;
	MDB_txn		*txn;
};

static const enum table tables[STORY__COUNT] = {
	[STORY_HISTORY] = TABLE_HISTORY, [STORY_STORY] = TABLE_STORY,
	[STORY_LOOKUP] = TABLE_LOOKUP,
};

static MDB_dbi
dbi_of(const struct story_txn *s, enum story_table t)
{
	return s->store->env.dbi[tables[t]];
}

static void
take_key(struct story_key *to, MDB_val key)
{
	to->len = key.mv_size < sizeof(to->b) ? key.mv_size : sizeof(to->b);
	memcpy(to->b, key.mv_data, to->len);
}

static int
near(void *arg, enum story_table t, const struct story_key *k, bool is_before,
    struct story_key *out, bool *found)
{
	const struct story_txn *s = arg;
	MDB_val key = { k->len, (void *)(uintptr_t)k->b }, val;
	MDB_cursor *c;
	int rc = mdb_cursor_open(s->txn, dbi_of(s, t), &c);

	if (rc != 0)
		return rc;
	rc = mdb_cursor_get(c, &key, &val, k->len == 0 ? MDB_FIRST :
	    MDB_SET_RANGE);
	if (is_before)
		rc = mdb_cursor_get(c, &key, &val, rc == MDB_NOTFOUND ?
		    MDB_LAST : MDB_PREV);
	*found = rc == 0;
	if (rc == 0)
		take_key(out, key);
	mdb_cursor_close(c);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
walk(void *arg, enum story_table t, const struct story_key *k, bool is_back,
    story_row_fn *fn, void *fn_arg)
{
	const struct story_txn *s = arg;
	MDB_val key = { k->len, (void *)(uintptr_t)k->b }, val;
	struct story_key at;
	MDB_cursor *c;
	int rc = mdb_cursor_open(s->txn, dbi_of(s, t), &c);

	if (rc != 0)
		return rc;
	rc = mdb_cursor_get(c, &key, &val, MDB_SET_RANGE);
	if (is_back)
		rc = mdb_cursor_get(c, &key, &val, rc == MDB_NOTFOUND ?
		    MDB_LAST : MDB_PREV);
	while (rc == 0) {
		take_key(&at, key);
		if (!fn(fn_arg, &at, (struct span){ val.mv_data,
		    val.mv_size }))
			break;
		rc = mdb_cursor_get(c, &key, &val, is_back ? MDB_PREV :
		    MDB_NEXT);
	}
	mdb_cursor_close(c);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
get(void *arg, enum story_table t, const struct story_key *k,
    struct span *out, bool *found)
{
	const struct story_txn *s = arg;
	MDB_val key = { k->len, (void *)(uintptr_t)k->b }, val;
	int rc = mdb_get(s->txn, dbi_of(s, t), &key, &val);

	*found = rc == 0;
	if (rc == 0)
		*out = (struct span){ val.mv_data, val.mv_size };
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/*
 * What comes in order is put behind the last: LMDB fills the page then, and
 * begins another, where it would leave half of each empty.
 */
static int
put(void *arg, enum story_table t, const struct story_key *k,
    struct span value)
{
	const struct story_txn *s = arg;
	MDB_val key = { k->len, (void *)(uintptr_t)k->b };
	MDB_val val = { value.len, (void *)(uintptr_t)value.ptr };
	int rc;

	rc = mdb_put(s->txn, dbi_of(s, t), &key, &val, MDB_APPEND);
	return rc != MDB_KEYEXIST ? rc :
	    mdb_put(s->txn, dbi_of(s, t), &key, &val, 0);
}

static int
del(void *arg, enum story_table t, const struct story_key *k)
{
	const struct story_txn *s = arg;
	MDB_val key = { k->len, (void *)(uintptr_t)k->b };
	int rc = mdb_del(s->txn, dbi_of(s, t), &key, NULL);

	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
bytes(void *arg, uint64_t *out)
{
	const struct story_txn *s = arg;
	MDB_stat stat;
	int rc = 0;

	*out = 0;
	for (enum story_table t = 0; rc == 0 && t < STORY__COUNT; t++)
		if ((rc = mdb_stat(s->txn, dbi_of(s, t), &stat)) == 0)
			*out += (uint64_t)(stat.ms_leaf_pages +
			    stat.ms_overflow_pages) * PAGE_LEN;
	return rc;
}

/* In table total, whose rows each have a number. */
static const struct store_key gathered_key = { .len = 8, .b = "gathered" };

static int
gathered(void *arg, int64_t *out_ms)
{
	const struct story_txn *s = arg;
	union record r;
	MDB_val val;
	int rc = store_table_get(&s->store->env, s->txn, TABLE_TOTAL,
	    &gathered_key, &val);

	*out_ms = STORY_NONE_YET;
	if (rc == 0)
		*out_ms = record_get((struct span){ val.mv_data, val.mv_size },
		    RECORD_total, &r) == OK &&
		    r.total.lived_ms <= INT64_MAX ?
		    (int64_t)r.total.lived_ms : 0;
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
set_gathered(void *arg, int64_t ms)
{
	const struct story_txn *s = arg;
	struct record_total r = { .lived_ms = (uint64_t)ms };

	return store_table_put_record(&s->store->env, s->txn, TABLE_TOTAL,
	    &gathered_key, RECORD_total, &r);
}

static const struct story_engine engine = {
	.near = near, .walk = walk, .get = get, .put = put, .del = del,
	.bytes = bytes, .gathered = gathered, .set_gathered = set_gathered,
	.too_long = EINVAL,
};

#define STORY(st, txn)	\
	(struct story){ &engine, &(struct story_txn){ st, txn }, \
	    &(st)->state.story }

int
store_story_put(struct store *st, MDB_txn *txn, struct id id,
    enum event event, uint32_t no, const struct record_history *r)
{
	return story_put(&STORY(st, txn), clock_wall_ms(), id, event, no, r);
}

int
store_story_accept(struct store *st, MDB_txn *txn,
    const struct store_accept *a)
{
	return story_accept(&STORY(st, txn), clock_wall_ms(), a);
}

int
store_story_change(struct store *st, MDB_txn *txn,
    const struct store_settle *s, const struct store_change *c,
    struct span relay)
{
	return story_change(&STORY(st, txn), clock_wall_ms(), s, c, relay);
}

int
store_story_sweep(struct store *st, MDB_txn *txn, int64_t before_ms,
    uint64_t max_bytes)
{
	int rc = story_gather(&STORY(st, txn));

	return rc != 0 ? rc : story_sweep(&STORY(st, txn), before_ms,
	    max_bytes);
}

int
store_story_find(struct store *st, MDB_txn *txn, struct store_read_found *r)
{
	struct story_txn t = { st, txn };

	return story_find(&(struct story){ &engine, &t, NULL }, r);
}

int
store_story_read(struct store *st, MDB_txn *txn, struct store_read_story *r,
    enum err *e)
{
	struct story_txn t = { st, txn };

	return story_read(&(struct story){ &engine, &t, NULL }, r, e);
}
