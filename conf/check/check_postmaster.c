/*
 * check_postmaster.c - can each queue tell the postmaster what it discards?
 *
 * That message goes the way of a bounce, so this is what the queue's route.c
 * does with one, on what is written: the first route that matches him or <>,
 * else the relay of last resort if it reaches his domain, else bounce_relay.
 * Whom he stands for, where the queue has aliases, is not followed.
 */
#include "conf/check/check.h"
#include "conf/slice/slice.h"
#include "mail/domain.h"
#include "mail/pattern.h"

/* One pattern, one address. */
static bool
matches(struct span pattern, const struct address *a)
{
	struct patterns *p;
	uint32_t no;
	bool found;

	if (pattern_new(&p) != OK)
		return false;
	found = pattern_add(p, pattern, 0) == OK && pattern_find(p, a, &no);
	pattern_free(&p);
	return found;
}

/* Does the relay take him?  `postmaster' at a domain of its own it does. */
static bool
has_recipient(const struct block *relay, const struct address *a)
{
	const struct setting *s = &relay->settings[OPTION_RELAY_recipients];
	struct patterns *p;
	uint32_t no;
	bool found;

	if (!s->given || pattern_new(&p) != OK)
		return true;
	for (unsigned i = 0; i < s->cnt; i++)
		if (pattern_add(p, s->v[i].text, i) == ERR_SYS)
			break;		/* memory: a doubt of no weight	*/
	found = pattern_find(p, a, &no) ||
	    (span_eq_nocase(a->local, SPAN("postmaster")) &&
	    pattern_knows(p, a->domain, &no));
	pattern_free(&p);
	return found;
}

static bool
is_for(const struct reading *r, const struct address *a)
{
	if (r->num == ROUTE_BY_RCPT)
		return matches(r->text, a);
	return r->num == ROUTE_BY_SENDER && span_eq(r->text, SPAN("<>"));
}

/* Is the domain one that a route to this relay is for? */
static bool
is_routed(const struct setting *routes, struct span relay,
    const struct address *a)
{
	for (unsigned i = 0; i + 1 < routes->cnt; i += 2)
		if (routes->v[i].num == ROUTE_BY_RCPT &&
		    routes->v[i + 1].num == ROUTE_DOES_RELAY &&
		    span_eq(routes->v[i + 1].text, relay) &&
		    matches(routes->v[i].text, a))
			return true;
	return false;
}

/* Is the domain our own? */
static bool
is_home(const struct conf *c, const struct address *a)
{
	const struct setting *s =
	    &c->process->settings[OPTION_PROCESS_domains];

	for (unsigned i = 0; i < s->cnt; i++)
		if (domain_same(s->v[i].text, a->domain))
			return true;
	return domain_same(block_text(c->process, OPTION_PROCESS_hostname),
	    a->domain);
}

/* As route_find.c's reaches(). */
static bool
reaches(const struct conf *c, const struct block *queue,
    const struct block *relay, const struct address *a)
{
	if (relay->settings[OPTION_RELAY_recipients].given)
		return has_recipient(relay, a);
	return !check_is_local(relay) || is_home(c, a) ||
	    is_routed(&queue->settings[OPTION_QUEUE_route], relay->name, a);
}

static bool
has_last_way(const struct conf *c, const struct block *queue,
    const struct address *a)
{
	return queue->settings[OPTION_QUEUE_bounce_relay].cnt > 0 ||
	    (queue->target != NULL && reaches(c, queue, queue->target, a));
}

static bool
has_way(const struct conf *c, const struct block *queue,
    const struct address *a)
{
	const struct setting *s = &queue->settings[OPTION_QUEUE_route];
	const struct block *relay;

	for (unsigned i = 0; i + 1 < s->cnt; i += 2) {
		if (!is_for(&s->v[i], a))
			continue;
		if (s->v[i + 1].num != ROUTE_DOES_RELAY)
			return false;
		relay = block_named(c, BLOCK_RELAY, s->v[i + 1].text);
		if (relay == NULL)	/* a mistake of its own */
			return true;
		if (s->v[i].num == ROUTE_BY_RCPT)
			return has_recipient(relay, a);
		return reaches(c, queue, relay, a) || has_last_way(c, queue, a);
	}
	return has_last_way(c, queue, a);
}

void
check_postmaster(struct conf *c)
{
	const struct setting *s =
	    &c->process->settings[OPTION_PROCESS_postmaster];
	const struct block *q;
	struct address a;

	if (s->cnt == 0 || address_parse(s->v[0].text, true, &a) != OK)
		return;
	TAILQ_FOREACH(q, &c->top->blocks, entry)
		if (q->no == BLOCK_QUEUE && !kinds_queue_has(block_kind(q),
		    QUEUE_KIND_PASSES) &&
		    q->settings[OPTION_QUEUE_aliases].cnt == 0 &&
		    !has_way(c, q->bounce_target != NULL ?
		    q->bounce_target : q, &a))
			report_warn(&c->mistakes, s->v[0].place, "%s has no "
			    "way to the postmaster, who is told what it "
			    "discards: that message goes where a bounce to "
			    "`%.*s' would", block_words(c, q),
			    report_len(s->v[0].text), s->v[0].text.ptr);
}
