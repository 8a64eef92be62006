/*
 * outcome.c - one struct outcome lives from the last result to the commit that
 * keeps it.  It holds the delivery, whose envelope its spans point into.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "queue/bounce.h"
#include "queue/dispatch.h"
#include "queue/outcome.h"
#include "sys/clock.h"

#define DEATHS_MAX	3	/* then a delivery is held		*/
#define DEATH_MS	1000	/* wait after a death			*/
#define OURS_MS		1000	/* more at most, when only we failed	*/
#define AGAIN_MS	1000	/* until a commit is tried again	*/

struct outcome {
	STAILQ_ENTRY(outcome) entry;	/* of those to be tried again */
	struct queue	*queue;
	struct delivery	*delivery;
	struct store_settle settle;
	struct store_change *changes;
	struct bounce_rcpt *failed;	/* for the bounce		*/
	uint32_t	 failed_cnt;
	int64_t		 now_ms;
	bool		 by_death;

	/* The bounce, where there is one. */
	struct store_read_piece original;
	struct bounce_text text;
	struct store_mail mail;
	struct span	 to;
	struct store_delivery where;
	struct store_accept accept;
};

struct outcomes {
	struct queue	*queue;
	struct timer	 again;
	STAILQ_HEAD(, outcome) waiting;
	uint32_t	 busy_cnt;
};

static void
free_outcome(struct outcome *o)
{
	struct queue *q = o->queue;

	free(o->changes);
	free(o->failed);
	free(o->original.text);
	free(o->text.text);
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
	struct bounce_rcpt r = { .reply = c->reply, .code = c->code };
	struct log_line l;

	log_begin(&l, events[c->class]);
	log_id(&l, LOG_KEY_id, o->settle.id);
	log_str(&l, LOG_KEY_rcpt, c->address);
	log_str(&l, LOG_KEY_relay, o->delivery->envelope->delivery.relay);
	if (c->hop.len > 0)
		log_str(&l, LOG_KEY_hop, c->hop);
	if (c->code != 0)
		log_num(&l, LOG_KEY_code, c->code);
	log_str(&l, LOG_KEY_dsn, bounce_status(&r));
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

static void
log_of(enum log_event event, struct id id, const char *why)
{
	struct log_line l;

	log_begin(&l, event);
	log_id(&l, LOG_KEY_id, id);
	if (why != NULL)
		log_text(&l, LOG_KEY_why, why);
	log_end(&l);
}

static void
log_outcome(const struct outcome *o)
{
	for (uint32_t i = 0; i < o->settle.change_cnt; i++)
		log_change(o, &o->changes[i]);
	if (o->settle.bounce != NULL)
		log_bounced(o);
	else if (o->failed_cnt > 0)
		log_of(LOG_discarded, o->settle.id,
		    "it failed and has no sender to be told");
	if (o->settle.removed)
		log_of(LOG_removed, o->settle.id, NULL);
}

/* Due again, or held in memory, or gone. */
static void
move_on(struct outcome *o)
{
	struct queue *q = o->queue;
	struct delivery *dl = o->delivery;
	struct envelope *env = dl->envelope;
	struct store_place place = { o->settle.due_ms, o->settle.id,
	    o->settle.no };

	if (o->by_death && o->settle.deaths >= DEATHS_MAX) {
		log_of(LOG_held, o->settle.id,
		    "processes died with this delivery under way");
		dl->state = DELIVERY_HELD;
		dl->envelope = NULL;
		free(env);
		return;
	}
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
		q->message_cnt--;
	if (!o->by_death)
		dispatch_settled(q, o->delivery);
	if (e == OK && o->settle.bounce != NULL)
		queue_accepted(q, &o->accept);
	move_on(o);
	free_outcome(o);
}

static void
commit(struct outcome *o)
{
	store_settle(o->queue->store, &o->settle, settled, o);
}

static void
try_again(struct timer *t, void *arg)
{
	struct outcomes *os = arg;
	struct outcome *o;

	while ((o = STAILQ_FIRST(&os->waiting)) != NULL) {
		STAILQ_REMOVE_HEAD(&os->waiting, entry);
		commit(o);
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
		.rcpts = o->failed, .rcpt_cnt = o->failed_cnt,
	};
	enum err e;

	if ((e = bounce_write(&o->text, &b)) != OK)
		return e;
	o->mail.id = b.id;
	o->to = b.to;
	o->accept.message.flags = bounce_is_utf8(&b) ?
	    MAIL_SMTPUTF8 | MAIL_8BIT : 0;
	return OK;
}

/* The report is a message like any other, but that it has no sender. */
static void
add_bounce(struct outcome *o)
{
	struct store_accept *a = &o->accept;
	struct span relay = span_of(o->queue->settings.relay);

	o->where = (struct store_delivery){
		.relay = relay, .destination = relay, .due_ms = o->now_ms,
	};
	a->mail = &o->mail;
	a->rcpts = &o->to;
	a->deliveries = &o->where;
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

/*
 * Without its header section (damaged, or memory is out) the report is sent
 * all the same; without memory for the report itself we come back later.
 */
static void
original_read(struct store_op *op, enum err e, void *arg)
{
	struct outcome *o = arg;

	if (write_bounce(o) == OK)
		add_bounce(o);
	else
		log_of(LOG_discarded, o->settle.id,
		    "there was no memory to write the bounce");
	commit(o);
}

static void
proceed(struct outcome *o)
{
	if (o->failed_cnt == 0 ||
	    o->delivery->envelope->message.sender.len == 0) {
		commit(o);
		return;
	}
	o->original.id = o->settle.id;
	o->original.part = PART_HEADER;
	store_read_piece(o->queue->store, &o->original, original_read, o);
}

static struct outcome *
new_outcome(struct queue *q, struct delivery *dl)
{
	const struct envelope *env = dl->envelope;
	size_t cnt = env->rcpt_cnt > 0 ? env->rcpt_cnt : 1;
	struct outcome *o = calloc(1, sizeof(*o));

	if (o != NULL) {
		o->changes = calloc(cnt, sizeof(*o->changes));
		o->failed = calloc(cnt, sizeof(*o->failed));
	}
	if (o == NULL || o->changes == NULL || o->failed == NULL) {
		if (o != NULL) {
			free(o->changes);
			free(o->failed);
		}
		free(o);
		return NULL;
	}
	o->queue = q;
	o->delivery = dl;
	o->now_ms = clock_wall_ms();
	o->settle.id = dl->place.id;
	o->settle.no = dl->place.no;
	o->settle.attempts = env->delivery.attempts;
	o->settle.deaths = env->delivery.deaths;
	o->settle.changes = o->changes;
	q->outcomes->busy_cnt++;
	dl->state = DELIVERY_SETTLING;
	return o;
}

/*
 * No memory for an outcome: the delivery stays as the disk has it, is tried
 * again after a restart, and may then arrive twice.
 */
static void
hold(struct delivery *dl)
{
	dl->state = DELIVERY_HELD;
	log_of(LOG_held, dl->place.id, "there was no memory for its results");
}

static int
cmp_rcpt(const void *key, const void *rcpt)
{
	uint32_t a = *(const uint32_t *)key;
	uint32_t b = ((const struct envelope_rcpt *)rcpt)->no;

	return (a > b) - (a < b);
}

/* Every recipient fails for now by nobody's fault, until it is said better. */
static void
fill_changes(struct outcome *o)
{
	const struct envelope *env = o->delivery->envelope;
	const struct result *r;

	o->settle.change_cnt = env->rcpt_cnt;
	for (uint32_t i = 0; i < env->rcpt_cnt; i++)
		o->changes[i] = (struct store_change){
			env->rcpts[i].no, CLASS_LATER, 451,
			env->rcpts[i].address,
			SPAN("4.3.0 The relay had no result"), { NULL, 0 },
		};
	STAILQ_FOREACH(r, &o->delivery->results, entry) {
		const struct envelope_rcpt *rcpt = bsearch(&r->rcpt_no,
		    env->rcpts, env->rcpt_cnt, sizeof(env->rcpts[0]),
		    cmp_rcpt);

		if (rcpt == NULL)
			continue;
		o->changes[rcpt - env->rcpts].class = r->class;
		o->changes[rcpt - env->rcpts].code = r->code;
		o->changes[rcpt - env->rcpts].reply = r->reply;
		o->changes[rcpt - env->rcpts].hop = r->hop;
	}
}

/* An attempt counts unless all that went wrong was ours. */
static bool
counts(const struct delivery *dl)
{
	const struct result *r;

	STAILQ_FOREACH(r, &dl->results, entry)
		if (r->scope != SCOPE_OURS)
			return true;
	return false;
}

/* What is not over is due again, or has failed for good. */
static void
decide(struct outcome *o, bool spent)
{
	o->settle.is_over = true;
	for (uint32_t i = 0; i < o->settle.change_cnt; i++) {
		struct store_change *c = &o->changes[i];
		bool late = c->class == CLASS_LATER && spent;

		if (late)
			c->class = CLASS_NEVER;
		if (c->class == CLASS_LATER)
			o->settle.is_over = false;
		if (c->class == CLASS_NEVER)
			o->failed[o->failed_cnt++] = (struct bounce_rcpt){
				c->address, c->reply, c->hop, c->code, late,
			};
	}
}

void
outcome_begin(struct queue *q, struct delivery *dl)
{
	const struct retry *retry = &q->settings.retry;
	struct outcome *o = new_outcome(q, dl);
	uint32_t before;
	int64_t age_ms;

	if (o == NULL) {
		hold(dl);
		return;
	}
	before = dl->envelope->delivery.attempts;
	age_ms = o->now_ms - (int64_t)dl->envelope->message.arrived_ms;
	o->settle.deaths = 0;
	fill_changes(o);
	if (counts(dl)) {
		o->settle.attempts = before + 1;
		o->settle.due_ms = o->now_ms + retry_delay_ms(retry, before,
		    arc4random());
		decide(o, retry_is_spent(retry, before + 1, age_ms));
	} else {
		o->settle.due_ms = o->now_ms + 1000 +
		    arc4random_uniform(OURS_MS);
		decide(o, age_ms >= retry->lifetime_ms);
	}
	proceed(o);
}

void
outcome_expired(struct queue *q, struct delivery *dl)
{
	struct outcome *o;

	dispatch_release_untried(q, dl);
	if ((o = new_outcome(q, dl)) == NULL) {
		hold(dl);
		return;
	}
	fill_changes(o);
	for (uint32_t i = 0; i < o->settle.change_cnt; i++) {
		o->changes[i].code = 0;
		o->changes[i].reply =
		    SPAN("4.4.7 The destination could not be reached in time");
	}
	decide(o, true);
	proceed(o);
}

void
outcome_died(struct queue *q, struct delivery *dl)
{
	struct outcome *o = new_outcome(q, dl);

	if (o == NULL) {
		hold(dl);
		return;
	}
	o->by_death = true;
	o->settle.deaths++;
	o->settle.due_ms = o->now_ms + DEATH_MS;
	commit(o);
}

bool
outcome_is_busy(const struct outcomes *os)
{
	return os->busy_cnt > 0;
}

enum err
outcome_open(struct outcomes **out, struct queue *q)
{
	struct outcomes *os = calloc(1, sizeof(*os));

	if (os == NULL)
		return ERR_SYS;
	os->queue = q;
	STAILQ_INIT(&os->waiting);
	timer_init(&os->again, q->loop, try_again, os);
	*out = os;
	return OK;
}

void
outcome_close(struct outcomes **o)
{
	if (*o == NULL)
		return;
	timer_stop(&(*o)->again);
	free(*o);
	*o = NULL;
}
