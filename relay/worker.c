/*
 * worker.c - what becomes of a delivery between two links.
 *
 * A delivery is in one of four states: opening (recipients are still being
 * said; lost with the link, for the queue has had no sign of it; one that
 * passes through is running from the first moment), running,
 * finished (results said, and said again after each relink), and gone with
 * delivery_settled.  One that is settled while running has no home any more
 * that would want its results, or send more of its text: it ends when it needs
 * some, and is removed when it finishes.
 */
#include "base/log.h"
#include "mail/dsn.h"
#include "relay/to_queue.h"
#include "relay/worker.h"

#define DRAIN_LOOK_MS	20

static void
pull(struct delivery *d, enum part part, uint32_t piece_no)
{
	const struct attempts_queue *q = d->home;

	if (q->link != NULL)
		to_queue_pull(q->link, d, part, piece_no);
}

static void
finished(struct delivery *d)
{
	struct attempts_queue *q = d->home;
	struct worker *w = q->owner;

	q->running_cnt--;
	if (d->is_forgotten)
		attempts_remove(&w->attempts, d);
	else if (q->link != NULL)
		to_queue_results(q->link, d);
}

/* A queue that is away misses it when the link is back, and takes it so. */
static void
back(struct delivery *d, enum back why)
{
	struct attempts_queue *q = d->home;
	struct worker *w = q->owner;

	q->running_cnt--;
	if (!d->is_forgotten && q->link != NULL)
		to_queue_back(q->link, d, why);
	attempts_remove(&w->attempts, d);
}

static void
word(struct delivery *d, enum stage stage, uint32_t rcpt_no,
    const struct verdict *v, struct span hop)
{
	const struct attempts_queue *q = d->home;

	if (!d->is_forgotten && q->link != NULL)
		to_queue_word(q->link, d, stage, rcpt_no, v, hop);
}

static const struct delivery_calls calls = { pull, finished, back, word };

/* Are its recipients still being said, and was nothing begun? */
static bool
is_opening(const struct delivery *d)
{
	return !d->is_passing && !delivery_is_whole(d);
}

void
worker_init(struct worker *w, struct boot *boot, const struct relay_type *type,
    void *relay_type_arg)
{
	w->boot = boot;
	w->type = type;
	w->relay_type_arg = relay_type_arg;
	w->is_draining = false;
	attempts_init(&w->attempts);
}

static void
tell_can(struct worker *w, struct link *l)
{
	struct msg_relay_can m;

	if (w->type->can == NULL)
		return;
	w->type->can(w->relay_type_arg, &m);
	to_queue_can(l, &m);
}

void
worker_changed(void *arg)
{
	struct worker *w = arg;
	struct attempts_queue *q;

	TAILQ_FOREACH(q, &w->attempts.queues, entry)
		if (q->link != NULL)
			tell_can(w, q->link);
}

void
worker_link(struct worker *w, struct attempts_queue *q)
{
	struct delivery *d;

	tell_can(w, q->link);
	TAILQ_FOREACH(d, &q->deliveries, entry)
		if (!d->is_forgotten)
			to_queue_running(q->link, d);
	TAILQ_FOREACH(d, &q->deliveries, entry)
		if (d->is_finished)
			to_queue_results(q->link, d);
	to_queue_listed(q->link, w->is_draining ? 0 :
	    w->type->slots(w->relay_type_arg));
}

static struct delivery *
find_bereft(const struct attempts_queue *q)
{
	struct delivery *d;

	TAILQ_FOREACH(d, &q->deliveries, entry)
		if (!d->is_finished && !d->is_orphan)
			break;
	return d;
}

/* One that hears of it may end, and another with it: so begin anew. */
void
worker_unlink(struct worker *w, struct attempts_queue *q)
{
	struct delivery *d, *next;

	q->last = NULL;
	TAILQ_FOREACH_SAFE(d, &q->deliveries, entry, next)
		if (is_opening(d))
			attempts_remove(&w->attempts, d);
	while ((d = find_bereft(q)) != NULL)
		delivery_orphan(d);
}

/*
 * Who has got it, where its queue may not know: it is all that is left of this,
 * and who looks for the reason of a second copy finds it.
 */
static void
tell_unsettled(const struct delivery *d)
{
	for (uint32_t i = 0; i < d->rcpt_cnt; i++) {
		const struct delivery_rcpt *r = &d->rcpts[i];
		struct log_line l;

		if (r->outcome == NULL ||
		    r->outcome->verdict.class != CLASS_DONE)
			continue;
		log_begin(&l, LOG_trouble);
		log_id(&l, LOG_KEY_id, d->id);
		log_str(&l, LOG_KEY_rcpt, r->address);
		log_str(&l, LOG_KEY_hop, r->outcome->hop);
		log_text(&l, LOG_KEY_why, "it was handed on, and its queue "
		    "has not said that it knows: it may be sent again");
		log_end(&l);
	}
}

void
worker_end(const struct worker *w)
{
	const struct attempts_queue *q;
	const struct delivery *d;

	TAILQ_FOREACH(q, &w->attempts.queues, entry)
		TAILQ_FOREACH(d, &q->deliveries, entry)
			if (d->is_finished && !d->is_forgotten)
				tell_unsettled(d);
}

/* Nobody wants its results.  True if it is still running. */
static bool
forget(struct worker *w, struct delivery *d)
{
	if (d->is_finished || is_opening(d)) {
		attempts_remove(&w->attempts, d);
		return false;
	}
	d->is_forgotten = true;
	return true;
}

void
worker_forget_queue(struct worker *w, struct attempts_queue *q)
{
	struct delivery *d, *next;

	TAILQ_FOREACH_SAFE(d, &q->deliveries, entry, next) {
		if (d->is_finished && !d->is_forgotten)
			tell_unsettled(d);
		forget(w, d);
	}
}

/* Twice its slots: those of before a reload may be more. */
static size_t
most_running(const struct worker *w)
{
	return 2 * ((size_t)w->type->slots(w->relay_type_arg) + 1);
}

/* Told once, until there is room again. */
static void
refuse(struct attempts_queue *q, struct delivery *d)
{
	if (!q->hold.is_logged)
		log_why(LOG_trouble, "a queue's deliveries take more memory "
		    "than they may: some are tried later", 0);
	q->hold.is_logged = true;
	delivery_refuse(d);
}

static void
look_at_hold(struct attempts_queue *q, struct delivery *d)
{
	if (q->hold.bytes < DELIVERY_HOLD_MAX / 2)
		q->hold.is_logged = false;
	if (q->hold.bytes >= DELIVERY_HOLD_MAX && d->rcpts != NULL)
		refuse(q, d);
}

/* What passes through begins now: a connection is looked for. */
static void
pass(struct worker *w, struct delivery *d)
{
	struct verdict stopping = verdict_own(OWN_stopping, STAGE_CONNECT);
	struct verdict memory = verdict_own(OWN_no_memory, STAGE_CONNECT);

	delivery_pass(d);
	attempts_whole(&w->attempts);
	if (d->rcpts == NULL)
		delivery_end(d, &memory, SPAN(""));
	else if (w->is_draining)
		delivery_end(d, &stopping, SPAN(""));
	else
		w->type->take(w->relay_type_arg, d);
}

enum err
worker_open(struct worker *w, struct attempts_queue *q,
    const struct msg_delivery_open *m)
{
	struct delivery *d;

	bool is_measured = m->header_len != BUS_NOT_KNOWN;

	if (m->rcpt_cnt > DELIVERY_RCPTS_MAX ||
	    (q->passes && (is_measured || m->rcpt_cnt != 0)) ||
	    (is_measured && (m->rcpt_cnt == 0 || m->header_len >
	    WORK_PART_MAX || m->body_len > WORK_PART_MAX)) ||
	    (!is_measured && m->body_len != BUS_NOT_KNOWN) ||
	    m->ret >= DSN_RET__COUNT || m->body >= BODY__COUNT ||
	    (m->params & ~PARAM__ALL) != 0 || (m->by_mode & ~BY__ALL) != 0 ||
	    m->deadline_ms > BUS_NO_DEADLINE ||
	    (m->envid.len > 0 && !dsn_is_envid(m->envid)) ||
	    attempts_find(&w->attempts, q, m->id, m->delivery, m->attempt) !=
	    NULL)
		return ERR_PEER;
	if (w->attempts.delivery_cnt >= ATTEMPTS_MAX)
		return ERR_FULL;
	if ((d = delivery_new(m, &calls, q)) == NULL)
		return ERR_SYS;
	attempts_add(&w->attempts, q, d);
	q->last = d;
	delivery_hold(d, &q->hold);
	look_at_hold(q, d);
	if (q->passes)
		pass(w, d);
	return OK;
}

/* Whoever has it hears that there is one more. */
static enum err
pass_rcpt(struct delivery *d, const struct msg_delivery_rcpt *m)
{
	enum err e;

	if (d->is_finished)
		return OK;
	if (d->hold->bytes >= DELIVERY_HOLD_MAX)
		return ERR_FULL;
	e = delivery_add_rcpt(d, m->rcpt_no, m->rcpt);
	if (e == OK)
		e = delivery_add_dsn(d, m->notify, m->orcpt);
	if (e == OK && d->on_text != NULL)
		d->on_text(d, d->on_text_arg);
	return e;
}

enum err
worker_data(struct delivery *d, bool is_chunked)
{
	if (d->is_finished)
		return OK;
	if (!d->is_passing || d->is_over)
		return ERR_PEER;
	d->is_over = true;
	d->is_chunked = is_chunked;
	if (d->on_text != NULL)
		d->on_text(d, d->on_text_arg);
	return OK;
}

static enum err
add_rcpt(struct delivery *d, const struct msg_delivery_rcpt *m)
{
	enum err e = delivery_add_rcpt(d, m->rcpt_no, m->rcpt);

	if (e == OK)
		e = delivery_add_dsn(d, m->notify, m->orcpt);
	if (e == OK && m->last != 0)
		e = delivery_end_rcpts(d);
	return e;
}

/*
 * All its recipients are said: it is the kind's, and costs what one that is
 * being tried does.  A queue has its slots of them, and those it has settled
 * unfinished.
 */
static void
begin(struct worker *w, struct attempts_queue *q, struct delivery *d)
{
	struct verdict v = verdict_own(OWN_stopping, STAGE_CONNECT);
	struct verdict binary = verdict_own(OWN_needs_binarymime, STAGE_MAIL);

	if (q->running_cnt++ >= most_running(w) && d->rcpts != NULL)
		refuse(q, d);
	if (d->rcpts == NULL)
		delivery_finish(d);
	else if (w->is_draining)
		delivery_end(d, &v, SPAN(""));
	else if (d->body == BODY_BINARYMIME && !w->type->takes_binary)
		delivery_end(d, &binary, SPAN(""));
	else
		w->type->take(w->relay_type_arg, d);
}

enum err
worker_rcpt(struct worker *w, struct delivery *d,
    const struct msg_delivery_rcpt *m)
{
	enum err e;

	if (!dsn_is_notify(m->notify) ||
	    (m->orcpt.len > 0 && !dsn_is_orcpt(m->orcpt, true)))
		return ERR_PEER;
	if (d->is_passing)
		return pass_rcpt(d, m);
	e = add_rcpt(d, m);
	if (e != OK) {
		d->rcpt_cnt = 0;	/* never whole: it goes with the link */
		return e;
	}
	look_at_hold(d->home, d);
	if (!delivery_is_whole(d))
		return OK;
	attempts_whole(&w->attempts);
	begin(w, d->home, d);
	return OK;
}

size_t
worker_text_max(const struct worker *w)
{
	return most_running(w) * STREAM_CREDIT * PIECE_MAX;
}

/* No piece of one that still runs will come: who waits for one must hear it. */
void
worker_settle(struct worker *w, struct delivery *d)
{
	if (forget(w, d) && !d->is_orphan)
		delivery_orphan(d);
}

/*
 * What was never whole was never begun: its queue has it, and sends it to who
 * comes after us.
 */
static void
look_whether_drained(struct timer *t, void *arg)
{
	struct worker *w = arg;

	if (w->attempts.delivery_cnt == w->attempts.opening_cnt &&
	    !w->type->is_busy(w->relay_type_arg))
		boot_done(w->boot);
	else
		timer_set(t, DRAIN_LOOK_MS);
}

void
worker_drain(struct worker *w)
{
	struct attempts_queue *q;

	if (w->is_draining)
		return;
	/* No more, so that what waits in a queue just stays there. */
	w->is_draining = true;
	TAILQ_FOREACH(q, &w->attempts.queues, entry)
		if (q->link != NULL)
			to_queue_listed(q->link, 0);
	w->type->drain(w->relay_type_arg);
	timer_init(&w->drained, boot_loop(w->boot), look_whether_drained, w);
	timer_set(&w->drained, 0);
}
