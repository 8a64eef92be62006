/*
 * store_table.c - plain B-trees in LMDB's default, synchronous mode.  Values
 * never exceed a page and nothing is DUPSORT: see ARCHITECTURE.md for what was
 * measured.
 */
#include <sys/file.h>
#include <sys/stat.h>

#include <endian.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "queue/store/lmdb/store_format.h"

#define MAP_BYTES	((size_t)1 << 40)	/* of addresses, not memory */
#define READERS_MAX	8
#define FREE_LIST	0			/* LMDB's own two tables */
#define ROOTS		1

/* A row of due begins with a name. */
_Static_assert(STORE_FLOW_MAX + PLACE_LEN <= STORE_KEY_MAX,
    "its key is too long");

static const char *const names[TABLE__COUNT] = {
	[TABLE_MESSAGE] = "message", [TABLE_HEADER] = "header",
	[TABLE_BODY] = "body", [TABLE_RECIPIENT] = "recipient",
	[TABLE_DELIVERY] = "delivery", [TABLE_DUE] = "due",
	[TABLE_LOOSE] = "loose", [TABLE_HISTORY] = "history",
	[TABLE_QUARANTINE] = "quarantine", [TABLE_TOTAL] = "totals",
	[TABLE_REPORT] = "report", [TABLE_DISCARD] = "discard",
	[TABLE_CRC] = "crc", [TABLE_SUSPENSION] = "suspension",
	[TABLE_STORY] = "story", [TABLE_LOOKUP] = "lookup",
};

const char *
store_table_name(enum table t)
{
	return names[t];
}

static int
open_tables(struct store_env *e)
{
	MDB_txn *txn;
	int rc = mdb_txn_begin(e->env, NULL, 0, &txn);

	if (rc != 0)
		return rc;
	rc = store_format_look(txn);
	for (int t = 0; rc == 0 && t < TABLE__COUNT; t++)
		rc = mdb_dbi_open(txn, names[t], MDB_CREATE, &e->dbi[t]);
	if (rc == 0)
		rc = store_format_write(e, txn);
	if (rc != 0) {
		mdb_txn_abort(txn);
		return rc;
	}
	return mdb_txn_commit(txn);
}

/*
 * LMDB would let two processes write by turns, and both would deliver all.
 * The lock goes with the process, however it ends.
 */
static int
take_alone(const struct store_env *e)
{
	if (flock(e->fd, LOCK_EX | LOCK_NB) == 0)
		return 0;
	return errno == EWOULDBLOCK ? EBUSY : errno;
}

/*
 * LMDB takes a file without a byte for one that is to be made: a store that was
 * cut to nothing would begin anew, and nobody would hear what was in it.
 */
static int
look_for_loss(const char *dir)
{
	char path[PATH_MAX];
	struct stat sb;
	int len = snprintf(path, sizeof(path), "%s/data.mdb", dir);

	if (len < 0 || (size_t)len >= sizeof(path))
		return ENAMETOOLONG;
	return stat(path, &sb) == 0 && sb.st_size == 0 ? MDB_INVALID : 0;
}

int
store_table_open(struct store_env *e, const char *dir)
{
	int dead, rc;

	if ((rc = look_for_loss(dir)) != 0)
		return rc;
	if ((rc = mdb_env_create(&e->env)) != 0)
		return rc;
	if ((rc = mdb_env_set_mapsize(e->env, MAP_BYTES)) == 0 &&
	    (rc = mdb_env_set_maxdbs(e->env, TABLE__COUNT + 1)) == 0 &&
	    (rc = mdb_env_set_maxreaders(e->env, READERS_MAX)) == 0 &&
	    (rc = mdb_env_open(e->env, dir, MDB_NOTLS, 0600)) == 0 &&
	    (rc = mdb_env_get_fd(e->env, &e->fd)) == 0 &&
	    (rc = take_alone(e)) == 0 &&
	    (rc = mdb_reader_check(e->env, &dead)) == 0)
		rc = open_tables(e);
	if (rc != 0)
		store_table_close(e);
	return rc;
}

void
store_table_close(struct store_env *e)
{
	if (e->env != NULL)
		mdb_env_close(e->env);
	e->env = NULL;
}

static void
append(struct store_key *k, const void *p, size_t len)
{
	memcpy(k->b + k->len, p, len);
	k->len += len;
}

static void
append_u32(struct store_key *k, uint32_t v)
{
	v = htobe32(v);
	append(k, &v, sizeof(v));
}

/* Times before 1970 do not happen; unsigned order is the right one. */
static void
append_time(struct store_key *k, int64_t ms)
{
	uint64_t v = htobe64((uint64_t)(ms < 0 ? 0 : ms));

	append(k, &v, sizeof(v));
}

void
store_table_key_id(struct store_key *k, struct id id)
{
	k->len = 0;
	append(k, id.b, sizeof(id.b));
}

void
store_table_key_no(struct store_key *k, struct id id, uint32_t no)
{
	store_table_key_id(k, id);
	append_u32(k, no);
}

void
store_table_key_due(struct store_key *k, struct span flow,
    const struct store_place *place)
{
	k->len = 0;
	append(k, flow.ptr, flow.len);
	append_time(k, place->due_ms);
	append(k, place->id.b, sizeof(place->id.b));
	append_u32(k, place->no);
}

void
store_table_key_crc(struct store_key *k, struct id id, enum part part,
    uint32_t piece_no)
{
	uint8_t b = (uint8_t)part;

	store_table_key_id(k, id);
	append(k, &b, 1);
	append_u32(k, piece_no);
}

/* Names of at most BLOCK_NAME_MAX and DOMAIN_MAX bytes: they fit. */
void
store_table_key_suspension(struct store_key *k, struct span relay,
    struct span domain)
{
	k->len = 0;
	if (relay.len > 0)
		append(k, relay.ptr, relay.len);
	append(k, "", 1);
	if (domain.len > 0)
		append(k, domain.ptr, domain.len);
	append(k, "", 1);
}

void
store_table_key_discard(struct store_key *k, int64_t at_ms, struct id id,
    uint32_t no)
{
	k->len = 0;
	append_time(k, at_ms);
	append(k, id.b, sizeof(id.b));
	append(k, "", 1);
	append_u32(k, no);
}

uint32_t
store_table_no(MDB_val key)
{
	uint32_t v;

	memcpy(&v, (uint8_t *)key.mv_data + key.mv_size - sizeof(v),
	    sizeof(v));
	return be32toh(v);
}

void
store_table_place(MDB_val key, struct store_place *out)
{
	const uint8_t *p = (uint8_t *)key.mv_data + key.mv_size - PLACE_LEN;
	uint64_t due;

	memcpy(&due, p, sizeof(due));
	out->due_ms = (int64_t)be64toh(due);
	memcpy(out->id.b, p + sizeof(due), sizeof(out->id.b));
	out->no = store_table_no(key);
}

bool
store_table_same_id(MDB_val key, struct id id)
{
	return key.mv_size >= sizeof(id.b) &&
	    memcmp(key.mv_data, id.b, sizeof(id.b)) == 0;
}

int
store_table_cmp(MDB_val key, const void *bytes, size_t len)
{
	int c = memcmp(key.mv_data, bytes,
	    key.mv_size < len ? key.mv_size : len);

	return c != 0 ? c : (key.mv_size > len) - (key.mv_size < len);
}

static bool
is_before(MDB_val key, const struct store_key *k)
{
	return store_table_cmp(key, k->b, k->len) < 0;
}

/* Before the first of those that are not before k, one of which may lie. */
static int
step_back(MDB_cursor *c, const struct store_key *k, MDB_val *key, MDB_val *val)
{
	int rc;

	*key = (MDB_val){ k->len, (void *)k->b };
	rc = mdb_cursor_get(c, key, val, MDB_SET_RANGE);
	if (rc == MDB_NOTFOUND)
		rc = mdb_cursor_get(c, key, val, MDB_LAST);
	else if (rc == 0)
		rc = mdb_cursor_get(c, key, val, MDB_PREV);
	for (int before = 0; rc == 0; ) {
		before = is_before(*key, k) ? before + 1 : 0;
		if (before == 2)
			return 0;
		rc = mdb_cursor_get(c, key, val, MDB_PREV);
	}
	return rc == MDB_NOTFOUND ? mdb_cursor_get(c, key, val, MDB_FIRST) : rc;
}

/*
 * The cursor is at a key a that is not before k.  Is that its place?  Not where
 * the next is before k, unless it is that one which lies: then the one behind
 * it is higher than a.  The cursor is at a again, or at the next.
 */
static int
is_in_place(MDB_cursor *c, const struct store_key *k, MDB_val *key,
    MDB_val *val, bool *is)
{
	struct store_key a = { .len = key->mv_size };
	int rc;

	memcpy(a.b, key->mv_data, a.len);
	*is = true;
	rc = mdb_cursor_get(c, key, val, MDB_NEXT);
	if (rc == MDB_NOTFOUND)
		return mdb_cursor_get(c, key, val, MDB_GET_CURRENT);
	if (rc != 0 || !is_before(*key, k))
		return rc != 0 ? rc : mdb_cursor_get(c, key, val, MDB_PREV);
	rc = mdb_cursor_get(c, key, val, MDB_NEXT);
	*is = rc != 0 || store_table_cmp(*key, a.b, a.len) > 0;
	if (rc == 0)
		rc = mdb_cursor_get(c, key, val, MDB_PREV);
	else if (rc == MDB_NOTFOUND)
		rc = mdb_cursor_get(c, key, val, MDB_GET_CURRENT);
	return rc == 0 && *is ? mdb_cursor_get(c, key, val, MDB_PREV) : rc;
}

int
store_table_seek(MDB_cursor *c, const struct store_key *k, MDB_val *key,
    MDB_val *val)
{
	int rc = step_back(c, k, key, val);
	bool is = false;

	while (rc == 0 && key->mv_size <= STORE_KEY_MAX) {
		if (is_before(*key, k))
			rc = mdb_cursor_get(c, key, val, MDB_NEXT);
		else if ((rc = is_in_place(c, k, key, val, &is)) != 0 || is)
			return rc;
	}
	return rc != 0 ? rc : MDB_CORRUPTED;
}

int
store_table_get(const struct store_env *e, MDB_txn *txn, enum table t,
    const struct store_key *k, MDB_val *out)
{
	MDB_val key = { k->len, (void *)k->b };

	return mdb_get(txn, e->dbi[t], &key, out);
}

int
store_table_put(const struct store_env *e, MDB_txn *txn, enum table t,
    const struct store_key *k, const void *p, size_t len)
{
	MDB_val key = { k->len, (void *)k->b };
	MDB_val val = { len, (void *)p };

	return mdb_put(txn, e->dbi[t], &key, &val, 0);
}

int
store_table_put_record(const struct store_env *e, MDB_txn *txn, enum table t,
    const struct store_key *k, enum record_kind kind, const void *rec)
{
	uint8_t buf[RECORD_MAX];
	size_t len = record_put(buf, kind, rec);

	if (len == 0)
		return EINVAL;
	return store_table_put(e, txn, t, k, buf, len);
}

int
store_table_del(const struct store_env *e, MDB_txn *txn, enum table t,
    const struct store_key *k)
{
	MDB_val key = { k->len, (void *)k->b };
	int rc = mdb_del(txn, e->dbi[t], &key, NULL);

	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
add_pages(MDB_txn *txn, MDB_dbi dbi, size_t *sum)
{
	MDB_stat s;
	int rc = mdb_stat(txn, dbi, &s);

	if (rc == 0)
		*sum += s.ms_branch_pages + s.ms_leaf_pages +
		    s.ms_overflow_pages;
	return rc;
}

int
store_table_pages(const struct store_env *e, MDB_txn *txn, size_t *out)
{
	size_t sum = 2;			/* the two meta pages */
	int rc = add_pages(txn, FREE_LIST, &sum);

	if (rc == 0)
		rc = add_pages(txn, ROOTS, &sum);
	for (int t = 0; rc == 0 && t < TABLE__COUNT; t++)
		rc = add_pages(txn, e->dbi[t], &sum);
	if (rc == 0)
		*out = sum;
	return rc;
}

enum err
store_table_err(int rc)
{
	switch (rc) {
	case 0:
		return OK;
	case MDB_NOTFOUND:
		return ERR_NONE;
	case ENOTSUP:
		return ERR_PEER;
	case MDB_MAP_FULL:
	case MDB_TXN_FULL:
	case ENOSPC:
	case EDQUOT:
		return ERR_FULL;
	default:
		return ERR_SYS;
	}
}

/* Of LMDB's own codes but these are of want of room, which it has as well. */
int
store_table_errno(int rc)
{
	switch (rc) {
	case MDB_MAP_FULL:
	case MDB_TXN_FULL:
	case MDB_CURSOR_FULL:
		return ENOSPC;
	case MDB_PANIC:		/* after an error of the disk */
		return EIO;
	case MDB_READERS_FULL:
	case MDB_TLS_FULL:
	case MDB_DBS_FULL:
		return EBUSY;
	default:
		return rc < 0 ? EUCLEAN : rc;
	}
}
