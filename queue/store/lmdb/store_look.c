/*
 * store_look.c - a row as it stands, and the word that it cannot be used, which
 * store_aside.c makes a note of.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "queue/store/engine_rows.h"
#include "queue/store/lmdb/store_inside.h"

static const char *const why_said[ASIDE__COUNT] = {
	[ASIDE_DAMAGED] = "a row is damaged",
	[ASIDE_NEWER] = "a row was written by a newer postern",
	[ASIDE_MISSING] = "a row is missing",
	[ASIDE_LONE] = "a row belongs to no message",
};

const char *
store_aside_said(enum aside why)
{
	return why_said[why];
}

static void
set_aside_done(struct store_op *op, enum err e, void *arg)
{
	struct store_quarantine *q = (struct store_quarantine *)op;
	struct log_line l;
	struct id id;

	if (e == OK && !q->is_new && !q->is_back) {
		free(q);
		return;
	}
	memcpy(id.b, q->key.b, sizeof(id.b));
	log_begin(&l, q->is_back ? LOG_trouble : LOG_quarantined);
	log_id(&l, LOG_KEY_id, id);
	log_text(&l, LOG_KEY_table, store_table_name(q->table));
	if (q->key.len > sizeof(id.b))
		log_num(&l, LOG_KEY_row, store_table_no((MDB_val){
		    q->key.len, q->key.b }));
	log_text(&l, LOG_KEY_why, q->is_back ? "a row stood under a key of "
	    "which a bit was flipped, and is put back" : why_said[q->why]);
	log_end(&l);
	free(q);
}

void
store_set_aside(struct store *st, enum table t, const struct store_key *k,
    enum aside why)
{
	struct store_quarantine *q;

	if (k->len < sizeof(struct id) || (q = calloc(1, sizeof(*q))) == NULL)
		return;		/* found again with the next read */
	q->table = t;
	q->key = *k;
	q->why = why;
	store_hand_write(st, &q->op, STORE_QUARANTINE, set_aside_done, NULL);
}

void
store_aside_end(struct store *st)
{
	struct store_op *op;

	while ((op = STAILQ_FIRST(&st->done)) != NULL) {
		STAILQ_REMOVE_HEAD(&st->done, entry);
		if (op->kind == STORE_QUARANTINE)
			set_aside_done(op, op->err, op->arg);
		else
			engine_rows_discard(op);
	}
	while ((op = STAILQ_FIRST(&st->writes)) != NULL) {
		STAILQ_REMOVE_HEAD(&st->writes, entry);
		if (op->kind == STORE_QUARANTINE)
			free(op);	/* no note was made: found again */
	}
}

void
store_miss_rcpt(struct store *st, struct id id)
{
	struct store_key k;

	store_table_key_id(&k, id);
	store_set_aside(st, TABLE_RECIPIENT, &k, ASIDE_MISSING);
}

bool
store_row_kind(enum table t, enum record_kind *out)
{
	static const struct { bool is; enum record_kind kind; }
	    kinds[TABLE__COUNT] = {
		[TABLE_MESSAGE] = { true, RECORD_message },
		[TABLE_RECIPIENT] = { true, RECORD_recipient },
		[TABLE_DELIVERY] = { true, RECORD_delivery },
		[TABLE_LOOSE] = { true, RECORD_loose },
		[TABLE_HISTORY] = { true, RECORD_history },
		[TABLE_QUARANTINE] = { true, RECORD_quarantine },
		[TABLE_TOTAL] = { true, RECORD_total },
		[TABLE_REPORT] = { true, RECORD_report },
		[TABLE_DISCARD] = { true, RECORD_discard },
		[TABLE_CRC] = { true, RECORD_crc },
		[TABLE_SUSPENSION] = { true, RECORD_suspension },
	};

	*out = kinds[t].kind;
	return kinds[t].is;
}

int
store_row_look(const struct store *st, MDB_txn *txn, enum table t,
    const struct store_key *k, union record *out, enum err *e,
    enum aside *why)
{
	enum record_kind kind;
	struct span bytes;
	MDB_val val;
	int rc = store_find_row(&st->env, txn, t, k, &val);

	*e = ERR_NONE;
	*why = ASIDE_MISSING;
	if (rc != 0)
		return rc == MDB_NOTFOUND ? 0 : rc;
	*e = ERR_PEER;
	*why = ASIDE_DAMAGED;
	if (!store_row_kind(t, &kind))
		return EINVAL;
	bytes = (struct span){ val.mv_data, val.mv_size };
	if ((*e = record_get(bytes, kind, out)) != OK &&
	    record_is_newer(bytes, kind))
		*why = ASIDE_NEWER;
	return 0;
}

/* The key of the note about a row; false when it is too long to have one. */
bool
store_note_key(struct store_key *to, enum table t, const struct store_key *k)
{
	if (k->len >= STORE_KEY_MAX)
		return false;
	to->b[0] = (uint8_t)t;
	memcpy(to->b + 1, k->b, k->len);
	to->len = k->len + 1;
	return true;
}
