/*
 * check_doubts.c - what becomes of mail from strangers, and of mail that takes
 * its time.
 *
 * A sender that nobody asked for proof of may be anybody, and a bounce to him
 * must have a way; a recipient that nobody is asked about may be anybody, and
 * what is local then makes a mailbox for each.
 *
 * A name without a dot is refused by many servers in EHLO, and means nothing
 * to who reads it elsewhere.
 */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "conf/check/check.h"
#include "mail/alias_table.h"

#define SLOW_RATE	16000u	/* bytes a second: 128 kbit, a poor line */

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

	/* What passes through is the next hop's to know, and never bounced. */
	if (edge == NULL || kinds_queue_has(block_kind(queue),
	    QUEUE_KIND_PASSES))
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

/* Is there an alias for root, or for all of a domain, whatever it says? */
static bool
has_root(const struct setting *aliases)
{
	struct span user;

	for (unsigned i = 0; i < aliases->cnt; i++) {
		if (aliases->v[i].num != ALIASES_KEY)
			continue;
		user = alias_table_key(aliases->v[i].text).local;
		if (user.len == 0 || span_eq_nocase(user, SPAN("root")) ||
		    span_eq_nocase(user, SPAN("\"root\"")))
			return true;
	}
	return false;
}

/* Nothing is written as root, so its mail must be somebody's. */
static void
check_root(struct conf *c, const struct block *queue)
{
	const struct setting *s = &queue->settings[OPTION_QUEUE_aliases];

	if (has_root(s))
		return;
	for (unsigned i = 0; i < queue->relay_cnt; i++)
		if (block_has(queue->relays[i], KIND_HAS_USERS)) {
			report_warn(&c->mistakes, queue->name_place, "mail for "
			    "root waits in %s, for nothing is written as root: "
			    "give it a line such as `root: ann' in a file of "
			    "aliases", block_words(c, queue));
			return;
		}
}

/*
 * Is the disk of the queue smaller than what it keeps free there?  A directory
 * that is not there yet will be on the disk of the one above it.
 */
static void
check_spool(struct conf *c, const struct block *queue)
{
	const struct setting *s = &queue->settings[OPTION_QUEUE_path];
	char path[PLAN_PATH_MAX];
	uint64_t bytes = 0;
	char *end;

	if (kinds_queue_has(block_kind(queue), QUEUE_KIND_PASSES))
		return;
	if (!kinds_queue_has(block_kind(queue), QUEUE_KIND_KEEPS)) {
		report_warn(&c->mistakes,
		    queue->settings[OPTION_QUEUE_type].v[0].place,
		    "%s keeps its mail in memory: all that waits there is "
		    "lost when it ends, though clients have heard 250",
		    block_words(c, queue));
		return;
	}
	if (c->opener->disk == NULL || s->cnt == 0 ||
	    !span_cstr(s->v[0].text, path, sizeof(path)))
		return;
	while ((bytes = c->opener->disk(c->opener->arg, path)) == 0 &&
	    (end = strrchr(path, '/')) != NULL && end != path)
		*end = '\0';
	if (bytes == 0 || bytes > STORE_RESERVE + STORE_RESERVE / 16)
		return;
	report_warn(&c->mistakes, s->given ? s->v[0].place : queue->name_place,
	    "%s will take no mail: its disk has %llu MiB, and %llu MiB must be "
	    "free there beside what it holds", block_words(c, queue),
	    (unsigned long long)(bytes >> 20),
	    (unsigned long long)(STORE_RESERVE >> 20));
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

	if (!block_is_abroad(edge) || (!size->given && !time->given) ||
	    minutes * 60000 <= block_num(edge, OPTION_EDGE_session_timeout))
		return;
	report_warn(&c->mistakes, size->given ? size->place : time->place,
	    "a message of max_size takes %llu minutes at 128 kbit a second, "
	    "and %s ends it before: give it `session_timeout %llum'",
	    (unsigned long long)minutes, block_words(c, edge),
	    (unsigned long long)minutes * 2);
}

static bool
has_dot(struct span name)
{
	return span_find(name, '.') < name.len;
}

/* The name of the host itself, given or found out. */
static void
check_host(struct conf *c)
{
	const struct setting *given =
	    &c->process->settings[OPTION_PROCESS_hostname];
	bool is_known = given->given || c->host->fqdn != NULL;

	if (!is_known || has_dot(c->fqdn))
		return;
	report_warn(&c->mistakes, given->given ? given->v[0].place :
	    c->process->place, "%s `%.*s', which has no dot: other servers "
	    "refuse such a name or do not know whose it is; %s",
	    given->given ? "the hostname is" : "this host calls itself",
	    report_len(c->fqdn), c->fqdn.ptr, given->given ?
	    "give the full name" : "set hostname in process");
}

/* A name that an edge or a relay gives itself, and has written. */
static void
check_given_name(struct conf *c, const struct block *b, enum option_no no)
{
	const struct setting *s = &b->settings[no];

	if (s->given && s->cnt > 0 && !has_dot(s->v[0].text) &&
	    has_dot(c->fqdn))
		report_warn(&c->mistakes, s->v[0].place, "`%.*s' has no dot: "
		    "other servers refuse such a name or do not know whose it "
		    "is", report_len(s->v[0].text), s->v[0].text.ptr);
}

/*
 * RFC 8314 3.3, 7.3: on 465 TLS is spoken at once; on the others one side
 * would wait for the other's first word, until both give up.
 */
static void
check_port(struct conf *c, const struct block *b, const struct setting *port,
    const struct block *at, bool at_once)
{
	uint64_t no = port->cnt > 0 ? port->v[0].num : 0;
	struct place place = port->given ? port->place : at->place;

	if (at_once && (no == 25 || no == 587))
		report_warn(&c->mistakes, place, "on port %u both sides begin "
		    "in the clear, and with tls_immediately %s does not; it "
		    "belongs to port 465", (unsigned)no, block_words(c, b));
	else if (!at_once && no == 465)
		report_warn(&c->mistakes, place, "on port 465 TLS is spoken "
		    "at once, and %s does not without `tls_immediately yes'",
		    block_words(c, b));
}

/* Is its one next hop asked what it can? */
static bool
is_asked(const struct block *relay)
{
	return block_has(relay, KIND_ONE_HOP) && !block_lacks(relay,
	    options_row(OPTION_RELAY_ask_after)->kinds);
}

/* When it will be known of a relay with one next hop. */
static void
tell_utf8(struct conf *c, const struct block *edge, const struct block *relay)
{
	const struct setting *s = &edge->settings[OPTION_EDGE_smtputf8];
	uint64_t ms = block_num(relay, OPTION_RELAY_ask_after);
	char when[80];

	if (ms == 0)
		(void)snprintf(when, sizeof(when), "not asked before its "
		    "first mail (`ask_after 0')");
	else
		(void)snprintf(when, sizeof(when), "asked %g seconds after a "
		    "start", (double)ms / 1000);
	if (s->given)
		report_warn(&c->mistakes, s->v[0].place, "`auto' depends on "
		    "what the next hop of %s offers, which is %s; `posternctl "
		    "status' says what has come of it",
		    block_words(c, relay), when);
	else
		report_fact(&c->mistakes, edge->place, "what %s can promise "
		    "of SMTPUTF8 depends on what the next hop of %s offers, "
		    "which is %s; `posternctl status' says what has come of "
		    "it", block_words(c, edge), block_words(c, relay), when);
}

static void
tell_utf8_auto(struct conf *c, const struct block *edge)
{
	const struct block *queue = edge->target;
	unsigned cnt = 0;

	for (unsigned i = 0; i < queue->relay_cnt; i++) {
		if (!is_asked(queue->relays[i]))
			continue;
		tell_utf8(c, edge, queue->relays[i]);
		cnt++;
	}
	if (cnt == 0)
		report_fact(&c->mistakes, edge->place, "%s offers SMTPUTF8: "
		    "all relays of %s can carry it", block_words(c, edge),
		    block_words(c, queue));
}

/* A promise for a next hop that nobody has asked; or when it can be made. */
static void
check_utf8(struct conf *c, const struct block *edge)
{
	const struct setting *s = &edge->settings[OPTION_EDGE_smtputf8];
	struct span word = block_text(edge, OPTION_EDGE_smtputf8);
	const struct block *queue = edge->target, *r;

	if (queue == NULL || span_eq(word, SPAN("no")))
		return;
	if (span_eq(word, SPAN("auto"))) {
		tell_utf8_auto(c, edge);
		return;
	}
	for (unsigned i = 0; i < queue->relay_cnt; i++) {
		r = queue->relays[i];
		if (!is_asked(r))
			continue;
		report_warn(&c->mistakes, s->v[0].place, "SMTPUTF8 is offered "
		    "whatever the next hop of %s can: what it does not take "
		    "comes back, or is lost if its sender is in UTF-8 too; "
		    "`auto' offers what the hop does", block_words(c, r));
		return;
	}
}

static void
check_edge(struct conf *c, const struct block *e)
{
	const struct block *l;

	check_utf8(c, e);
	check_time(c, e);
	check_given_name(c, e, OPTION_EDGE_hostname);
	TAILQ_FOREACH(l, &e->blocks, entry)
		if (l->no == BLOCK_LISTENER)
			check_port(c, e, &l->settings[OPTION_LISTENER_port],
			    l, block_num(e, OPTION_EDGE_tls_immediately) != 0);
}

static bool
has_relay(const struct block *queue, const struct block *relay)
{
	for (unsigned i = 0; i < queue->relay_cnt; i++)
		if (queue->relays[i] == relay)
			return true;
	return false;
}

/* Is all that it gets on its way through? */
static bool
only_passes(const struct conf *c, const struct block *relay)
{
	bool passes = false;
	const struct block *q;

	TAILQ_FOREACH(q, &c->top->blocks, entry) {
		if (q->no != BLOCK_QUEUE || !has_relay(q, relay))
			continue;
		if (!kinds_queue_has(block_kind(q), QUEUE_KIND_PASSES))
			return false;
		passes = true;
	}
	return passes;
}

/* Text is converted by who has it whole. */
static void
check_eightbit(struct conf *c, const struct block *r)
{
	const struct setting *s = &r->settings[OPTION_RELAY_eightbit];

	if (!s->given || s->cnt == 0 ||
	    !span_eq(s->v[0].text, SPAN("convert")) || !only_passes(c, r))
		return;
	report_warn(&c->mistakes, s->v[0].place, "%s has only mail that passes "
	    "through, of which nothing is converted: BODY=8BITMIME is refused "
	    "where the next hop lacks it, or say `eightbit send'",
	    block_words(c, r));
}

/* Where its users' mail is, and what they say of it, may be out of reach. */
static void
check_homes(struct conf *c, const struct block *r)
{
	bool writes = span_begins(block_text(r, OPTION_RELAY_path_local),
	    SPAN("~/")) || block_as_recipient(r);

	if (!block_has(r, KIND_HAS_USERS))
		return;
	if (c->host->homes == CONF_HOMES_HIDDEN && (writes ||
	    block_num(r, OPTION_RELAY_forward_file) != 0))
		report_warn(&c->mistakes, r->name_place, "%s needs the homes "
		    "of users, and this unit hides them: give it "
		    "ProtectHome=no, by `systemctl edit postern'",
		    block_words(c, r));
	else if (c->host->homes == CONF_HOMES_READ_ONLY && writes)
		report_warn(&c->mistakes, r->name_place, "%s writes to the "
		    "homes of users, and for this unit they are read-only: "
		    "give it ProtectHome=no, by `systemctl edit postern'",
		    block_words(c, r));
}

static void
check_relay_doubts(struct conf *c, const struct block *r)
{
	check_homes(c, r);
	check_eightbit(c, r);
	if (!block_has(r, KIND_LEAVES))
		return;
	check_given_name(c, r, OPTION_RELAY_ehlo_as);
	if (block_has(r, KIND_ONE_HOP))
		check_port(c, r, &r->settings[OPTION_RELAY_port], r,
		    block_num(r, OPTION_RELAY_tls_immediately) != 0);
}

void
check_doubts(struct conf *c)
{
	const struct block *b;

	check_host(c);
	TAILQ_FOREACH(b, &c->top->blocks, entry)
		if (b->no == BLOCK_QUEUE) {
			check_queue(c, b);
			check_root(c, b);
			check_spool(c, b);
		} else if (b->no == BLOCK_EDGE)
			check_edge(c, b);
		else if (b->no == BLOCK_RELAY)
			check_relay_doubts(c, b);
	check_postmaster(c);
	check_patterns(c);
	check_accounts(c);
}
