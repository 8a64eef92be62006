/*
 * check_proxy.c - queues of type proxy, and the edges that make one by naming a
 * relay.
 *
 * A proxy has one relay, because a mail that passes through is with one next
 * hop at a time; and that must be one which takes a mail while it is coming.
 */
#include "conf/check/check.h"

/* `relay R' in an edge: a queue of the edge's name, which is of type proxy. */
static void
make_queue(struct conf *c, struct block *edge)
{
	const struct setting *relay = &edge->settings[OPTION_EDGE_relay];
	const struct setting *queue = &edge->settings[OPTION_EDGE_queue];
	const struct block *other = block_named(c, BLOCK_QUEUE, edge->name);

	if (queue->given) {
		report_add(&c->mistakes, relay->place, "%s hands its mail to "
		    "one of queue and relay, not to both",
		    block_words(c, edge));
		report_note(&c->mistakes, queue->place, "the other is here");
		return;
	}
	if (other != NULL) {
		report_add(&c->mistakes, relay->place, "this makes a queue of "
		    "type proxy with the name of the edge, and there is %s "
		    "already: rename one of the two", block_words(c, other));
		report_note(&c->mistakes, other->name_place, "it is here");
		return;
	}
	if (relay->cnt > 0 && edge->name.len > 0)
		edge->target = block_make_queue(c, edge, SPAN("proxy"),
		    &relay->v[0]);
}

void
check_proxy_make(struct conf *c)
{
	struct block *b;

	TAILQ_FOREACH(b, &c->top->blocks, entry)
		if (b->no == BLOCK_EDGE &&
		    b->settings[OPTION_EDGE_relay].given)
			make_queue(c, b);
}

static void
refuse_split(struct conf *c, const struct block *policies, enum option_no no)
{
	const struct setting *s = &policies->settings[no];

	if (s->given && s->cnt > 0 && s->v[0].num != 0)
		report_add(&c->mistakes, s->place, "a queue of type proxy "
		    "cannot split a message: it passes through as one");
}

/* The edges carry out the other policies: they are about text and sender. */
static void
check_policies(struct conf *c, const struct block *policies)
{
	const struct setting *s = &policies->settings[OPTION_POLICIES_forward];

	refuse_split(c, policies, OPTION_POLICIES_recipient_split);
	refuse_split(c, policies, OPTION_POLICIES_recipient_domain_split);
	if (s->given)
		report_add(&c->mistakes, s->place, "a queue of type proxy "
		    "cannot forward: each recipient goes to the next hop as "
		    "he came");
}

void
check_proxy(struct conf *c, const struct block *queue)
{
	const struct setting *s = &queue->settings[OPTION_QUEUE_relay];
	const struct block *policies = block_nth(queue, BLOCK_POLICIES, 0);
	const struct block *relay = queue->target;

	if (!kinds_queue_has(block_kind(queue), QUEUE_KIND_PASSES))
		return;
	if (policies != NULL)
		check_policies(c, policies);
	if (relay == NULL || block_kind(relay).len == 0 ||
	    block_has(relay, KIND_PASSES))
		return;
	report_add(&c->mistakes, s->cnt > 0 ? s->v[0].place :
	    queue->name_place, "%s is of type %.*s, which takes a message when "
	    "it is whole: mail passes through by relays of type mx, static, "
	    "lmtp and http", block_words(c, relay),
	    report_len(block_kind(relay)), block_kind(relay).ptr);
}
