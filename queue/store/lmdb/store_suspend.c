/*
 * store_suspend.c - rows of table suspension: written one by one, and read at
 * the start, before anything can be handed out.
 *
 * A row that cannot be read stands for a suspension all the same, for its key
 * says of what: mail that waits too long is found, mail that went out is not
 * got back.
 */
#include <errno.h>
#include <string.h>

#include "mail/domain.h"
#include "queue/store/engine_rows.h"
#include "queue/store/lmdb/store_inside.h"

static struct span
span_of_val(MDB_val v)
{
	return (struct span){ v.mv_data, v.mv_size };
}

/* Does the key say what the record says? */
static bool
is_in_place(MDB_val key, const struct record_suspension *r)
{
	struct store_key k;

	store_table_key_suspension(&k, r->relay, r->domain);
	return span_eq(span_of_val(key), (struct span){ (char *)k.b, k.len });
}

/* Once a domain stood in a row as it had been said. */
static bool
is_same(const struct record_suspension *a, const struct record_suspension *b)
{
	return span_eq(a->relay, b->relay) &&
	    (span_eq(a->domain, b->domain) ||
	    domain_same(a->domain, b->domain));
}

/* The same under another key, of which a bit was flipped, would come back. */
static int
del_astray(struct store *st, MDB_txn *txn, const struct record_suspension *s)
{
	MDB_cursor *c;
	MDB_val key, val;
	union record r;
	int rc = mdb_cursor_open(txn, st->env.dbi[TABLE_SUSPENSION], &c);

	if (rc != 0)
		return rc;
	while ((rc = mdb_cursor_get(c, &key, &val, MDB_NEXT)) == 0) {
		if (record_get(span_of_val(val), RECORD_suspension, &r) != OK ||
		    !is_same(&r.suspension, s) ||
		    is_in_place(key, s))
			continue;
		if ((rc = mdb_cursor_del(c, 0)) != 0)
			break;
	}
	mdb_cursor_close(c);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static int
put_event(struct store *st, MDB_txn *txn, const struct store_suspend *s)
{
	static const struct id none = { .b = { 0 } };
	struct record_history h;
	enum event event;
	uint32_t no;

	if (!s->is_told)
		return 0;
	h = engine_rows_suspended(s, &event, &no);
	return store_story_put(st, txn, none, event, no, &h);
}

int
store_apply_suspend(struct store *st, MDB_txn *txn, struct store_suspend *s)
{
	struct store_key k;
	int rc = del_astray(st, txn, &s->rec);

	if (rc != 0 || (rc = put_event(st, txn, s)) != 0)
		return rc;
	store_table_key_suspension(&k, s->rec.relay, s->rec.domain);
	if (s->is_forgotten)
		return store_table_del(&st->env, txn, TABLE_SUSPENSION, &k);
	return store_table_put_record(&st->env, txn, TABLE_SUSPENSION, &k,
	    RECORD_suspension, &s->rec);
}

/* What the key alone says; false: it is none. */
static bool
from_key(struct store *st, struct span key, bool is_newer,
    struct record_suspension *r)
{
	size_t first = span_find(key, '\0');
	struct span rest = span_tail(key, first + 1);

	*r = (struct record_suspension){
		.active = 1,
		.since_lived_ms = (uint64_t)st->lived_before_ms,
		.relay = span_head(key, first),
		.reason = is_newer ?
		    SPAN("(its row was written by a newer postern)") :
		    SPAN("(its row is damaged)"),
	};
	if (rest.len == 0 || span_find(rest, '\0') != rest.len - 1)
		return false;
	r->domain = span_head(rest, rest.len - 1);
	return r->relay.len + r->domain.len > 0;
}

/* Is there one of these names that was read before? */
static bool
is_known(const struct store *st, const struct record_suspension *r)
{
	char relay[BLOCK_NAME_MAX + 1], domain[DOMAIN_MAX + 1];

	return span_cstr(r->relay, relay, sizeof(relay)) &&
	    span_cstr(r->domain, domain, sizeof(domain)) &&
	    suspension_find(st->suspensions, relay, domain) != NULL;
}

static int
take(struct store *st, MDB_val key, MDB_val val)
{
	struct span bytes = span_of_val(val);
	struct record_suspension said;
	union record r;
	enum err e;

	if (record_get(bytes, RECORD_suspension, &r) == OK)
		said = r.suspension;
	else if (!from_key(st, span_of_val(key), record_is_newer(bytes,
	    RECORD_suspension), &said))
		return 0;
	if (!is_in_place(key, &said) && is_known(st, &said))
		return 0;
	e = suspension_from_record(st->suspensions, &said);
	return e == ERR_SYS ? ENOMEM : 0;
}

int
store_suspend_learn(struct store *st, MDB_txn *txn)
{
	MDB_cursor *c;
	MDB_val key, val;
	int rc;

	if (suspension_new(&st->suspensions) != OK)
		return ENOMEM;
	rc = mdb_cursor_open(txn, st->env.dbi[TABLE_SUSPENSION], &c);
	if (rc != 0)
		return rc;
	while ((rc = mdb_cursor_get(c, &key, &val, MDB_NEXT)) == 0 &&
	    (rc = take(st, key, val)) == 0)
		;
	mdb_cursor_close(c);
	return rc == MDB_NOTFOUND ? 0 : rc;
}
