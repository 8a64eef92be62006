/*
 * outcome.c - one struct outcome lives from the last result to the commit that
 * keeps it: here it is made, and what becomes of each recipient is decided.
 */
#include <stdlib.h>

#include "queue/plan/dispatch.h"
#include "queue/bounce/duty.h"
#include "queue/plan/outcome_inside.h"
#include "queue/plan/suspect.h"
#include "queue/plan/suspend.h"
#include "queue/store/store_envelope.h"
#include "sys/clock.h"

#define OURS_MS		1000	/* more at most, when only we failed	*/
#define UNSAID		451	/* code of whom nobody has said a word	*/

static struct outcome *
new_outcome(struct queue *q, struct delivery *dl)
{
	const struct envelope *env = dl->envelope;
	size_t cnt = env->rcpt_cnt > 0 ? env->rcpt_cnt : 1;
	struct outcome *o = calloc(1, sizeof(*o));

	if (o != NULL) {
		o->changes = calloc(cnt, sizeof(*o->changes));
		o->discards = calloc(cnt, sizeof(*o->discards));
	}
	if (o == NULL || o->changes == NULL || o->discards == NULL) {
		if (o != NULL) {
			free(o->changes);
			free(o->discards);
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
	o->was = env->delivery;
	o->was.due_ms = (uint64_t)dl->place.due_ms;
	o->settle.was = &o->was;
	o->settle.changes = o->changes;
	o->settle.discards = o->discards;
	o->settle.now_ms = o->now_ms;
	q->outcomes->busy_cnt++;
	dl->state = DELIVERY_SETTLING;
	return o;
}

/* The results stay where they are. */
void
outcome_put_off(struct queue *q, struct delivery *dl)
{
	due_wait_in(dl, &q->outcomes->starved, DELIVERY_HELD);
	if (!timer_running(&q->outcomes->again))
		timer_set(&q->outcomes->again, OUTCOME_AGAIN_MS);
}

/* A death, or what cannot be read, will be seen again. */
static void
feed(struct outcomes *os)
{
	struct deliveries *starved = &os->starved;
	struct queue *q = os->queue;
	struct deliveries now = TAILQ_HEAD_INITIALIZER(now);
	struct delivery *dl;

	TAILQ_CONCAT(&now, starved, entry);
	while ((dl = TAILQ_FIRST(&now)) != NULL) {
		TAILQ_REMOVE(&now, dl, entry);
		dl->waits_in = NULL;
		if (dl->envelope != NULL && dl->is_expiring)
			outcome_expired(q, dl);
		else if (dl->envelope != NULL && dl->is_done)
			outcome_begin(q, dl);
		else
			due_put_back(q->due, &dl);
	}
}

static void
try_again(struct timer *t, void *arg)
{
	feed(arg);
	outcome_commit_waiting(arg);
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
	struct store_change *c;

	o->settle.change_cnt = env->rcpt_cnt;
	for (uint32_t i = 0; i < env->rcpt_cnt; i++)
		o->changes[i] = (struct store_change){
			.rcpt_no = env->rcpts[i].no, .class = CLASS_LATER,
			.code = UNSAID, .address = env->rcpts[i].address,
			.reply = SPAN("4.3.0 The relay had no result"),
			.tried_ms = o->now_ms,
		};
	STAILQ_FOREACH(r, &o->delivery->results, entry) {
		const struct envelope_rcpt *rcpt = bsearch(&r->rcpt_no,
		    env->rcpts, env->rcpt_cnt, sizeof(env->rcpts[0]),
		    cmp_rcpt);

		if (rcpt == NULL)
			continue;
		c = &o->changes[rcpt - env->rcpts];
		c->class = r->class;
		c->code = r->code;
		c->reply = r->reply;
		c->hop = r->hop;
		c->tls = r->tls;
		c->is_theirs = !(r->flags & RESULT_OWN);
		c->flags = r->flags;
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

/* Which report is due of this recipient, if one is. */
static void
tell(struct outcome *o, uint32_t i, struct store_change *c)
{
	const struct envelope *env = o->delivery->envelope;
	const struct envelope_rcpt *r = &env->rcpts[i];
	const struct retry *retry = settings_retry(&o->queue->settings,
	    &env->message);
	int64_t arrived_ms = (int64_t)env->message.arrived_ms;
	bool has_sender = env->message.sender.len > 0;

	c->report = duty_report(&(struct duty){
		.class = c->class, .flags = c->flags, .notify = r->dsn.notify,
		.has_sender = has_sender,
		.is_old = o->is_reminder || (retry->warn_ms > 0 &&
		    o->now_ms - arrived_ms >= retry->warn_ms),
		.is_warned = r->flags & RCPT_WARNED,
	});
	c->orcpt = r->dsn.orcpt;
	c->owner = r->dsn.owner;
	c->is_warned = c->report == REPORT_DELAYED;
	if (c->is_warned)
		c->until_ms = arrived_ms + retry->lifetime_ms +
		    queue_waived_ms(o->queue, (int64_t)env->message.lived_ms,
		    &env->delivery);
	if (c->report != REPORT_NONE && !has_sender) {
		c->report = REPORT_NONE;
		if ((env->message.flags & MAIL_DIGEST) != 0)
			o->is_lost_digest = true;
		else
			outcome_discard(o, c, "it has no sender to be told");
	}
}

/* What is not over is due again, or has failed for good. */
static void
decide(struct outcome *o, bool spent)
{
	o->settle.is_over = true;
	for (uint32_t i = 0; i < o->settle.change_cnt; i++) {
		struct store_change *c = &o->changes[i];

		c->is_late = c->class == CLASS_LATER && spent;
		if (c->is_late)
			c->class = CLASS_NEVER;
		if (c->class == CLASS_LATER)
			o->settle.is_over = false;
		tell(o, i, c);
	}
}

void
outcome_begin(struct queue *q, struct delivery *dl)
{
	const struct retry *retry = settings_retry(&q->settings,
	    &dl->envelope->message);
	struct outcome *o = new_outcome(q, dl);
	uint32_t before;
	int64_t age_ms;

	if (o == NULL) {
		outcome_put_off(q, dl);
		return;
	}
	before = dl->envelope->delivery.attempts;
	age_ms = queue_age_ms(q, &dl->envelope->message,
	    &dl->envelope->delivery);
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
	outcome_commit(o);
}

/* Only what was said is a change, and is over unless it says "later". */
static void
decide_said(struct outcome *o, bool spent)
{
	uint32_t cnt = o->settle.change_cnt, kept = 0;

	o->settle.is_over = true;
	for (uint32_t i = 0; i < cnt; i++) {
		struct store_change *c = &o->changes[i];

		if (c->code == UNSAID) {
			o->settle.is_over = false;
			continue;
		}
		c->is_late = c->class == CLASS_LATER && spent;
		if (c->is_late)
			c->class = CLASS_NEVER;
		if (c->class == CLASS_LATER)
			o->settle.is_over = false;
		if (c->class != CLASS_DONE)
			tell(o, i, c);
		o->changes[kept++] = *c;
	}
	o->settle.change_cnt = kept;
}

void
outcome_ruled(struct queue *q, struct delivery *dl)
{
	const struct retry *retry = settings_retry(&q->settings,
	    &dl->envelope->message);
	struct outcome *o;
	uint32_t before;
	bool is_later = false;

	dispatch_release_untried(q, dl);
	if ((o = new_outcome(q, dl)) == NULL) {
		outcome_put_off(q, dl);
		return;
	}
	o->settle.is_ruled = true;
	fill_changes(o);
	for (uint32_t i = 0; i < o->settle.change_cnt; i++)
		is_later |= o->changes[i].class == CLASS_LATER &&
		    o->changes[i].code != UNSAID;
	before = o->settle.attempts;
	o->settle.due_ms = o->now_ms;
	if (is_later) {
		o->settle.attempts = before + 1;
		o->settle.due_ms += retry_delay_ms(retry, before,
		    arc4random());
	}
	decide_said(o, is_later && retry_is_spent(retry, before + 1,
	    queue_age_ms(q, &dl->envelope->message,
	    &dl->envelope->delivery)));
	outcome_commit(o);
}

/* What was said of the recipient last, and that is still what is known. */
static struct store_change
last_said(const struct envelope_rcpt *r, struct span otherwise)
{
	return (struct store_change){
		.rcpt_no = r->no, .class = CLASS_LATER, .code = r->code,
		.address = r->address, .hop = r->hop,
		.reply = r->reply.len > 0 ? r->reply : otherwise,
		.is_theirs = r->flags & RCPT_THEIRS,
		.tried_ms = r->tried_ms,
	};
}

void
outcome_expired(struct queue *q, struct delivery *dl)
{
	struct outcome *o;

	dispatch_release_untried(q, dl);
	if ((o = new_outcome(q, dl)) == NULL) {
		outcome_put_off(q, dl);
		return;
	}
	for (uint32_t i = 0; i < dl->envelope->rcpt_cnt; i++)
		o->changes[i] = last_said(&dl->envelope->rcpts[i],
		    SPAN("4.4.7 The message could not be delivered in time"));
	o->settle.change_cnt = dl->envelope->rcpt_cnt;
	decide(o, true);
	outcome_commit(o);
}

/* The changes are only of those whose senders are told. */
void
outcome_delayed(struct queue *q, struct delivery *dl)
{
	const struct envelope *env = dl->envelope;
	struct outcome *o = env->message.sender.len > 0 ? new_outcome(q, dl) :
	    NULL;
	struct span why = suspend_since_ms(q, &env->delivery) > 0 ?
	    SPAN("4.0.0 Mail to there is suspended here for now") :
	    SPAN("4.4.1 The destination could not be reached yet");
	struct store_change c;

	for (uint32_t i = 0; o != NULL && i < env->rcpt_cnt; i++) {
		c = last_said(&env->rcpts[i], why);
		o->is_reminder = true;
		tell(o, i, &c);
		if (c.is_warned)
			o->changes[o->settle.change_cnt++] = c;
	}
	if (o == NULL || o->settle.change_cnt == 0) {
		if (o != NULL)
			outcome_drop(o);
		dispatch_release_untried(q, dl);
		due_put_back(q->due, &dl);
		return;
	}
	o->by_death = true;	/* there is no relay to be told */
	o->settle.due_ms = dl->place.due_ms;
	outcome_commit(o);
}

void
outcome_died(struct queue *q, struct delivery *dl)
{
	struct outcome *o = new_outcome(q, dl);

	if (o == NULL) {
		outcome_put_off(q, dl);
		return;
	}
	o->by_death = true;
	o->settle.deaths = suspect_deaths(o->settle.deaths, dl->is_suspect);
	o->settle.due_ms = o->now_ms + suspect_delay_ms(o->settle.deaths);
	if (dl->is_suspect && o->settle.deaths >= SUSPECT_DEATHS_MAX) {
		o->settle.due_ms = STORE_HELD_MS;
		o->settle.held = HELD_DEATHS;
		o->held_why = "processes died with this delivery under way";
	}
	outcome_commit(o);
}

void
outcome_unreadable(struct queue *q, struct delivery *dl)
{
	struct outcome *o = new_outcome(q, dl);

	if (o == NULL) {
		outcome_put_off(q, dl);
		return;
	}
	o->by_death = true;	/* the relay has been told already */
	o->settle.due_ms = STORE_HELD_MS;
	o->settle.held = HELD_DAMAGE;
	o->held_why = "its text cannot be read";
	outcome_commit(o);
}

uint32_t
outcome_busy_cnt(const struct outcomes *os)
{
	return os->busy_cnt;
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
	TAILQ_INIT(&os->starved);
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
