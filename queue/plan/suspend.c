/*
 * suspend.c - memory first where something ends, the disk first where it goes
 * on: in either case nothing goes out that should not.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "queue/plan/dispatch.h"
#include "queue/plan/suspend.h"
#include "queue/store/store_edit.h"
#include "sys/clock.h"

#define WHY_MAX	(SUSPENSION_REASON_MAX + SUSPENSION_WHO_MAX + 16)

/* One change on its way to the disk. */
struct change {
	struct store_suspend store;
	LIST_ENTRY(change) entry;
	struct queue	*queue;
	struct suspension *suspension;
	struct suspension next;		/* what it is when it is there	*/
	struct suspension before;	/* what it is when it is not	*/
	suspend_fn	*fn;
	void		*arg;
};

static void
log_change(enum log_event event, const struct suspension *s, const char *why)
{
	struct log_line l;

	log_begin(&l, event);
	if (s->relay[0] != '\0')
		log_text(&l, LOG_KEY_relay, s->relay);
	if (s->domain[0] != '\0')
		log_text(&l, LOG_KEY_destination, s->domain);
	log_text(&l, LOG_KEY_why, why);
	log_end(&l);
}

static void
tell(const struct suspension *s)
{
	char why[WHY_MAX];

	snprintf(why, sizeof(why), "by %s%s%s", s->who,
	    s->reason[0] != '\0' ? ": " : "", s->reason);
	log_change(s->is_active ? LOG_suspended : LOG_unsuspended, s, why);
}

static bool
is_nothing(const struct suspension *s)
{
	return !s->is_active && s->past_until_ms <= s->past_from_ms;
}

static void
free_change(struct change *c)
{
	LIST_REMOVE(c, entry);
	free(c);
}

static void
changed(struct store_op *op, enum err e, void *arg)
{
	struct change *c = arg;
	struct queue *q = c->queue;
	struct suspension *s = c->suspension;

	s->is_changing = false;
	suspension_assume(q->suspensions, s, e == OK ? &c->next : &c->before);
	if (e == OK && c->fn != NULL)
		tell(&c->next);
	if (is_nothing(s))
		suspension_drop(q->suspensions, &s);
	q->routes_turn++;
	dispatch_suspend(q->dispatch);
	if (e == OK && c->before.is_active && !c->next.is_active)
		due_resume(q->due, c->next.relay, c->next.domain);
	if (c->fn != NULL)
		c->fn(e == OK ? STATUS_DONE : STATUS_FAILED, c->arg);
	free_change(c);
}

/* Have next on the disk; until it is there the set keeps what is there now. */
static bool
start(struct queue *q, struct suspension *s, const struct suspension *next,
    suspend_fn *fn, void *arg)
{
	struct change *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return false;
	c->queue = q;
	c->suspension = s;
	c->next = *next;
	c->before = *s;
	c->fn = fn;
	c->arg = arg;
	c->store.is_forgotten = is_nothing(&c->next);
	c->store.is_told = fn != NULL;
	suspension_to_record(&c->next, &c->store.rec);
	s->is_changing = true;
	LIST_INSERT_HEAD(&q->changes, c, entry);
	store_suspend(q->store, &c->store, changed, c);
	return true;
}

/* Its names as they are compared; false: it has none. */
static bool
read_names(const struct suspend_what *w, char relay[BLOCK_NAME_MAX + 1],
    char domain[DOMAIN_MAX + 1])
{
	domain[0] = '\0';
	return span_cstr(w->relay, relay, BLOCK_NAME_MAX + 1) &&
	    (w->domain.len == 0 || suspension_domain(w->domain, domain)) &&
	    (relay[0] != '\0' || domain[0] != '\0');
}

bool
suspend_begin(struct queue *q, const struct suspend_what *w,
    enum tool_status *why, suspend_fn *fn, void *arg)
{
	char relay[BLOCK_NAME_MAX + 1], domain[DOMAIN_MAX + 1];
	struct suspension *s, next;

	*why = STATUS_REFUSED;
	if (!read_names(w, relay, domain))
		return false;
	*why = STATUS_NONE;
	if (relay[0] != '\0' && !route_has_relay(q->settings.routes, relay))
		return false;
	*why = STATUS_FAILED;
	if (suspension_want(q->suspensions, relay, domain, &s) != OK)
		return false;
	*why = STATUS_BUSY;
	if (s->is_changing)
		return false;
	next = *s;
	suspension_begin(&next, w->reason, w->who, clock_wall_ms(),
	    store_lived_ms(q->store));
	*why = STATUS_FAILED;
	if (!start(q, s, &next, fn, arg)) {
		if (is_nothing(s))
			suspension_drop(q->suspensions, &s);
		return false;
	}
	suspension_assume(q->suspensions, s, &next);
	q->routes_turn++;
	dispatch_suspend(q->dispatch);
	return true;
}

bool
suspend_end(struct queue *q, const struct suspend_what *w,
    enum tool_status *why, suspend_fn *fn, void *arg)
{
	char relay[BLOCK_NAME_MAX + 1], domain[DOMAIN_MAX + 1];
	struct suspension *s, next;

	*why = STATUS_REFUSED;
	if (!read_names(w, relay, domain))
		return false;
	s = suspension_find(q->suspensions, relay, domain);
	*why = STATUS_BUSY;
	if (s != NULL && s->is_changing)
		return false;
	*why = STATUS_NONE;
	if (s == NULL || !s->is_active)
		return false;
	next = *s;
	suspension_end(&next, store_lived_ms(q->store));
	(void)span_cstr(span_head(w->who, SUSPENSION_WHO_MAX), next.who,
	    sizeof(next.who));
	*why = STATUS_FAILED;
	return start(q, s, &next, fn, arg);
}

/* Nothing can be here that has waited for it. */
static bool
is_stale(const struct queue *q, const struct suspension *s)
{
	int64_t most_ms = q->settings.retry.lifetime_ms;

	if (q->settings.bounce_retry.lifetime_ms > most_ms)
		most_ms = q->settings.bounce_retry.lifetime_ms;
	return !s->is_active && !s->is_changing &&
	    store_lived_ms(q->store) - s->past_until_ms > most_ms;
}

void
suspend_look(struct queue *q)
{
	const char *relay = "", *domain = "";
	struct suspension *s;

	while ((s = suspension_next(q->suspensions, relay, domain)) != NULL) {
		relay = s->relay;
		domain = s->domain;
		if (s->is_active && relay[0] != '\0' &&
		    !route_has_relay(q->settings.routes, relay))
			log_change(LOG_trouble, s,
			    "no route leads to a suspended relay any more");
		if (is_stale(q, s)) {
			struct suspension none = *s;

			none.past_from_ms = none.past_until_ms = 0;
			(void)start(q, s, &none, NULL, NULL);
		}
	}
}

void
suspend_close(struct queue *q)
{
	struct change *c;

	while ((c = LIST_FIRST(&q->changes)) != NULL)
		free_change(c);
	suspension_free(&q->suspensions);
}

uint64_t
suspend_since_ms(const struct queue *q, const struct record_delivery *d)
{
	char relay[BLOCK_NAME_MAX + 1], name[DOMAIN_MAX + 1];
	const struct suspension *s;

	if (q->suspensions == NULL ||
	    !span_cstr(d->relay, relay, sizeof(relay)) ||
	    !span_cstr(d->destination, name, sizeof(name)) ||
	    (s = suspension_of(q->suspensions, relay, name)) == NULL)
		return 0;
	return s->since_ms > 0 ? (uint64_t)s->since_ms : 1;
}
