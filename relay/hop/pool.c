/*
 * pool.c - every change ends in a call of serve(), at the end of the turn,
 * which is the one place that gives deliveries to connections and opens new
 * ones; only a connection that has just become free is served at once.
 */
#include <sys/queue.h>

#include <stdlib.h>

#include "relay/hop/pool.h"
#include "relay/hop/slow.h"

#define HOLD_MS	1000	/* no new connection after one failed while others
			 * work: the next hop may limit us		*/

struct pooled {				/* a connection, as we know it	*/
	TAILQ_ENTRY(pooled) entry;
	struct pool	*pool;
	void		*client;
	bool		 is_ready;	/* it has been, once		*/
	bool		 is_idle;
	bool		 is_unwanted;	/* it is being given up		*/
	struct timer	 idle_timer;
};

struct pool {
	struct ev_loop	*loop;
	struct resolve	*resolve;
	const struct hop_kind *kind;	/* of all its connections	*/
	const void	*target;	/* likewise			*/
	const struct pool_calls *calls;	/* NULL: nobody but us cares	*/
	void		*arg;
	struct pool_limits limits;
	TAILQ_HEAD(pooled_list, pooled) idle;
	struct pooled_list busy;	/* or not ready yet		*/
	TAILQ_HEAD(, delivery) waiting;
	unsigned	 waiting_cnt;
	unsigned	 client_cnt;
	unsigned	 opening_cnt;	/* of them not yet ready once	*/
	struct timer	 hold;		/* open none while it runs	*/
	struct later	 serve;
	bool		 is_draining;
	bool		 works;		/* see pool_works()		*/
};

static struct place *
place_of(const struct pooled *c)
{
	return c->pool->kind->place(c->client);
}

static void
unlist(struct pool *p, struct delivery *d)
{
	TAILQ_REMOVE(&p->waiting, d, wait_entry);
	p->waiting_cnt--;
	d->on_text = NULL;
	d->on_leave = NULL;
}

static void
fail_waiting(struct pool *p, const struct verdict *v, struct span hop)
{
	struct delivery *d;

	while ((d = TAILQ_FIRST(&p->waiting)) != NULL) {
		unlist(p, d);
		if (v->is_late)
			d->late |= SLOW_BIT(v->stage);
		if (p->calls == NULL || p->is_draining)
			delivery_end(d, v, hop);
		else
			p->calls->unreachable(d, v, hop, p->arg);
	}
}

static void
stop_waiting(struct pool *p)
{
	struct verdict v = verdict_own(OWN_stopping, STAGE_CONNECT);

	fail_waiting(p, &v, SPAN(""));
}

/* A delivery that waits and whose text went away with its queue. */
static void
lost_text(struct delivery *d, void *arg)
{
	struct verdict v = verdict_own(OWN_no_text, STAGE_CONNECT);
	struct pool *p = arg;

	if (delivery_can_go_on(d))
		return;
	unlist(p, d);
	delivery_end(d, &v, SPAN(""));
}

static void
unlist_idle(struct pooled *c)
{
	TAILQ_REMOVE(&c->pool->idle, c, entry);
	if (c->pool->limits.idle_left != NULL)
		++*c->pool->limits.idle_left;
}

static void
remove_client(struct pooled *c)
{
	struct pool *p = c->pool;

	timer_stop(&c->idle_timer);
	if (c->is_idle)
		unlist_idle(c);
	else
		TAILQ_REMOVE(&p->busy, c, entry);
	if (!c->is_ready)
		p->opening_cnt--;
	p->client_cnt--;
	p->kind->free(c->client);
	free(c);
}

static bool
has_idle_left(const struct pool *p)
{
	return p->limits.idle_ms > 0 &&
	    (p->limits.idle_left == NULL || *p->limits.idle_left > 0);
}

static void
make_idle(struct pooled *c)
{
	struct pool *p = c->pool;

	if (c->is_idle)
		return;
	TAILQ_REMOVE(&p->busy, c, entry);
	TAILQ_INSERT_HEAD(&p->idle, c, entry);
	if (p->limits.idle_left != NULL)
		--*p->limits.idle_left;
	c->is_idle = true;
	timer_set(&c->idle_timer, p->limits.idle_ms);
}

static void
make_busy(struct pooled *c)
{
	if (!c->is_idle)
		return;
	timer_stop(&c->idle_timer);
	unlist_idle(c);
	TAILQ_INSERT_TAIL(&c->pool->busy, c, entry);
	c->is_idle = false;
	(void)place_rest(place_of(c), false);
}

/*
 * Give a free connection work until it has some; a refusal may be instant.
 * One whose place others wait for has had its share.
 */
static void
feed(struct pooled *c)
{
	struct pool *p = c->pool;
	struct delivery *d;

	while (c->pool->kind->is_free(c->client) &&
	    (d = TAILQ_FIRST(&p->waiting)) != NULL) {
		if (c->pool->kind->was_used(c->client) &&
		    place_must_go(place_of(c))) {
			c->pool->kind->quit(c->client);
			return;
		}
		unlist(p, d);
		c->pool->kind->deliver(c->client, d);
	}
	if (p->opening_cnt > p->waiting_cnt)
		later_call(&p->serve);	/* some may wait for nobody */
}

static void
end_idle(struct timer *t, void *arg)
{
	struct pooled *c = arg;

	make_busy(c);
	c->pool->kind->quit(c->client);
}

/* Another waits for the place of one without work. */
static void
on_wanted(struct place *place, void *arg)
{
	struct pooled *c = arg;

	if (c->is_idle)
		end_idle(&c->idle_timer, c);
}

/* It has no work just now. */
static void
rest(struct pooled *c)
{
	if (!c->pool->kind->is_free(c->client))
		return;
	if (c->pool->is_draining || !has_idle_left(c->pool) ||
	    place_rest(place_of(c), true))
		c->pool->kind->quit(c->client);
	else
		make_idle(c);
}

static void
on_ready(void *arg)
{
	struct pooled *c = arg;
	struct pool *p = c->pool;

	if (!c->is_ready) {
		c->is_ready = true;
		p->opening_cnt--;
		p->works = true;
		later_call(&p->serve);	/* more of them may be opened */
	}
	feed(c);
	rest(c);
}

static void
leave(struct delivery *d, void *arg)
{
	pool_leave(arg, d);
}

/* Only an owner sees to it that what goes back is missed nowhere. */
static void
enlist(struct pool *p, struct delivery *d)
{
	p->waiting_cnt++;
	d->on_text = lost_text;
	d->on_text_arg = p;
	d->on_leave = p->calls != NULL ? leave : NULL;
	d->on_leave_arg = p;
}

static void
on_return(struct delivery *d, void *arg)
{
	struct pool *p = ((struct pooled *)arg)->pool;

	TAILQ_INSERT_HEAD(&p->waiting, d, wait_entry);
	enlist(p, d);
}

static bool
has_working(const struct pool *p)
{
	return p->client_cnt > p->opening_cnt;
}

static void
on_gone(const struct verdict *why, struct span hop, void *arg)
{
	struct verdict odd = verdict_own(OWN_unasked, STAGE_EHLO);
	struct pooled *c = arg;
	struct pool *p = c->pool;

	if (why == NULL && !c->is_ready && !p->is_draining && !c->is_unwanted)
		why = &odd;
	if (why != NULL && !has_working(p))
		p->works = false;
	if (why != NULL && has_working(p))
		timer_set(&p->hold, HOLD_MS);
	else if (why != NULL)
		fail_waiting(p, why, hop);
	remove_client(c);
	later_call(&p->serve);
}

static const struct hop_calls client_calls = {
	on_ready, on_return, on_gone
};

static bool
open_client(struct pool *p)
{
	struct pooled *c = calloc(1, sizeof(*c));
	struct place *place;

	if (c == NULL)
		return false;
	c->client = p->kind->make(p->loop, p->resolve, p->target,
	    &client_calls, c);
	if (c->client == NULL) {
		free(c);
		return false;
	}
	c->pool = p;
	timer_init(&c->idle_timer, p->loop, end_idle, c);
	TAILQ_INSERT_TAIL(&p->busy, c, entry);
	p->client_cnt++;
	p->opening_cnt++;
	place = place_of(c);
	place->wanted = on_wanted;
	place->wanted_arg = c;
	place->who = p;
	p->kind->start(c->client);
	return true;
}

/* One that died in its sleep is told by gone(), and costs nobody anything. */
static void
use_idle(struct pool *p)
{
	struct pooled *c;

	while (p->waiting_cnt > 0 && (c = TAILQ_FIRST(&p->idle)) != NULL) {
		make_busy(c);
		if (c->pool->kind->is_alive(c->client))
			feed(c);
		rest(c);
	}
}

/* It is not dialled yet: its host has no place for it. */
static bool
waits_for_place(const struct pooled *c)
{
	return !c->is_ready && !c->is_unwanted &&
	    place_waits(place_of(c));
}

/* Who waits for a place and has nobody to serve is in the way of others. */
static void
close_waiting(struct pool *p)
{
	unsigned wanted = p->waiting_cnt;
	struct pooled *c;

	TAILQ_FOREACH(c, &p->busy, entry)
		if (!c->is_ready && !c->is_unwanted && !waits_for_place(c) &&
		    wanted > 0)
			wanted--;
	TAILQ_FOREACH(c, &p->busy, entry) {
		if (!waits_for_place(c))
			continue;
		if (wanted > 0) {
			wanted--;
			continue;
		}
		c->is_unwanted = true;
		c->pool->kind->close(c->client);
	}
}

static void
serve(struct later *l, void *arg)
{
	struct verdict v = verdict_own(OWN_no_memory, STAGE_CONNECT);
	struct pool *p = arg;

	if (p->is_draining)
		stop_waiting(p);
	use_idle(p);
	if (p->opening_cnt > p->waiting_cnt)
		close_waiting(p);
	if (timer_running(&p->hold) && has_working(p))
		return;
	while (p->waiting_cnt > p->opening_cnt &&
	    p->client_cnt < p->limits.connections &&
	    (p->works || p->opening_cnt < POOL_OPENING))
		if (!open_client(p))
			break;
	if (p->waiting_cnt > 0 && p->client_cnt == 0)
		fail_waiting(p, &v, SPAN(""));
	if (p->waiting_cnt == 0 && p->client_cnt == 0 && p->calls != NULL)
		p->calls->empty(p, p->arg);
}

static void
end_hold(struct timer *t, void *arg)
{
	struct pool *p = arg;

	later_call(&p->serve);
}

enum err
pool_open(struct pool **out, struct ev_loop *loop, struct resolve *resolve,
    const struct hop_kind *kind, const void *target,
    const struct pool_limits *limits)
{
	struct pool *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return ERR_SYS;
	p->loop = loop;
	p->resolve = resolve;
	p->kind = kind;
	p->target = target;
	p->limits = *limits;
	TAILQ_INIT(&p->idle);
	TAILQ_INIT(&p->busy);
	TAILQ_INIT(&p->waiting);
	timer_init(&p->hold, loop, end_hold, p);
	later_init(&p->serve, loop, serve, p);
	*out = p;
	return OK;
}

void
pool_close(struct pool **pp)
{
	struct pool *p = *pp;
	struct pooled *c;

	*pp = NULL;
	if (p == NULL)
		return;
	while ((c = TAILQ_FIRST(&p->idle)) != NULL ||
	    (c = TAILQ_FIRST(&p->busy)) != NULL)
		remove_client(c);
	timer_stop(&p->hold);
	later_stop(&p->serve);
	free(p);
}

void
pool_set_owner(struct pool *p, const struct pool_calls *calls, void *arg)
{
	p->calls = calls;
	p->arg = arg;
}

void
pool_take(struct pool *p, struct delivery *d)
{
	TAILQ_INSERT_TAIL(&p->waiting, d, wait_entry);
	enlist(p, d);
	/* Their first pieces are here when it is their turn, if one comes. */
	if (p->works && p->waiting_cnt <= 2 * p->limits.connections)
		delivery_prefetch(d);
	later_call(&p->serve);
}

/* The youngest is the one that has waited least. */
static void
close_unwanted(struct pool *p)
{
	struct pooled *c;

	if (p->opening_cnt <= p->waiting_cnt)
		return;
	TAILQ_FOREACH_REVERSE(c, &p->busy, pooled_list, entry)
		if (!c->is_ready && !c->is_unwanted)
			break;
	if (c == NULL)
		return;
	c->is_unwanted = true;
	c->pool->kind->close(c->client);
}

void
pool_leave(struct pool *p, struct delivery *d)
{
	unlist(p, d);
	close_unwanted(p);
	later_call(&p->serve);
}

bool
pool_works(const struct pool *p)
{
	return p->works;
}

void
pool_drain(struct pool *p)
{
	struct pooled *c;

	p->is_draining = true;
	stop_waiting(p);
	TAILQ_FOREACH(c, &p->busy, entry)
		if (!c->is_ready)
			c->pool->kind->close(c->client);
	while ((c = TAILQ_FIRST(&p->idle)) != NULL) {
		make_busy(c);
		c->pool->kind->quit(c->client);
	}
}

bool
pool_is_busy(const struct pool *p)
{
	return p->client_cnt > 0;
}
