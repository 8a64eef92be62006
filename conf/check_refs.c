/*
 * check_refs.c - what the names of other blocks stand for.
 */
#include "conf/check.h"
#include "conf/propose.h"

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

/* What `queue' of an edge or `relay' of a queue means. */
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

/* One more relay that the queue can reach. */
static void
reach(struct block *queue, struct block *relay)
{
	if (relay == NULL)
		return;
	for (unsigned i = 0; i < queue->relay_cnt; i++)
		if (queue->relays[i] == relay)
			return;
	queue->relays[queue->relay_cnt++] = relay;
}

/* Values of a route come in pairs, the second is the relay. */
static void
check_routes(struct conf *c, struct block *queue)
{
	const struct setting *s = &queue->settings[OPTION_QUEUE_route];
	const struct reading *told = NULL;
	struct block *relay;

	queue->relays = arena_take_array(&c->arena, block_count(c->top,
	    BLOCK_RELAY) + 1, sizeof(struct block *));
	if (queue->relays == NULL)
		return;
	for (unsigned i = 1; i < s->cnt; i += 2) {
		relay = block_named(c, BLOCK_RELAY, s->v[i].text);
		reach(queue, relay);
		/* A line with many patterns names its relay once. */
		if (relay == NULL && (told == NULL ||
		    told->place.at != s->v[i].place.at ||
		    told->place.source != s->v[i].place.source))
			tell_no_such(c, BLOCK_RELAY, told = &s->v[i]);
	}
	reach(queue, queue->target);
}

void
check_refs(struct conf *c)
{
	struct block *b;

	TAILQ_FOREACH(b, &c->top->blocks, entry) {
		if (b->no == BLOCK_EDGE) {
			check_reference(c, b, OPTION_EDGE_queue, BLOCK_QUEUE);
			check_users(c, b);
		} else if (b->no == BLOCK_QUEUE) {
			if (!b->settings[OPTION_QUEUE_route].given ||
			    b->settings[OPTION_QUEUE_relay].given)
				check_reference(c, b, OPTION_QUEUE_relay,
				    BLOCK_RELAY);
			check_routes(c, b);
		}
	}
}
