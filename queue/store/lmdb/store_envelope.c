/*
 * store_envelope.c - a delivery put together from its rows, and what is wrong
 * with them.  Counts are believed, rows are counted: a row that cannot be read,
 * or that a flipped bit in a key has put elsewhere, is missed.
 */
#include <stdlib.h>
#include <string.h>

#include "queue/store/engine_rows.h"
#include "queue/store/lmdb/store_inside.h"

/* What is worth more to be told: that a newer postern will read it. */
static void
note_why(struct store_read_envelope *r, enum aside why)
{
	if (r->why != ASIDE_NEWER)
		r->why = why;
}

/* Read a record.  Strings are the map's. */
static enum err
get_record(struct store *st, MDB_txn *txn, struct store_read_envelope *r,
    enum table t, const struct store_key *k, union record *out)
{
	enum aside why;
	enum err e;
	int rc = store_row_look(st, txn, t, k, out, &e, &why);

	if (rc != 0)
		return store_reader_err(st, rc);
	if (e == ERR_PEER) {
		store_set_aside(st, t, k, why);
		note_why(r, why);
	}
	return e;
}

static struct span
keep(char **at, struct span s)
{
	struct span kept = { *at, s.len };

	if (s.len > 0)
		memcpy(*at, s.ptr, s.len);
	*at += s.len;
	return kept;
}

static struct envelope_rcpt
keep_rcpt(char **at, uint32_t no, const struct record_recipient *r)
{
	return (struct envelope_rcpt){
		.no = no, .address = keep(at, r->address),
		.dsn = { .notify = r->notify, .orcpt = keep(at, r->orcpt),
		    .owner = keep(at, r->owner) },
		.reply = keep(at, r->reply), .hop = keep(at, r->hop),
		.code = r->code, .flags = r->flags,
		.tried_ms = (int64_t)r->tried_ms,
	};
}

/* Walk the recipients of a delivery: to count them, then to keep them. */
static int
walk_rcpts(struct store *st, MDB_txn *txn, struct store_read_envelope *r,
    struct envelope *env, char **at, uint32_t *cnt, size_t *bytes)
{
	struct store_rows w;
	int rc = store_rows_open(&st->env, txn, TABLE_RECIPIENT, r->id, 0, &w);

	if (rc != 0)
		return rc;
	*cnt = 0;
	*bytes = 0;
	while ((rc = store_rows_next(&w)) == 0) {
		struct span row = { w.val.mv_data, w.val.mv_size };
		struct store_key k;
		union record rec;

		if (!w.is_row)
			continue;
		store_table_key_no(&k, r->id, w.no);
		if (record_get(row, RECORD_recipient, &rec) != OK) {
			enum aside why = record_is_newer(row,
			    RECORD_recipient) ? ASIDE_NEWER : ASIDE_DAMAGED;

			if (env == NULL)
				store_set_aside(st, TABLE_RECIPIENT, &k, why);
			note_why(r, why);
			continue;
		}
		if (rec.recipient.delivery != r->no)
			continue;
		if (env != NULL)
			env->rcpts[*cnt] = keep_rcpt(at, w.no,
			    &rec.recipient);
		*bytes += rec.recipient.address.len +
		    rec.recipient.orcpt.len + rec.recipient.reply.len +
		    rec.recipient.hop.len + rec.recipient.owner.len;
		(*cnt)++;
	}
	store_rows_close(&w);
	return rc == MDB_NOTFOUND ? 0 : rc;
}

static size_t
strings_len(const struct record_message *m, const struct record_delivery *d)
{
	return m->sender.len + m->client.len + m->helo.len + m->proto.len +
	    m->tenant.len + m->edge.len + m->envid.len + d->relay.len +
	    d->destination.len + d->tenant.len + d->holder.len;
}

static void
keep_strings(struct envelope *env, char **at)
{
	struct record_message *m = &env->message;
	struct record_delivery *d = &env->delivery;

	m->sender = keep(at, m->sender);
	m->client = keep(at, m->client);
	m->helo = keep(at, m->helo);
	m->proto = keep(at, m->proto);
	m->tenant = keep(at, m->tenant);
	m->edge = keep(at, m->edge);
	m->envid = keep(at, m->envid);
	d->relay = keep(at, d->relay);
	d->destination = keep(at, d->destination);
	d->tenant = keep(at, d->tenant);
	d->holder = keep(at, d->holder);
}

static enum err
build_envelope(struct store *st, MDB_txn *txn, struct store_read_envelope *r,
    const struct record_message *m, const struct record_delivery *d)
{
	struct envelope *env;
	uint32_t cnt;
	size_t bytes;
	char *at;
	int rc;

	if ((rc = walk_rcpts(st, txn, r, NULL, NULL, &cnt, &bytes)) != 0)
		return store_reader_err(st, rc);
	if (cnt == 0 && d->rcpt_cnt > 0) {
		store_miss_rcpt(st, r->id);
		return ERR_PEER;
	}
	bytes += sizeof(*env) + cnt * sizeof(env->rcpts[0]) +
	    strings_len(m, d);
	if ((env = malloc(bytes)) == NULL)
		return ERR_SYS;
	env->message = *m;
	env->delivery = *d;
	env->rcpt_cnt = cnt;
	at = (char *)(env->rcpts + cnt);
	keep_strings(env, &at);
	rc = walk_rcpts(st, txn, r, env, &at, &cnt, &bytes);
	if (rc != 0) {
		free(env);
		return store_reader_err(st, rc);
	}
	engine_rows_own(env);
	r->envelope = env;
	return OK;
}

/*
 * There is no such delivery.  Its row of table due may be from before it was
 * over; but when the message says that it has more deliveries than there are,
 * or cannot say, and recipients are left, one has got lost.
 */
static enum err
miss_delivery(struct store *st, MDB_txn *txn, struct store_read_envelope *r,
    const struct store_key *k)
{
	uint32_t deliveries, rcpts;
	union record m;
	struct store_key of;
	enum err e;
	int rc;

	store_table_key_id(&of, r->id);
	e = get_record(st, txn, r, TABLE_MESSAGE, &of, &m);
	if (e == ERR_SYS)
		return e;
	if ((rc = store_rows_count(&st->env, txn, TABLE_DELIVERY, r->id,
	    &deliveries)) != 0 ||
	    (rc = store_rows_count(&st->env, txn, TABLE_RECIPIENT, r->id,
	    &rcpts)) != 0)
		return store_reader_err(st, rc);
	if (e == OK ? deliveries >= m.message.delivery_cnt :
	    deliveries > 0 || rcpts == 0)
		return ERR_NONE;
	note_why(r, ASIDE_MISSING);
	store_set_aside(st, TABLE_DELIVERY, k, ASIDE_MISSING);
	return ERR_PEER;
}

enum err
store_envelope_read(struct store *st, MDB_txn *txn,
    struct store_read_envelope *r)
{
	union record m, d;
	struct store_key k, of;
	enum err e;

	r->envelope = NULL;
	r->why = ASIDE_MISSING;
	store_table_key_no(&k, r->id, r->no);
	store_table_key_id(&of, r->id);
	e = get_record(st, txn, r, TABLE_DELIVERY, &k, &d);
	if (e == ERR_NONE)
		return miss_delivery(st, txn, r, &k);
	if (e != OK)
		return e;
	if ((e = get_record(st, txn, r, TABLE_MESSAGE, &of, &m)) == OK)
		return build_envelope(st, txn, r, &m.message, &d.delivery);
	if (e == ERR_NONE) {
		store_set_aside(st, TABLE_MESSAGE, &of, ASIDE_MISSING);
		e = ERR_PEER;
	}
	return e;
}
