/*
 * check_names.c - how we call ourselves.
 *
 * {fqdn} in `hostname' and `ehlo_as' is the hostname of the process block, in
 * a banner that of its edge; {hostname} is its first label.  {client_host} in a
 * banner is the edge's to put in.
 */
#include <string.h>

#include "conf/check/check.h"

/*
 * The text with the names put in; empty when a brace means nothing.  kept is
 * a word in braces that stays, or empty.
 */
static struct span
put_in(struct conf *c, struct span text, struct span fqdn, struct span kept)
{
	struct span out = SPAN(""), name = fqdn;
	size_t brace;

	while ((brace = span_find(text, '{')) < text.len) {
		out = arena_join(&c->arena, out, span_head(text, brace));
		text = span_tail(text, brace);
		if (span_begins(text, SPAN("{fqdn}"))) {
			text = span_tail(text, 6);
			name = fqdn;
		} else if (span_begins(text, SPAN("{hostname}"))) {
			text = span_tail(text, 10);
			name = span_head(fqdn, span_find(fqdn, '.'));
		} else if (kept.len > 0 && span_begins(text, kept)) {
			text = span_tail(text, kept.len);
			name = kept;
		} else
			return SPAN("");
		out = arena_join(&c->arena, out, name);
	}
	return arena_join(&c->arena, out, text);
}

static void
set_name(struct conf *c, struct block *b, enum option_no no, struct span fqdn)
{
	const struct setting *s = &b->settings[no];
	struct span text;

	if (s->cnt == 0) {
		if (!s->given)
			block_set(c, b, no, fqdn, 0);
		return;
	}
	text = put_in(c, s->v[0].text, fqdn, SPAN(""));
	text = read_hostname(&c->arena, text);
	if (text.len == 0)
		report_add(&c->mistakes, s->v[0].place, "`%.*s' is not the "
		    "full name of a host, with {fqdn} and {hostname} put in",
		    report_len(s->v[0].text), s->v[0].text.ptr);
	else
		block_set(c, b, no, text, 0);
}

static void
set_banner(struct conf *c, struct block *b, enum option_no no,
    struct span fqdn)
{
	const struct setting *s = &b->settings[no];
	struct span text;

	if (s->cnt == 0)
		return;
	text = put_in(c, s->v[0].text, fqdn, SPAN("{client_host}"));
	if (text.len == 0)
		report_add(&c->mistakes, s->v[0].place, "a banner has no "
		    "other braces than {fqdn}, {hostname} and {client_host}");
	else if (text.len > 500)
		report_add(&c->mistakes, s->v[0].place,
		    "a banner is at most 500 bytes with its names put in");
	else
		block_set(c, b, no, text, 0);
}

/* What it speaks is said in its first line; RFC 2033 names no other way. */
static void
set_own_banner(struct conf *c, struct block *b)
{
	const char *kinds = options_row(OPTION_EDGE_banner)->kinds;

	if (b->settings[OPTION_EDGE_banner].given ||
	    !options_fits(kinds, block_kind(b)))
		return;
	block_set(c, b, OPTION_EDGE_banner,
	    kinds_edge_has(block_kind(b), EDGE_KIND_NEVER_25) ?
	    SPAN("{fqdn} LMTP postern") : SPAN("{fqdn} ESMTP postern"), 0);
}

static void
name_edge(struct conf *c, struct block *b)
{
	struct block *rules = block_nth(b, BLOCK_RULES, 0);
	struct setting *in_edge = &b->settings[OPTION_EDGE_banner];
	struct setting *in_rules;
	struct span fqdn;

	set_name(c, b, OPTION_EDGE_hostname, c->fqdn);
	fqdn = block_text(b, OPTION_EDGE_hostname);
	set_own_banner(c, b);
	set_banner(c, b, OPTION_EDGE_banner, fqdn);
	if (rules == NULL)
		return;
	in_rules = &rules->settings[OPTION_RULES_banner];
	if (in_edge->given && in_rules->given) {
		report_add(&c->mistakes, in_rules->place,
		    "banner is set here and in the edge itself");
		report_note(&c->mistakes, in_edge->place, "the other is here");
	}
	set_banner(c, rules, OPTION_RULES_banner, fqdn);
	if (in_rules->cnt == 0)
		block_set(c, rules, OPTION_RULES_banner,
		    block_text(b, OPTION_EDGE_banner), 0);
	else
		block_set(c, b, OPTION_EDGE_banner,
		    block_text(rules, OPTION_RULES_banner), 0);
}

static bool
is_local_name(struct span s)
{
	size_t dot = span_find(s, '.');

	return span_eq_nocase(span_head(s, dot), SPAN("localhost")) ||
	    span_eq_nocase(s, SPAN("localdomain")) ||
	    span_eq_nocase(span_tail(s, dot), SPAN(".localdomain"));
}

/* Many next hops refuse these, and block lists list who says them. */
static void
name_relay(struct conf *c, struct block *b)
{
	struct setting *s = &b->settings[OPTION_RELAY_ehlo_as];

	if (block_kind(b).len == 0 || block_lacks(b,
	    options_row(OPTION_RELAY_ehlo_as)->kinds))
		return;
	set_name(c, b, OPTION_RELAY_ehlo_as, c->fqdn);
	if (s->cnt == 0 || !is_local_name(s->v[0].text))
		return;
	/* What a tool does not know, or nobody elsewhere hears. */
	if (!s->given && (c->host->fqdn == NULL || !block_has(b, KIND_LEAVES)))
		return;
	if (s->given)
		report_add(&c->mistakes, s->v[0].place,
		    "ehlo_as must not be `%.*s': it is a name of every host",
		    report_len(s->v[0].text), s->v[0].text.ptr);
	else
		report_add(&c->mistakes, b->name_place, "%s would call itself "
		    "`%.*s', a name of every host: set hostname in process, "
		    "or ehlo_as here", block_words(c, b),
		    report_len(s->v[0].text), s->v[0].text.ptr);
}

void
check_names(struct conf *c)
{
	struct span given = block_text(c->process, OPTION_PROCESS_hostname);
	struct span found = c->host->fqdn == NULL ? SPAN("") :
	    span_of(c->host->fqdn);
	struct block *b;

	if (given.len > 0)
		c->fqdn = given;
	else if (read_is_hostname(found))
		c->fqdn = arena_copy(&c->arena, found);
	else
		c->fqdn = SPAN("localhost");
	if (given.len == 0)
		block_set(c, c->process, OPTION_PROCESS_hostname, c->fqdn, 0);
	TAILQ_FOREACH(b, &c->top->blocks, entry) {
		if (b->no == BLOCK_EDGE)
			name_edge(c, b);
		else if (b->no == BLOCK_RELAY)
			name_relay(c, b);
	}
}
