/*
 * check_refs.c - what the names of other blocks stand for.
 */
#include "conf/check/check.h"
#include "conf/read/propose.h"
#include "conf/slice/slice.h"

#define NAMES_TOLD	8	/* of many, so many are enough	*/

static const char *
names_of(struct conf *c, enum option_block no)
{
	const struct block *b;
	const char *all = "";
	unsigned cnt = 0;

	TAILQ_FOREACH(b, &c->top->blocks, entry)
		if (b->no == no && b->name.len > 0 && cnt++ < NAMES_TOLD)
			all = arena_print(&c->arena, "%s%s%.*s", all,
			    all[0] == '\0' ? "" : " ", report_len(b->name),
			    b->name.ptr);
	return all;
}

static void
tell_no_such(struct conf *c, enum option_block no, const struct reading *r)
{
	const char *word = options_block(no)->word;
	const struct block *b;
	struct propose p;

	propose_init(&p, r->text);
	TAILQ_FOREACH(b, &c->top->blocks, entry)
		if (b->no == no)
			propose_try(&p, b->name);
	if (block_count(c->top, no) == 0)
		report_add(&c->mistakes, r->place, "there is no %s `%.*s', "
		    "and no other: add `%s %.*s { ... }'", word,
		    report_len(r->text), r->text.ptr, word,
		    report_len(r->text), r->text.ptr);
	else if (p.best.len > 0)
		report_add(&c->mistakes, r->place, "there is no %s `%.*s'%s",
		    word, report_len(r->text), r->text.ptr,
		    propose_text(&p, &c->arena));
	else
		report_add(&c->mistakes, r->place,
		    "there is no %s `%.*s'; there is: %s", word,
		    report_len(r->text), r->text.ptr, names_of(c, no));
}

/* What `queue' of an edge without `relay' or `relay' of a queue means. */
static void
check_reference(struct conf *c, struct block *b, enum option_no no,
    enum option_block to)
{
	const struct setting *s = &b->settings[no];
	const char *word = options_block(to)->word;

	if (s->cnt > 0) {
		b->target = block_named(c, to, s->v[0].text);
		if (b->target == NULL)
			tell_no_such(c, to, &s->v[0]);
	} else if (s->given) {
		return;			/* wrong, and reported */
	} else if (block_count(c->top, to) == 1) {
		b->target = block_nth(c->top, to, 0);
		block_set(c, b, no, b->target->name, 0);
	} else if (block_count(c->top, to) == 0) {
		report_add(&c->mistakes, b->name_place,
		    "%s needs a %s, and there is none: add `%s NAME { ... }'",
		    block_words(c, b), word, word);
	} else {
		report_add(&c->mistakes, b->name_place,
		    "%s needs `%s', since there are several: %s",
		    block_words(c, b), word, names_of(c, to));
	}
}

/* Who may log in.  The name stands in the rules of the edge. */
static void
check_users(struct conf *c, struct block *edge)
{
	const struct block *rules = block_nth(edge, BLOCK_RULES, 0);
	const struct setting *s;

	if (rules == NULL)
		return;
	s = &rules->settings[OPTION_RULES_lookup_credentials];
	if (s->cnt == 0)
		return;
	edge->users = block_named(c, BLOCK_USERS, s->v[0].text);
	if (edge->users == NULL)
		tell_no_such(c, BLOCK_USERS, &s->v[0]);
}

/* The queue can reach this relay, with this mail. */
static void
reach(struct block *queue, struct block *relay, unsigned how)
{
	unsigned i = 0;

	if (relay == NULL)
		return;
	while (i < queue->relay_cnt && queue->relays[i] != relay)
		i++;
	if (i == queue->relay_cnt)
		queue->relays[queue->relay_cnt++] = relay;
	queue->reach[i] |= (uint8_t)how;
}

/* Values of a route come in pairs, the second is what is done. */
static void
check_routes(struct conf *c, struct block *queue)
{
	const struct setting *s = &queue->settings[OPTION_QUEUE_route];
	const struct reading *named = NULL, *r;
	struct block *relay = NULL;

	for (unsigned i = 1; i < s->cnt; i += 2) {
		r = &s->v[i];
		if (r->num != ROUTE_DOES_RELAY)
			continue;
		if (relay == NULL || !span_eq(relay->name, r->text))
			relay = block_named(c, BLOCK_RELAY, r->text);
		reach(queue, relay, s->v[i - 1].num == ROUTE_BY_LOGIN ?
		    REACH_LOGIN : REACH_MAIL);
		/* A line with many patterns names its relay once. */
		if (relay == NULL && (named == NULL ||
		    named->place.at != r->place.at ||
		    named->place.source != r->place.source))
			tell_no_such(c, BLOCK_RELAY, named = r);
	}
	reach(queue, queue->target, REACH_MAIL);
}

/* Who delivers for good has no way to a sender elsewhere. */
static void
check_bounce_relay(struct conf *c, struct block *queue)
{
	const struct setting *s =
	    &queue->settings[OPTION_QUEUE_bounce_relay];
	struct block *relay;

	if (s->cnt == 0)
		return;
	relay = block_named(c, BLOCK_RELAY, s->v[0].text);
	if (relay == NULL)
		tell_no_such(c, BLOCK_RELAY, &s->v[0]);
	else if (block_kind(relay).len > 0 &&
	    !block_has(relay, KIND_TAKES_BOUNCES))
		report_add(&c->mistakes, s->v[0].place, "bounces go to senders "
		    "anywhere, and a relay of type %.*s has only those who are "
		    "here: name one of type mx or static",
		    report_len(block_kind(relay)), block_kind(relay).ptr);
	reach(queue, relay, REACH_BOUNCE);
}

static void
check_bounce_queue(struct conf *c, struct block *queue)
{
	const struct setting *s =
	    &queue->settings[OPTION_QUEUE_bounce_queue];
	const struct setting *relay =
	    &queue->settings[OPTION_QUEUE_bounce_relay];

	if (s->cnt == 0)
		return;
	queue->bounce_target = block_named(c, BLOCK_QUEUE, s->v[0].text);
	if (queue->bounce_target == NULL)
		tell_no_such(c, BLOCK_QUEUE, &s->v[0]);
	else if (kinds_queue_has(block_kind(queue->bounce_target),
	    QUEUE_KIND_PASSES))
		report_add(&c->mistakes, s->v[0].place, "%s is of type proxy, "
		    "which has no routes for bounces",
		    block_words(c, queue->bounce_target));
	else if (queue->bounce_target == queue)
		queue->bounce_target = NULL;	/* as without it */
	if (relay->given) {
		report_add(&c->mistakes, s->place, "bounces go by one of "
		    "bounce_queue and bounce_relay, not by both");
		report_note(&c->mistakes, relay->place, "the other is here");
	}
}

static void
check_queue(struct conf *c, struct block *queue)
{
	unsigned max = block_count(c->top, BLOCK_RELAY) + 1;

	if (!queue->settings[OPTION_QUEUE_route].given ||
	    queue->settings[OPTION_QUEUE_relay].given)
		check_reference(c, queue, OPTION_QUEUE_relay, BLOCK_RELAY);
	queue->relays = arena_take_array(&c->arena, max,
	    sizeof(struct block *));
	queue->reach = arena_take_array(&c->arena, max, 1);
	if (queue->relays == NULL || queue->reach == NULL)
		return;
	check_routes(c, queue);
	check_bounce_relay(c, queue);
	check_bounce_queue(c, queue);
	check_proxy(c, queue);
}

/* Bounces reach what the other queue does; its routes name no relay else. */
static void
reach_by_bounce_queue(struct block *queue)
{
	const struct block *to = queue->bounce_target;

	for (unsigned i = 0; to != NULL && i < to->relay_cnt; i++)
		reach(queue, to->relays[i], REACH_BOUNCE);
}

void
check_refs(struct conf *c)
{
	struct block *b;

	TAILQ_FOREACH(b, &c->top->blocks, entry) {
		if (b->no != BLOCK_EDGE)
			continue;
		if (!b->settings[OPTION_EDGE_relay].given)
			check_reference(c, b, OPTION_EDGE_queue, BLOCK_QUEUE);
		check_users(c, b);
	}
	check_proxy_make(c);
	TAILQ_FOREACH(b, &c->top->blocks, entry)
		if (b->no == BLOCK_QUEUE)
			check_queue(c, b);
	if (c->arena.bad)
		return;
	TAILQ_FOREACH(b, &c->top->blocks, entry)
		if (b->no == BLOCK_QUEUE)
			reach_by_bounce_queue(b);
}
