/*
 * store_accept.c - a message as rows, with its last pieces: one that came in,
 * or one of ours.
 */
#include <errno.h>
#include <stdlib.h>

#include "queue/store/engine_rows.h"
#include "queue/store/lmdb/store_inside.h"

static int
put_rcpts(struct store *st, MDB_txn *txn, const struct store_accept *a)
{
	int rc = 0;

	for (uint32_t no = 0; rc == 0 && no < a->message.rcpt_cnt; no++) {
		struct record_recipient r = engine_rows_rcpt(a, no);
		struct store_key k;

		store_table_key_no(&k, a->mail->id, no);
		rc = store_table_put_record(&st->env, txn, TABLE_RECIPIENT,
		    &k, RECORD_recipient, &r);
	}
	return rc;
}

static int
put_delivery(struct store *st, MDB_txn *txn, const struct store_accept *a,
    uint32_t no, uint32_t rcpt_cnt)
{
	const struct store_delivery *d = &a->deliveries[no];
	struct store_place place = { d->due_ms, a->mail->id, no };
	struct record_delivery r = {
		.due_ms = (uint64_t)d->due_ms, .rcpt_cnt = rcpt_cnt,
		.relay = d->relay, .destination = d->destination,
		.tenant = d->tenant,
	};
	struct store_flow flow;
	struct store_key k;
	int rc;

	if (!store_flow_name(&flow, d->relay, d->destination, d->tenant))
		return EINVAL;
	store_table_key_no(&k, a->mail->id, no);
	if ((rc = store_table_put_record(&st->env, txn, TABLE_DELIVERY, &k,
	    RECORD_delivery, &r)) != 0)
		return rc;
	return store_row_put_due(st, txn, &flow, &place);
}

/* Recipients are counted once, not once for each delivery. */
static int
put_deliveries(struct store *st, MDB_txn *txn, const struct store_accept *a)
{
	uint32_t cnt = a->message.delivery_cnt, *rcpts;
	int rc = 0;

	if (a->rcpt_delivery == NULL)
		return put_delivery(st, txn, a, 0, a->message.rcpt_cnt);
	if ((rcpts = calloc(cnt, sizeof(*rcpts))) == NULL)
		return ENOMEM;
	for (uint32_t i = 0; i < a->message.rcpt_cnt; i++)
		rcpts[a->rcpt_delivery[i]]++;
	for (uint32_t no = 0; rc == 0 && no < cnt; no++)
		rc = put_delivery(st, txn, a, no, rcpts[no]);
	free(rcpts);
	return rc;
}

static int
put_reports(struct store *st, MDB_txn *txn, const struct store_accept *a)
{
	struct store_key k;
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < a->report_cnt; i++) {
		struct record_report r = engine_rows_report(&a->reports[i],
		    (int64_t)a->message.arrived_ms);

		store_table_key_no(&k, a->mail->id, a->reports[i].rcpt_no);
		rc = store_table_put_record(&st->env, txn, TABLE_REPORT, &k,
		    RECORD_report, &r);
	}
	return rc;
}

static int
put_message(struct store *st, MDB_txn *txn, const struct store_accept *a)
{
	struct store_key k;
	int rc;

	store_table_key_id(&k, a->mail->id);
	rc = store_table_put_record(&st->env, txn, TABLE_MESSAGE, &k,
	    RECORD_message, &a->message);
	return rc != 0 ? rc : store_story_accept(st, txn, a);
}

int
store_apply_accept(struct store *st, MDB_txn *txn, struct store_accept *a)
{
	struct store_key k;
	int rc;

	if (a->mail->failed != OK) {
		a->op.err = a->mail->failed;
		return 0;
	}
	if ((rc = store_row_put_text(st, txn, a->mail, PART_BODY,
	    a->body_piece_no, a->body)) != 0 ||
	    (rc = store_row_put_text(st, txn, a->mail, PART_HEADER,
	    a->header_piece_no, a->header)) != 0)
		return rc;
	a->message.has_sums = 1;
	a->message.header_sum = a->mail->sum[PART_HEADER];
	a->message.body_sum = a->mail->sum[PART_BODY];
	if ((rc = put_rcpts(st, txn, a)) != 0 ||
	    (rc = put_reports(st, txn, a)) != 0 ||
	    (rc = put_message(st, txn, a)) != 0)
		return rc;
	rc = put_deliveries(st, txn, a);
	if (rc == 0 && a->mail->begun) {
		store_table_key_id(&k, a->mail->id);
		rc = store_find_del(&st->env, txn, TABLE_LOOSE, &k);
	}
	return rc;
}
