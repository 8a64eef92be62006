/*
 * engine_rows.c - see the header.
 */
#include "queue/store/engine_rows.h"

#define REPLY_KEPT	800	/* bytes: a record has its bound	*/

struct record_recipient
engine_rows_rcpt(const struct store_accept *a, uint32_t no)
{
	struct record_recipient r = { .address = a->rcpts[no] };

	if (a->rcpt_delivery != NULL)
		r.delivery = a->rcpt_delivery[no];
	if (a->rcpt_dsn != NULL) {
		r.notify = a->rcpt_dsn[no].notify;
		r.orcpt = a->rcpt_dsn[no].orcpt;
		r.trace = a->rcpt_dsn[no].trace;
	}
	return r;
}

struct record_report
engine_rows_report(const struct store_change *c, int64_t now_ms)
{
	return (struct record_report){
		.action = (uint8_t)c->report, .code = c->code,
		.flags = (uint8_t)((c->is_theirs ? RECORD_THEIRS : 0) |
		    (c->is_late ? RECORD_LATE : 0) |
		    (c->is_unread ? RECORD_UNREAD : 0)),
		.at_ms = (uint64_t)now_ms, .until_ms = (uint64_t)c->until_ms,
		.tried_ms = (uint64_t)c->tried_ms,
		.address = c->address, .orcpt = c->orcpt,
		.reply = span_head(c->reply, REPLY_KEPT), .hop = c->hop,
	};
}

/* The id just behind; false behind the last there can be. */
static bool
step_id(struct id *id)
{
	for (size_t i = sizeof(id->b); i > 0; i--)
		if (++id->b[i - 1] != 0)
			return true;
	return false;
}

bool
engine_rows_step_kind(const struct store_read_rows *r, struct store_spot *spot)
{
	spot->no = 0;
	if (spot->kind == ROW_DELIVERY) {
		spot->kind = ROW_RCPT;
		return true;
	}
	spot->kind = ROW_MESSAGE;
	return !r->one && step_id(&spot->id);
}
