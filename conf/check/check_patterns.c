/*
 * check_patterns.c - patterns that are right, and match less than they seem to.
 *
 * Of the routes of a queue the first that matches wins: each is looked for in
 * a table of those before it, which costs as much as looking for an address.
 */
#include "conf/check/check.h"
#include "conf/slice/slice.h"
#include "mail/pattern.h"

/* *@domain is the mailbox of a star; quoted, it is meant so. */
static void
check_star(struct conf *c, const struct reading *r)
{
	size_t at = r->text.len;
	struct span local;

	while (at > 0 && r->text.ptr[at - 1] != '@')
		at--;
	local = span_head(r->text, at > 0 ? at - 1 : 0);
	if (local.len == 0 || local.ptr[0] == '"' ||
	    span_find(local, '*') == local.len)
		return;
	report_warn(&c->mistakes, r->place, "`%.*s' matches no address but "
	    "just this, star and all; all of the domain is `@%.*s'",
	    report_len(r->text), r->text.ptr,
	    report_len(span_tail(r->text, at)), r->text.ptr + at);
}

/* The pattern before this one that leaves nothing for it. */
static bool
is_shadowed(const struct patterns *before, enum route_by by,
    struct span pattern, uint32_t *no)
{
	return by == ROUTE_BY_LOGIN ? pattern_find_login(before, pattern, no) :
	    pattern_covers(before, pattern, no);
}

static enum err
remember(struct patterns *before, enum route_by by, struct span pattern,
    uint32_t no)
{
	if (by == ROUTE_BY_LOGIN)
		return pattern_add_login(before, pattern, no);
	return pattern_add(before, pattern, no);
}

/* Of those that look at the same thing. */
static void
check_order(struct conf *c, const struct setting *s, enum route_by by)
{
	const struct reading *null = NULL, *r, *first;
	struct patterns *before;
	uint32_t no;

	if (pattern_new(&before) != OK)
		return;
	for (unsigned i = 0; i + 1 < s->cnt; i += 2) {
		r = &s->v[i];
		if (r->num != by)
			continue;
		first = NULL;
		if (by == ROUTE_BY_SENDER && span_eq(r->text, SPAN("<>"))) {
			first = null;
			null = r;
		} else if (is_shadowed(before, by, r->text, &no)) {
			first = &s->v[no];
		} else if (remember(before, by, r->text, i) == ERR_SYS) {
			break;		/* memory: a warning less	*/
		}
		if (first == NULL)
			continue;
		report_warn(&c->mistakes, r->place, "this can never match: "
		    "the route with `%.*s' before it matches all of it",
		    report_len(first->text), first->text.ptr);
		report_note(&c->mistakes, first->place, "it is here");
	}
	pattern_free(&before);
}

static void
check_list(struct conf *c, const struct setting *s, unsigned step)
{
	for (unsigned i = 0; i < s->cnt; i += step)
		if (step == 1 || s->v[i].num != ROUTE_BY_LOGIN)
			check_star(c, &s->v[i]);
}

void
check_patterns(struct conf *c)
{
	const struct block *b, *rules;

	TAILQ_FOREACH(b, &c->top->blocks, entry) {
		if (b->no == BLOCK_QUEUE) {
			const struct setting *s =
			    &b->settings[OPTION_QUEUE_route];

			check_list(c, s, 2);
			for (int by = 0; by < ROUTE_BY__COUNT; by++)
				check_order(c, s, (enum route_by)by);
		} else if (b->no == BLOCK_RELAY) {
			check_list(c, &b->settings[OPTION_RELAY_recipients],
			    1);
		} else if (b->no == BLOCK_EDGE &&
		    (rules = block_nth(b, BLOCK_RULES, 0)) != NULL) {
			check_list(c, &rules->settings[
			    OPTION_RULES_only_recipients], 1);
		}
	}
}
