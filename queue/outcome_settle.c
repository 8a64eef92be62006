/*
 * outcome_settle.c - an outcome on its way to the disk: the report to the
 * sender is written first, so that it is kept by the same transaction that
 * strikes the recipients it tells of.
 */
#include <stdlib.h>

#include "queue/dispatch.h"
#include "queue/bounce_status.h"
#include "queue/outcome_inside.h"
#include "sys/counters.h"

#define AGAIN_MS	1000	/* until a commit is tried again	*/

static void
free_outcome(struct outcome *o)
{
	struct queue *q = o->queue;

	free(o->changes);
	free(o->failed);
	free(o->original.text);
	free(o->text.text);
	split_free(&o->split);
	free(o);
	q->outcomes->busy_cnt--;
	queue_rested(q);
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
	struct log_line l;

	log_begin(&l, events[c->class]);
	log_id(&l, LOG_KEY_id, o->settle.id);
	log_str(&l, LOG_KEY_rcpt, c->address);
	log_str(&l, LOG_KEY_relay, o->delivery->envelope->delivery.relay);
	if (c->hop.len > 0)
		log_str(&l, LOG_KEY_hop, c->hop);
	if (c->code != 0)
		log_num(&l, LOG_KEY_code, c->code);
	log_text(&l, LOG_KEY_dsn, bounce_status(&r).text);
	log_str(&l, LOG_KEY_reply, c->reply);
	log_num(&l, LOG_KEY_tries, o->settle.attempts);
	if (c->class == CLASS_LATER)
		log_num(&l, LOG_KEY_next,
		    (o->settle.due_ms - o->now_ms + 999) / 1000);
	log_end(&l);
}

static void
log_bounced(const struct outcome *o)
{
	struct log_line l;

	log_begin(&l, LOG_bounced);
	log_id(&l, LOG_KEY_id, o->mail.id);
	log_id(&l, LOG_KEY_of, o->settle.id);
	log_str(&l, LOG_KEY_rcpt, o->to);
	log_num(&l, LOG_KEY_count, o->failed_cnt);
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
	outcome_log(LOG_trouble, o->settle.id,
	    "a delivery is held until an administrator releases it");
}

static void
log_outcome(const struct outcome *o)
{
	for (uint32_t i = 0; i < o->settle.change_cnt; i++)
		log_change(o, &o->changes[i]);
	if (o->settle.bounce != NULL)
		log_bounced(o);
	else if (o->failed_cnt > 0)
		outcome_log(LOG_discarded, o->settle.id, o->no_bounce != NULL ?
		    o->no_bounce : "it failed and has no sender to be told");
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
	struct store_place place = { o->settle.due_ms, o->settle.id,
	    o->settle.no };

	dl->envelope = NULL;		/* its names are needed once more */
	due_forget(q->due, &dl);
	if (!o->settle.is_over)
		due_note(q->due, env->delivery.relay,
		    env->delivery.destination, env->delivery.tenant, &place);
	free(env);
}

static void
settled(struct store_op *op, enum err e, void *arg)
{
	struct outcome *o = arg;
	struct queue *q = o->queue;

	if (e == ERR_FULL || e == ERR_SYS) {
		STAILQ_INSERT_TAIL(&q->outcomes->waiting, o, entry);
		if (!timer_running(&q->outcomes->again))
			timer_set(&q->outcomes->again, AGAIN_MS);
		return;
	}
	if (e == OK)
		log_outcome(o);
	else
		o->settle.is_over = true;	/* its record is no more */
	if (e == OK && o->settle.removed)
		queue_removed(q);
	if (!o->by_death)
		dispatch_settled(q, o->delivery);
	if (e == OK && o->settle.bounce != NULL) {
		counter_add(COUNTER_bounced, 1);
		queue_accepted(q, &o->accept);
	}
	move_on(o);
	free_outcome(o);
}

void
outcome_commit(struct outcome *o)
{
	store_settle(o->queue->store, &o->settle, settled, o);
}

void
outcome_try_again(struct timer *t, void *arg)
{
	struct outcomes *os = arg;
	struct outcome *o;

	while ((o = STAILQ_FIRST(&os->waiting)) != NULL) {
		STAILQ_REMOVE_HEAD(&os->waiting, entry);
		outcome_commit(o);
	}
}

static enum err
write_bounce(struct outcome *o)
{
	struct envelope *env = o->delivery->envelope;
	struct bounce b = {
		.id = queue_mint(o->queue), .of = o->settle.id,
		.now_ms = o->now_ms,
		.arrived_ms = (int64_t)env->message.arrived_ms,
		.hostname = span_of(o->queue->settings.hostname),
		.to = env->message.sender,
		.header = { o->original.text, o->original.len },
		.is_utf8 = env->message.flags & MAIL_SMTPUTF8,
		.rcpts = o->failed, .rcpt_cnt = o->failed_cnt,
	};
	enum err e;

	if ((e = bounce_write(&o->text, &b)) != OK)
		return e;
	o->mail.id = b.id;
	o->to = b.to;
	o->accept.message.flags = o->text.flags;
	return OK;
}

/* The report is a message like any other, but that it has no sender. */
static void
add_bounce(struct outcome *o)
{
	struct store_accept *a = &o->accept;

	a->mail = &o->mail;
	a->rcpts = &o->to;
	a->deliveries = o->split.deliveries;
	a->header = (struct span){ o->text.text, o->text.header_len };
	a->body = span_tail((struct span){ o->text.text, o->text.len },
	    o->text.header_len);
	a->message.arrived_ms = (uint64_t)o->now_ms;
	a->message.header_len = a->header.len;
	a->message.body_len = a->body.len;
	a->message.rcpt_cnt = 1;
	a->message.delivery_cnt = 1;
	o->settle.bounce = a;
}

/* Find the way for the report and write it; why it cannot be, or NULL. */
static const char *
make_bounce(struct outcome *o)
{
	struct span to = o->delivery->envelope->message.sender;
	enum err e = split_make_bounce(&o->split, &o->queue->settings, to,
	    o->now_ms);

	if (e == ERR_NONE)
		return "it failed, and there is no route to its sender";
	if (e != OK || write_bounce(o) != OK)
		return "there was no memory to write the bounce";
	add_bounce(o);
	return NULL;
}

/*
 * Without its header section (damaged, or memory is out) the report is sent
 * all the same; without memory for the report itself we come back later.
 */
static void
original_read(struct store_op *op, enum err e, void *arg)
{
	struct outcome *o = arg;

	o->no_bounce = make_bounce(o);
	outcome_commit(o);
}

void
outcome_settle(struct outcome *o)
{
	if (o->failed_cnt == 0 ||
	    o->delivery->envelope->message.sender.len == 0) {
		outcome_commit(o);
		return;
	}
	o->original.id = o->settle.id;
	o->original.part = PART_HEADER;
	store_read_piece(o->queue->store, &o->original, original_read, o);
}
