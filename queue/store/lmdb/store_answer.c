/*
 * store_answer.c - what an administrator gives up of a message that cannot be
 * read as a whole is answered for: each recipient that was left becomes a row
 * of table report, for the sender, or, where that one is not known, a discard.
 * One whose own row cannot be read is told of without a name.
 */
#include <string.h>

#include "queue/bounce/duty.h"
#include "queue/store/lmdb/store_inside.h"

#define CODE		550
#define NAMELESS	UINT32_MAX	/* number of those nobody can count */

struct answer {
	struct store	*store;
	MDB_txn		*txn;
	struct store_edit *edit;
	const struct record_message *message;	/* NULL: cannot be read	*/
};

static int
discard(const struct answer *a, const struct store_change *c)
{
	struct store_discard d = { .rcpt_no = c->rcpt_no, .rec = {
		.code = c->code, .address = c->address, .reply = c->reply,
		.why = a->message == NULL ? SPAN("its envelope is damaged, "
		    "and its sender with it") :
		    SPAN("it has no sender to be told") } };

	if (a->message != NULL && (a->message->flags & MAIL_DIGEST) != 0)
		return 0;
	a->edit->unreported_cnt++;
	return store_discard_put(a->store, a->txn, a->edit->id,
	    a->edit->now_ms, &d, 1);
}

/* r is no longer the map's. */
static int
answer(const struct answer *a, uint32_t no, const struct record_recipient *r,
    bool is_unread)
{
	bool has_sender = a->message != NULL && a->message->sender.len > 0;
	struct store_change c = {
		.rcpt_no = no, .class = CLASS_NEVER, .code = CODE,
		.address = r->address, .reply = a->edit->reply,
		.tried_ms = (int64_t)r->tried_ms, .orcpt = r->orcpt,
		.owner = r->owner, .is_unread = is_unread,
		.report = duty_report(&(struct duty){ .class = CLASS_NEVER,
		    .notify = r->notify, .has_sender = has_sender }),
	};
	struct record_history h = {
		.code = CODE, .address = c.address, .reply = c.reply,
	};
	int rc = 0;

	if (c.report != REPORT_NONE && has_sender) {
		a->edit->reported_cnt++;
		rc = store_report_put(a->store, a->txn, a->edit->id,
		    a->edit->now_ms, &c);
	} else if (c.report != REPORT_NONE) {
		rc = discard(a, &c);
	}
	return rc != 0 ? rc : store_story_put(a->store, a->txn,
	    a->edit->id, EVENT_FAILED, no, &h);
}

static int
answer_row(const struct answer *a, MDB_val key, MDB_val val)
{
	struct record_recipient none = { .delivery = 0 };
	uint8_t copy[RECORD_MAX];
	union record r;
	uint32_t no = store_table_no(key);

	if (val.mv_size > sizeof(copy))
		return answer(a, no, &none, true);
	memcpy(copy, val.mv_data, val.mv_size);
	if (record_get((struct span){ (char *)copy, val.mv_size },
	    RECORD_recipient, &r) != OK)
		return answer(a, no, &none, true);
	return answer(a, no, &r.recipient, false);
}

/* Some that the deliveries count have no row, or nobody can count them. */
static bool
is_lacking(const struct store_edit *e, uint64_t rows)
{
	return rows < e->counted || (rows == 0 && e->was_damaged &&
	    e->changed_cnt > 0);
}

int
store_answer_rcpts(struct store *st, MDB_txn *txn, struct store_edit *e,
    const struct record_message *m)
{
	struct answer a = { st, txn, e, m };
	struct record_recipient none = { .delivery = 0 };
	struct store_rows w;
	uint64_t rows = 0;
	int rc = store_rows_open(&st->env, txn, TABLE_RECIPIENT, e->id, 0, &w);

	if (rc != 0)
		return rc;
	while ((rc = store_rows_next(&w)) == 0 &&
	    (rc = answer_row(&a, w.key, w.val)) == 0)
		rows++;
	store_rows_close(&w);
	if (rc == MDB_NOTFOUND)
		rc = 0;
	if (rc == 0 && is_lacking(e, rows))
		rc = answer(&a, NAMELESS, &none, true);
	return rc;
}
