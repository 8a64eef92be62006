/*
 * store_apply.c - each call of store.h as rows, within a transaction that the
 * writer began and will commit.
 *
 * Two kinds of failure: a code of LMDB returned ends the whole transaction; a
 * call that asks for something impossible gets its own op->err, and the others
 * go on.  A pointer that LMDB gave is good until the next change, so what is
 * read is copied or encoded anew before anything is written.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "queue/store/engine_rows.h"
#include "queue/store/lmdb/store_inside.h"

static int
apply_piece(struct store *st, MDB_txn *txn, struct store_piece *p)
{
	int rc;

	if (p->mail->failed != OK) {
		p->op.err = p->mail->failed;
		return 0;
	}
	if (!p->mail->begun) {
		if ((rc = store_row_put_loose(st, txn, p->mail->id,
		    false)) != 0)
			return rc;
		p->mail->begun = true;
	}
	return store_row_put_text(st, txn, p->mail, p->part, p->piece_no,
	    p->text);
}

/* Only what did reach the disk is worth sweeping. */
static int
apply_drop(struct store *st, MDB_txn *txn, struct store_drop *d)
{
	struct store_key k;
	MDB_val val;
	int rc;

	store_table_key_id(&k, d->mail->id);
	rc = store_table_get(&st->env, txn, TABLE_LOOSE, &k, &val);
	if (rc == MDB_NOTFOUND)
		return 0;
	return rc != 0 ? rc : store_sweep_later(st, txn, d->mail->id);
}

/* Its envelope cannot be read, and counts for nothing: the rows tell. */
static int
end_unread(struct store *st, MDB_txn *txn, struct store_settle *s)
{
	int rc = store_row_end_damaged(st, txn, s->id, &s->removed);

	return rc != 0 || s->removed ? rc :
	    store_report_has(st, txn, s->id, &s->is_silent);
}

/*
 * A delivery of this message is over: the last one takes it along, unless the
 * count of them is contradicted by a row that is left.
 */
static int
release_message(struct store *st, MDB_txn *txn, struct store_settle *s)
{
	uint8_t buf[RECORD_MAX];
	union record r;
	struct store_key k;
	enum err e;
	bool deliveries, rcpts, is_last;
	size_t len;
	int rc;

	store_table_key_id(&k, s->id);
	rc = store_row_get(st, txn, TABLE_MESSAGE, &k, &r, &e);
	if (rc != 0)
		return rc;
	if (e != OK)
		return end_unread(st, txn, s);
	if ((rc = store_rows_have(&st->env, txn, TABLE_DELIVERY, s->id,
	    &deliveries)) != 0 || (rc = store_rows_have(&st->env, txn,
	    TABLE_RECIPIENT, s->id, &rcpts)) != 0)
		return rc;
	is_last = r.message.delivery_cnt <= 1 && !deliveries && !rcpts;
	if (is_last && (rc = store_report_has(st, txn, s->id,
	    &s->is_silent)) != 0)
		return rc;
	if (is_last && !s->is_silent) {
		s->removed = true;
		return store_row_del_message(st, txn, s->id,
		    r.message.header_len, r.message.body_len);
	}
	if (r.message.delivery_cnt > (deliveries || rcpts))
		r.message.delivery_cnt--;
	if ((len = record_put(buf, RECORD_message, &r.message)) == 0)
		return EINVAL;
	return store_find_put(&st->env, txn, TABLE_MESSAGE, &k, buf, len);
}

/* What the edge said of a recipient stays, the last reply is another. */
static int
put_reply(struct store *st, MDB_txn *txn, uint32_t delivery,
    const struct store_key *k, const struct store_change *c)
{
	union record r;
	enum err e;
	int rc = store_row_get(st, txn, TABLE_RECIPIENT, k, &r, &e);

	if (rc != 0)
		return rc;
	if (e != OK)
		r.recipient = (struct record_recipient){
			.delivery = delivery, .address = c->address,
		};
	r.recipient.code = c->code;
	r.recipient.reply = c->reply;
	r.recipient.hop = c->hop;
	r.recipient.tried_ms = (uint64_t)c->tried_ms;
	r.recipient.flags = (r.recipient.flags & RCPT_WARNED) |
	    (c->is_warned ? RCPT_WARNED : 0) |
	    (c->is_theirs ? RCPT_THEIRS : 0);
	return store_find_put_record(&st->env, txn, TABLE_RECIPIENT, k,
	    RECORD_recipient, &r.recipient);
}

static int
apply_change(struct store *st, MDB_txn *txn, const struct store_settle *s,
    const struct store_change *c)
{
	struct span relay = s->was != NULL ? s->was->relay : SPAN("");
	struct store_key k;
	int rc;

	store_table_key_no(&k, s->id, c->rcpt_no);
	if (c->class == CLASS_LATER)
		rc = put_reply(st, txn, s->no, &k, c);
	else
		rc = store_find_del(&st->env, txn, TABLE_RECIPIENT, &k);
	if (rc != 0 || (rc = store_report_put(st, txn, s->id, s->now_ms,
	    c)) != 0)
		return rc;
	return store_story_change(st, txn, s, c, relay);
}

/*
 * Strike those that are over.  Is nobody left?  Then a count above none is of
 * recipients whose rows cannot be read: it is not over for them.
 */
static void
count_down(struct store_settle *s, struct record_delivery *d)
{
	for (uint32_t i = 0; i < s->change_cnt; i++)
		if (s->changes[i].class != CLASS_LATER && d->rcpt_cnt > 0)
			d->rcpt_cnt--;
	s->kept = s->is_over && d->rcpt_cnt > 0;
	d->due_ms = (uint64_t)(s->kept ? STORE_HELD_MS : s->due_ms);
	d->held = 0;
	d->holder = SPAN("");
	if (s->kept)
		d->held = HELD_DAMAGE;
	else if (s->due_ms == STORE_HELD_MS)
		d->held = (uint8_t)s->held;
}

/* The row of table delivery, and its row of table due, as they shall be now. */
static int
move_delivery(struct store *st, MDB_txn *txn, struct store_settle *s,
    const struct store_key *k, struct record_delivery *d)
{
	struct store_place place = { (int64_t)d->due_ms, s->id, s->no };
	struct store_flow flow;
	struct store_key due;
	uint8_t buf[RECORD_MAX];
	bool over;
	size_t len;
	int rc;

	if (!store_flow_name(&flow, d->relay, d->destination, d->tenant))
		return EINVAL;
	store_table_key_due(&due, (struct span){ flow.name, flow.len },
	    &place);
	count_down(s, d);
	over = s->is_over && !s->kept;
	d->attempts = s->attempts;
	d->deaths = s->deaths;
	if ((len = record_put(buf, RECORD_delivery, d)) == 0)
		return EINVAL;
	if ((rc = store_row_add_held(st, txn,
	    (!over && d->due_ms == STORE_HELD_MS) -
	    (place.due_ms == STORE_HELD_MS))) != 0 ||
	    (rc = store_find_del(&st->env, txn, TABLE_DUE, &due)) != 0)
		return rc;
	if (over)
		return store_find_del(&st->env, txn, TABLE_DELIVERY, k);
	if ((rc = store_find_put(&st->env, txn, TABLE_DELIVERY, k, buf,
	    len)) != 0)
		return rc;
	place.due_ms = (int64_t)d->due_ms;
	return store_row_put_due(st, txn, &flow, &place);
}

/* Is one of those that it tells of still here?  Else it was told before. */
static int
has_rcpt(struct store *st, MDB_txn *txn, const struct store_settle *s,
    bool *has)
{
	int rc = MDB_NOTFOUND;

	for (uint32_t i = 0; rc == MDB_NOTFOUND && i < s->change_cnt; i++) {
		struct store_key k;
		MDB_val val;

		store_table_key_no(&k, s->id, s->changes[i].rcpt_no);
		rc = store_find_row(&st->env, txn, TABLE_RECIPIENT, &k, &val);
	}
	*has = rc == 0;
	return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Did somebody try it that we know nothing of? */
static bool
is_stale(const struct store_settle *s, const struct record_delivery *d)
{
	return s->was != NULL && !s->was_lost && !s->is_over &&
	    (d->attempts != s->was->attempts || d->deaths != s->was->deaths);
}

/*
 * Its row was good when the delivery was loaded, and nobody else writes to it:
 * what was sent is kept, in a row made anew.  Where there is none and no
 * message either, it was removed; where none of its recipients is there, it is
 * over.
 */
static int
use_was(struct store *st, MDB_txn *txn, struct store_settle *s,
    struct record_delivery *d)
{
	struct store_key k;
	MDB_val val;
	bool has;
	int rc = 0;

	if (s->op.err == OK || s->was == NULL)
		return 0;
	store_table_key_id(&k, s->id);
	if (s->op.err == ERR_NONE && (rc = store_find_row(&st->env, txn,
	    TABLE_MESSAGE, &k, &val)) != 0)
		return rc == MDB_NOTFOUND ? 0 : rc;
	if (s->op.err == ERR_NONE && ((rc = has_rcpt(st, txn, s, &has)) != 0 ||
	    !has))
		return rc;
	*d = *s->was;
	s->was_lost = true;
	s->op.err = OK;
	return 0;
}

static int
apply_settle(struct store *st, MDB_txn *txn, struct store_settle *s)
{
	union record r;
	struct store_key k;
	int rc;

	s->removed = false;
	s->is_silent = false;
	s->kept = false;
	s->was_lost = false;
	store_table_key_no(&k, s->id, s->no);
	rc = store_row_get(st, txn, TABLE_DELIVERY, &k, &r, &s->op.err);
	if (rc != 0 || (rc = use_was(st, txn, s, &r.delivery)) != 0 ||
	    s->op.err != OK)
		return rc;
	if (is_stale(s, &r.delivery)) {
		s->op.err = ERR_STALE;
		return 0;
	}
	if ((rc = move_delivery(st, txn, s, &k, &r.delivery)) != 0)
		return rc;
	for (uint32_t i = 0; rc == 0 && i < s->change_cnt; i++)
		rc = apply_change(st, txn, s, &s->changes[i]);
	if (s->kept)
		store_miss_rcpt(st, s->id);
	if (rc == 0 && s->is_over && !s->kept)
		rc = release_message(st, txn, s);
	if (rc == 0)
		rc = store_discard_put(st, txn, s->id, s->now_ms,
		    s->discards, s->discard_cnt);
	return rc;
}

static int
apply_undue(struct store *st, MDB_txn *txn, struct store_undue *u)
{
	struct store_key k;
	union record r;
	enum err e;
	int rc;

	if (u->is_stale) {
		store_table_key_no(&k, u->place.id, u->place.no);
		rc = store_row_get(st, txn, TABLE_DELIVERY, &k,
		    &r, &e);
		if (rc != 0)
			return rc;
		if (e == OK && (int64_t)r.delivery.due_ms == u->place.due_ms)
			return 0;
	}
	store_table_key_due(&k, u->flow, &u->place);
	return store_table_del(&st->env, txn, TABLE_DUE, &k);
}

int
store_apply(struct store *st, MDB_txn *txn, struct store_op *op)
{
	switch (op->kind) {
	case STORE_PIECE:
		return apply_piece(st, txn, (struct store_piece *)op);
	case STORE_ACCEPT:
		return store_apply_accept(st, txn, (struct store_accept *)op);
	case STORE_DROP:
		return apply_drop(st, txn, (struct store_drop *)op);
	case STORE_SETTLE:
		return apply_settle(st, txn, (struct store_settle *)op);
	case STORE_REPORT:
		return store_apply_report(st, txn, (struct store_report *)op);
	case STORE_DIGEST:
		return store_apply_digest(st, txn, (struct store_digest *)op);
	case STORE_UNDUE:
		return apply_undue(st, txn, (struct store_undue *)op);
	case STORE_HOLD:
		return store_apply_hold(st, txn, (struct store_hold *)op);
	case STORE_EDIT:
		return store_apply_edit(st, txn, (struct store_edit *)op);
	case STORE_MEND:
		return store_index_mend(st, txn, (struct store_mend *)op);
	case STORE_REPLAN:
		return store_apply_replan(st, txn, (struct store_replan *)op);
	case STORE_HASTEN:
		return store_apply_hasten(st, txn, (struct store_hasten *)op);
	case STORE_SUSPEND:
		return store_apply_suspend(st, txn,
		    (struct store_suspend *)op);
	case STORE_QUARANTINE:
		return store_apply_quarantine(st, txn,
		    (struct store_quarantine *)op);
	default:
		return EINVAL;
	}
}

/* A message of ours, written whole; NULL: none is. */
static size_t
own_weight(const struct store_accept *a)
{
	return a == NULL ? CHUNK_MAX : a->header.len + a->body.len;
}

size_t
store_apply_weight(const struct store_op *op)
{
	const struct store_accept *a;

	switch (op->kind) {
	case STORE_PIECE:
		return ((const struct store_piece *)op)->text.len;
	case STORE_REPORT:
		return own_weight(((const struct store_report *)op)->bounce);
	case STORE_DIGEST:
		return own_weight(((const struct store_digest *)op)->message);
	case STORE_ACCEPT:
		a = (const struct store_accept *)op;
		return a->header.len + a->body.len +
		    (size_t)a->message.rcpt_cnt * CHUNK_MAX / 16;
	default:
		return CHUNK_MAX;
	}
}
