/*
 * engine_rows.c - see the header.
 */
#include <stdlib.h>

#include "queue/store/engine_rows.h"
#include "queue/store/store_engine.h"
#include "queue/store/story.h"

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
		r.owner = a->rcpt_dsn[no].owner;
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
		.address = c->address, .orcpt = c->orcpt, .owner = c->owner,
		.reply = span_head(c->reply, REPLY_KEPT), .hop = c->hop,
	};
}

void
engine_rows_own(struct envelope *env)
{
	struct record_message *m = &env->message;

	if (env->rcpt_cnt == 0 || env->rcpts[0].dsn.owner.len == 0)
		return;
	m->sender = env->rcpts[0].dsn.owner;
	m->envid = SPAN("");
	m->ret = 0;
}

bool
engine_rows_has_gone_on(const struct store_tries *seen,
    const struct record_delivery *now)
{
	return now->attempts != seen->attempts || now->deaths != seen->deaths;
}

bool
engine_rows_event(enum edit action, enum event *out)
{
	static const enum event events[EDIT__COUNT] = {
		[EDIT_HOLD] = EVENT_HELD, [EDIT_RELEASE] = EVENT_RELEASED,
		[EDIT_REMOVE] = EVENT_REMOVED, [EDIT_RETRY] = EVENT_RELEASED,
		[EDIT_GIVE_UP] = EVENT_REMOVED,
	};

	*out = events[action];
	return action != EDIT_FLUSH;
}

struct record_history
engine_rows_bounced(struct id bounce, char buf[ID_TEXT_LEN + 1])
{
	id_text(bounce, buf);
	return (struct record_history){ .reply = span_of(buf) };
}

bool
engine_rows_moved(const struct store_replan *r, uint32_t i, const char *from,
    uint32_t rcpt_cnt, struct record_history *out)
{
	*out = (struct record_history){
		.relay = r->deliveries[i].relay, .rcpt_cnt = rcpt_cnt,
		.reply = r->is_pinned ? SPAN("by posternctl") :
		    SPAN("by the routes"),
	};
	return !span_eq(out->relay, span_of(from));
}

struct record_history
engine_rows_suspended(const struct store_suspend *s, enum event *event,
    uint32_t *no)
{
	const struct record_suspension *r = &s->rec;

	*event = r->active ? EVENT_SUSPENDED : EVENT_RESUMED;
	*no = (uint32_t)(story_hash_address(r->domain) ^
	    story_hash_message_id(r->relay));
	return (struct record_history){
		.relay = r->relay, .address = r->domain, .login = r->who,
		.reply = r->active ? r->reason : SPAN(""),
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

/* Their owners may close later, and free what they find: nothing. */
#define DISCARD(op, type, field) do {					\
	free(((struct store_##type *)(op))->field);			\
	((struct store_##type *)(op))->field = NULL;			\
} while (0)

void
engine_rows_discard(struct store_op *op)
{
	if (op->err != OK)
		return;
	switch (op->kind) {
	case STORE_EDIT:
		DISCARD(op, edit, rows);
		break;
	case STORE_READ_ENVELOPE:
		DISCARD(op, read_envelope, envelope);
		break;
	case STORE_READ_PIECE:
		DISCARD(op, read_piece, text);
		break;
	case STORE_READ_ROWS:
		DISCARD(op, read_rows, rows);
		break;
	case STORE_READ_REPORT:
		DISCARD(op, read_report, rows);
		break;
	case STORE_READ_STORY:
		DISCARD(op, read_story, rows);
		break;
	case STORE_READ_DISCARDS:
		DISCARD(op, read_discards, rows);
		break;
	default:
		break;		/* the rest hands out nothing of the heap */
	}
}
