/*
 * check_doubts.c - what becomes of mail from strangers, and of mail that takes
 * its time.
 *
 * A sender that nobody asked for proof of may be anybody, and a bounce to him
 * must have a way; a recipient that nobody is asked about may be anybody, and
 * what is local then makes a mailbox for each.
 */
#include "conf/check.h"

#define SLOW_RATE	16000u	/* bytes a second: 128 kbit, a poor line */

bool
check_is_local(const struct block *relay)
{
	return block_is(relay, "maildir") || block_is(relay, "lmtp") ||
	    block_is(relay, "pipe");
}

/* A relay that hands on to any domain. */
static bool
reaches_all(const struct block *relay)
{
	return relay != NULL && !check_is_local(relay) &&
	    !relay->settings[OPTION_RELAY_recipients].given;
}

static bool
has_way_for_bounces(const struct block *queue)
{
	const struct block *by = queue->bounce_target != NULL ?
	    queue->bounce_target : queue;

	return by->settings[OPTION_QUEUE_bounce_relay].cnt > 0 ||
	    reaches_all(by->target);
}

/* An edge that hands anybody's mail to this queue; NULL: there is none. */
static const struct block *
find_open_edge(const struct conf *c, const struct block *queue)
{
	const struct block *e;

	TAILQ_FOREACH(e, &c->top->blocks, entry)
		if (e->no == BLOCK_EDGE && e->target == queue &&
		    check_is_open(e))
			return e;
	return NULL;
}

/* Of all edges: is only mail to these recipients taken? */
static bool
has_only_recipients(const struct block *edge)
{
	const struct block *rules = block_nth(edge, BLOCK_RULES, 0);

	return rules != NULL &&
	    rules->settings[OPTION_RULES_only_recipients].given;
}

static void
check_queue(struct conf *c, const struct block *queue)
{
	const struct block *edge = find_open_edge(c, queue);
	const struct block *last = queue->target;

	if (edge == NULL)
		return;
	if (!has_way_for_bounces(queue))
		report_warn(&c->mistakes, queue->name_place, "%s takes mail "
		    "from strangers by %s, and a bounce to one of them has no "
		    "way: give it bounce_relay or bounce_queue%s",
		    block_words(c, queue), block_words(c, edge),
		    c->process->settings[OPTION_PROCESS_postmaster].cnt > 0 ?
		    "" : "; a postmaster in process { } would be told of each");
	if (last != NULL && check_is_local(last) &&
	    !has_only_recipients(edge) &&
	    !last->settings[OPTION_RELAY_recipients].given)
		report_warn(&c->mistakes, last->name_place, "anybody can have "
		    "mail for any address of any domain handed to %s by %s: "
		    "give it recipients, or routes in place of relay",
		    block_words(c, last), block_words(c, edge));
}

/* Can a client with a poor line send what is allowed to it? */
static void
check_time(struct conf *c, const struct block *edge)
{
	const struct setting *size = &edge->settings[OPTION_EDGE_max_size];
	const struct setting *time =
	    &edge->settings[OPTION_EDGE_session_timeout];
	uint64_t minutes = block_num(edge, OPTION_EDGE_max_size) / SLOW_RATE /
	    60 + 1;

	if (!check_is_abroad(edge) || (!size->given && !time->given) ||
	    minutes * 60000 <= block_num(edge, OPTION_EDGE_session_timeout))
		return;
	report_warn(&c->mistakes, size->given ? size->place : time->place,
	    "a message of max_size takes %llu minutes at 128 kbit a second, "
	    "and %s ends it before: give it `session_timeout %llum'",
	    (unsigned long long)minutes, block_words(c, edge),
	    (unsigned long long)minutes * 2);
}

void
check_doubts(struct conf *c)
{
	const struct block *b;

	TAILQ_FOREACH(b, &c->top->blocks, entry)
		if (b->no == BLOCK_QUEUE)
			check_queue(c, b);
		else if (b->no == BLOCK_EDGE)
			check_time(c, b);
	check_postmaster(c);
	check_patterns(c);
	check_accounts(c);
}
