/*
 * outcome_settle.c - an outcome on its way to the disk: what the sender is to
 * be told is kept by the same transaction that strikes the recipients.
 */
#include <stdlib.h>

#include "mail/hop_id.h"
#include "queue/bounce/digest.h"
#include "queue/plan/dispatch.h"
#include "queue/bounce/bounce_status.h"
#include "queue/plan/outcome_inside.h"
#include "queue/bounce/telling.h"
#include "queue/store/store_envelope.h"
#include "sys/counters.h"

static void
free_outcome(struct outcome *o)
{
	struct queue *q = o->queue;

	free(o->changes);
	free(o->discards);
	free(o);
	q->outcomes->busy_cnt--;
	queue_rested(q);
}

void
outcome_drop(struct outcome *o)
{
	free_outcome(o);
}

static void
log_change(const struct outcome *o, const struct store_change *c)
{
	static const enum log_event events[CLASS__COUNT] = {
		[CLASS_DONE] = LOG_delivered, [CLASS_LATER] = LOG_deferred,
		[CLASS_NEVER] = LOG_failed,
	};
	struct bounce_rcpt r = { .reply = c->reply, .code = c->code,
	    .action = REPORT_NONE };
	const struct envelope *env = o->delivery->envelope;
	struct span hop_id = c->class == CLASS_DONE ?
	    hop_id_find(c->reply) : SPAN("");
	struct log_line l;

	if (c->class == CLASS_LATER && o->delivery->is_quiet)
		return;			/* its destination is down */
	log_begin(&l, o->is_reminder ? LOG_delayed : o->settle.is_ruled &&
	    c->class == CLASS_DONE ? LOG_discarded : events[c->class]);
	log_id(&l, LOG_KEY_id, o->settle.id);
	log_str(&l, LOG_KEY_from, env->message.sender);
	log_str(&l, LOG_KEY_rcpt, c->address);
	log_str(&l, LOG_KEY_relay, env->delivery.relay);
	if (c->hop.len > 0)
		log_str(&l, LOG_KEY_hop, c->hop);
	if (hop_id.len > 0)
		log_str(&l, LOG_KEY_hop_id, hop_id);
	if (c->tls.len > 0)
		log_str(&l, LOG_KEY_tls, c->tls);
	if (c->code != 0)
		log_num(&l, LOG_KEY_code, c->code);
	log_text(&l, LOG_KEY_dsn, bounce_status(&r).text);
	log_str(&l, LOG_KEY_reply, c->reply);
	log_num(&l, LOG_KEY_tries, o->settle.attempts);
	if (c->class == CLASS_LATER)
		log_num(&l, LOG_KEY_next,
		    (o->settle.due_ms - o->now_ms + 999) / 1000);
	if (c->class == CLASS_LATER && o->delivery->unlogged_cnt > 0)
		log_num(&l, LOG_KEY_count, o->delivery->unlogged_cnt);
	log_end(&l);
}

void
outcome_log(enum log_event event, struct id id, const char *why)
{
	struct log_line l;

	log_begin(&l, event);
	log_id(&l, LOG_KEY_id, id);
	if (why != NULL)
		log_text(&l, LOG_KEY_why, why);
	log_end(&l);
}

/* Somebody must look at it, so it is trouble too. */
static void
log_held(const struct outcome *o)
{
	outcome_log(LOG_held, o->settle.id, o->held_why);
	outcome_log(LOG_trouble, o->settle.id, held_line(o->settle.held));
}

static void
log_outcome(const struct outcome *o)
{
	for (uint32_t i = 0; i < o->settle.change_cnt; i++)
		log_change(o, &o->changes[i]);
	if (o->settle.discard_cnt > 0) {
		outcome_log(LOG_discarded, o->settle.id,
		    "it failed and has no sender to be told");
		counter_add(COUNTER_untold, o->settle.discard_cnt);
		digest_note(o->queue->digest);
	}
	if (o->is_lost_digest) {
		outcome_log(LOG_discarded, o->settle.id,
		    "the digest for the postmaster failed");
		counter_add(COUNTER_untold, 1);
	}
	if (o->settle.was_lost)
		outcome_log(LOG_trouble, o->settle.id, "the row of a delivery "
		    "was damaged while it was under way, and is made anew");
	if (o->held_why != NULL)
		log_held(o);
	if (o->settle.removed)
		outcome_log(LOG_removed, o->settle.id, NULL);
}

/* Due again, or gone. */
static void
move_on(struct outcome *o)
{
	struct queue *q = o->queue;
	struct delivery *dl = o->delivery;
	struct envelope *env = dl->envelope;
	struct store_place place = store_place(o->settle.due_ms,
	    o->settle.id, o->settle.no);

	if (o->is_stale) {		/* as somebody else has put it */
		due_put_back(q->due, &dl);
		return;
	}
	dl->envelope = NULL;		/* its names are needed once more */
	due_forget(q->due, &dl);
	if (!o->settle.is_over)
		due_note(q->due, env->delivery.relay,
		    env->delivery.destination, env->delivery.tenant, &place);
	free(env);
}

/* What is on disk to be told, and whether more of it can come. */
static void
note_reports(const struct outcome *o)
{
	uint32_t rows = 0, delays = 0;

	for (uint32_t i = 0; i < o->settle.change_cnt; i++) {
		rows += o->changes[i].report != REPORT_NONE;
		delays += o->changes[i].report == REPORT_DELAYED;
	}
	/* Who all wait in the only delivery are told of at once. */
	if (rows > 0 || o->settle.is_silent)
		telling_note(o->queue->reports, o->settle.id, rows,
		    o->settle.is_silent || (rows == delays &&
		    o->delivery->envelope->message.delivery_cnt <= 1));
}

static void
settled(struct store_op *op, enum err e, void *arg)
{
	struct outcome *o = arg;
	struct queue *q = o->queue;

	if (e == ERR_FULL || e == ERR_SYS) {
		STAILQ_INSERT_TAIL(&q->outcomes->waiting, o, entry);
		if (!timer_running(&q->outcomes->again))
			timer_set(&q->outcomes->again, OUTCOME_AGAIN_MS);
		return;
	}
	if (e == OK && o->settle.kept) {
		o->settle.held = HELD_DAMAGE;
		o->held_why = "a recipient of it cannot be read";
	}
	if (e == OK)
		log_outcome(o);
	else if (e == ERR_STALE)
		o->is_stale = true;
	else
		o->settle.is_over = true;	/* its record is no more */
	if (e == OK && o->settle.removed)
		counter_add(COUNTER_removed, 1);
	if (!o->by_death)
		dispatch_settled(q, o->delivery);
	if (e == OK)
		note_reports(o);
	move_on(o);
	free_outcome(o);
}

void
outcome_commit(struct outcome *o)
{
	store_settle(o->queue->store, &o->settle, settled, o);
}

void
outcome_commit_waiting(struct outcomes *os)
{
	struct outcome *o;

	while ((o = STAILQ_FIRST(&os->waiting)) != NULL) {
		STAILQ_REMOVE_HEAD(&os->waiting, entry);
		outcome_commit(o);
	}
}

void
outcome_discard(struct outcome *o, const struct store_change *c,
    const char *why)
{
	o->discards[o->settle.discard_cnt++] = (struct store_discard){
		.rcpt_no = c->rcpt_no,
		.rec = {
			.code = c->code, .address = c->address,
			.sender = o->delivery->envelope->message.sender,
			.why = span_of(why), .reply = c->reply,
		},
	};
}
