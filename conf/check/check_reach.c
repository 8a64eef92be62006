/*
 * check_reach.c - who can reach what.
 *
 * An edge is an open relay when somebody beyond this host can make it hand
 * mail to somebody else: a listener beyond loopback, a queue that can reach a
 * relay which goes out and takes all recipients, and none of require_auth,
 * only_recipients and clients in front.  What is everybody is no protection.
 *
 * A relay whose next hop is a listener of ours brings its own mail back.
 */
#include "conf/check/check.h"
#include "conf/check/everybody.h"

#define SMTP_PORT	25

static bool
is_same_net(const struct net *a, const struct net *b)
{
	if (a->family != b->family)
		return false;
	if (net_is_any(a) || net_is_any(b))
		return true;
	for (unsigned i = 0; i < 16; i++)
		if (a->address[i] != b->address[i])
			return false;
	return true;
}

static bool
is_clash(const struct block *l, const struct block *m)
{
	struct net a, b;

	if (block_num(l, OPTION_LISTENER_port) !=
	    block_num(m, OPTION_LISTENER_port) ||
	    block_num(l, OPTION_LISTENER_port) == 0)
		return false;
	for (unsigned i = 0; block_listener_net(l, i, &a); i++)
		for (unsigned k = 0; block_listener_net(m, k, &b); k++)
			if (is_same_net(&a, &b))
				return true;
	return false;
}

/* Does a listener before this one, in this edge or another, have its place? */
static void
check_clash(struct conf *c, const struct block *last)
{
	const struct block *e, *l;

	TAILQ_FOREACH(e, &c->top->blocks, entry) {
		if (e->no != BLOCK_EDGE)
			continue;
		TAILQ_FOREACH(l, &e->blocks, entry) {
			if (l == last)
				return;
			if (l->no != BLOCK_LISTENER || !is_clash(l, last))
				continue;
			report_add(&c->mistakes, last->place,
			    "another listener has this address and port: "
			    "that of %s", block_words(c, e));
			report_note(&c->mistakes, l->place, "it is here");
			return;
		}
	}
}

/* Recipients are given, and not just all names that end in .com. */
static bool
is_choice(const struct setting *recipients)
{
	return recipients->given && everybody_pattern(recipients) == NULL;
}

/*
 * The first relay that hands on to whom it is told by anybody; NULL when none
 * does.  Who has logged in may, and bounces are ours.
 */
static const struct block *
way_out(const struct block *queue)
{
	for (unsigned i = 0; i < queue->relay_cnt; i++) {
		const struct block *r = queue->relays[i];

		if ((queue->reach[i] & REACH_MAIL) != 0 &&
		    block_has(r, KIND_LEAVES) &&
		    !is_choice(&r->settings[OPTION_RELAY_recipients]))
			return r;
	}
	return NULL;
}

bool
check_is_local(const struct block *relay)
{
	const struct kind_row *kind = kinds_find(block_kind(relay));

	return kind != NULL && kind->reach == KIND_TO_HERE;
}

bool
check_is_open(const struct block *edge)
{
	const struct block *rules = block_nth(edge, BLOCK_RULES, 0);
	const struct setting *clients;

	if (rules == NULL || block_num(rules, OPTION_RULES_require_auth) != 0)
		return false;
	clients = &rules->settings[OPTION_RULES_clients];
	if (clients->given && everybody_networks(clients) == NULL)
		return false;
	return block_is_abroad(edge);
}

/* The value by which all are let in, where there is one. */
static const struct reading *
open_value(const struct block *rules, const struct block *out)
{
	const struct reading *r;

	if ((r = everybody_networks(
	    &rules->settings[OPTION_RULES_clients])) == NULL)
		r = everybody_pattern(&out->settings[OPTION_RELAY_recipients]);
	return r;
}

static void
check_open(struct conf *c, const struct block *e, const struct block *l)
{
	const struct block *rules = block_nth(e, BLOCK_RULES, 0);
	const struct block *out;
	const struct setting *clients;
	const struct reading *value;

	if ((!block_is_beyond(l) &&
	    e->settings[OPTION_EDGE_proxy_protocol].cnt == 0) ||
	    rules == NULL || e->target == NULL ||
	    (out = way_out(e->target)) == NULL ||
	    rules->settings[OPTION_RULES_only_recipients].given ||
	    block_num(rules, OPTION_RULES_require_auth) != 0)
		return;
	clients = &rules->settings[OPTION_RULES_clients];
	if (clients->given && everybody_networks(clients) == NULL)
		return;
	value = open_value(rules, out);
	report_add(&c->mistakes, value != NULL ? value->place : l->place,
	    "%s is an open relay: anybody can send to anybody through %s; "
	    "give require_auth, clients or only_recipients in its rules, or "
	    "recipients in the relay, or listen on 127.0.0.1",
	    block_words(c, e), block_words(c, out));
}

/* RFC 2033 5: who finds it there takes it for SMTP, and its answers for one. */
static void
check_port(struct conf *c, const struct block *e, const struct block *l)
{
	if (!kinds_edge_has(block_kind(e), EDGE_KIND_NEVER_25) ||
	    l->settings[OPTION_LISTENER_path].given ||
	    block_num(l, OPTION_LISTENER_port) != SMTP_PORT)
		return;
	report_add(&c->mistakes, l->place, "%s cannot listen on port 25, where "
	    "everybody expects SMTP; leave it out for %u, or give a path",
	    block_words(c, e), kinds_find_edge(block_kind(e))->port);
}

/* Where clients of its kind look for it. */
static void
settle_ports(struct conf *c, const struct block *e)
{
	const struct edge_kind_row *kind = kinds_find_edge(block_kind(e));
	struct block *l;

	TAILQ_FOREACH(l, &e->blocks, entry)
		if (l->no == BLOCK_LISTENER &&
		    !l->settings[OPTION_LISTENER_path].given &&
		    !l->settings[OPTION_LISTENER_port].given)
			block_set(c, l, OPTION_LISTENER_port, SPAN(""),
			    kind != NULL ? kind->port : SMTP_PORT);
}

/* Is the next hop of the relay this listener?  A name is not looked up. */
static bool
is_hop(const struct conf *c, const struct block *relay,
    const struct block *l)
{
	const struct setting *host = &relay->settings[OPTION_RELAY_host];
	struct span name = host->v[0].text;
	bool is_loopback = host->v[0].net.family != 0 ?
	    net_is_loopback(&host->v[0].net) :
	    span_eq_nocase(name, SPAN("localhost"));
	bool is_named = host->v[0].net.family == 0 && span_eq_nocase(name,
	    block_text(c->process, OPTION_PROCESS_hostname));
	struct net n;

	if (l->settings[OPTION_LISTENER_path].given ||
	    block_num(l, OPTION_LISTENER_port) !=
	    block_num(relay, OPTION_RELAY_port))
		return false;
	for (unsigned i = 0; block_listener_net(l, i, &n); i++)
		if (is_named || (host->v[0].net.family != 0 ?
		    (net_is_any(&n) ? is_loopback &&
		    n.family == host->v[0].net.family :
		    is_same_net(&n, &host->v[0].net)) : is_loopback &&
		    (net_is_any(&n) || net_is_loopback(&n))))
			return true;
	return false;
}

/* Mail of this edge may go by a relay that hands it to this edge again. */
static void
check_circle(struct conf *c, const struct block *e, const struct block *l)
{
	const struct block *queue = e->target;

	for (unsigned i = 0; queue != NULL && i < queue->relay_cnt; i++) {
		const struct block *r = queue->relays[i];

		if (r->settings[OPTION_RELAY_host].cnt == 0 ||
		    !is_hop(c, r, l))
			continue;
		report_warn(&c->mistakes, r->settings[OPTION_RELAY_host].place,
		    "this is a listener of ours: mail that %s hands on "
		    "comes in by %s again, and again", block_words(c, r),
		    block_words(c, e));
		return;
	}
}

void
check_reach(struct conf *c)
{
	const struct block *e, *l;

	TAILQ_FOREACH(e, &c->top->blocks, entry)
		if (e->no == BLOCK_EDGE)
			settle_ports(c, e);
	TAILQ_FOREACH(e, &c->top->blocks, entry) {
		if (e->no != BLOCK_EDGE)
			continue;
		TAILQ_FOREACH(l, &e->blocks, entry) {
			if (l->no != BLOCK_LISTENER)
				continue;
			check_clash(c, l);
			check_port(c, e, l);
			check_open(c, e, l);
			check_circle(c, e, l);
		}
	}
}
