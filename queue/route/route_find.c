/* route_find.c - the first rule that matches, and what comes of it. */
#include <stdio.h>
#include <string.h>

#include "mail/domain.h"
#include "queue/route/route_inside.h"
#include "queue/plan/suspension.h"

static bool
is_postmaster(const struct address *a)
{
	return span_eq_nocase(a->local, SPAN("postmaster"));
}

bool
route_is_home(const struct routes *r, const struct address *a)
{
	uint32_t no;

	return r->homes != NULL && pattern_find(r->homes, a, &no);
}

static bool
is_our_postmaster(const struct routes *r, const struct address *a)
{
	return is_postmaster(a) && route_is_home(r, a);
}

/* The first rule that matches; ROUTE_NONE when none does. */
static uint32_t
find_rule(const struct routes *r, const struct route_ask *ask,
    const struct address *to)
{
	uint32_t best = ROUTE_NONE, no;
	struct address from;

	if (pattern_find(r->by[ROUTE_BY_RCPT], to, &no))
		best = no;
	if (ask->sender.len == 0 && r->null_rule < best)
		best = r->null_rule;
	if (ask->sender.len > 0 &&
	    address_parse(ask->sender, true, &from) == OK &&
	    pattern_find(r->by[ROUTE_BY_SENDER], &from, &no) && no < best)
		best = no;
	if (pattern_find_login(r->by[ROUTE_BY_LOGIN], ask->login, &no) &&
	    no < best)
		best = no;
	return best;
}

/* Is the domain one of those that rules name this relay for? */
static bool
is_routed(const struct route_relay *relay, const struct address *a)
{
	uint32_t no;

	return relay->routed != NULL && pattern_find(relay->routed, a, &no);
}

/* The first rule that names a relay for the domain, or ROUTE_NONE. */
static uint32_t
find_host(const struct routes *r, const struct address *a)
{
	uint32_t best = ROUTE_NONE, no;

	for (uint32_t i = 0; i < r->relay_cnt; i++)
		if (r->relays[i].routed != NULL &&
		    pattern_find(r->relays[i].routed, a, &no) && no < best)
			best = no;
	return best;
}

/* Is it on the relay's list, as it is or without its detail? */
static bool
is_listed(const struct route_relay *relay, const struct address *a)
{
	struct address user = *a;
	uint32_t no;

	if (pattern_find(relay->rcpts, a, &no))
		return true;
	user.local = address_user(a->local, relay->delimiter);
	return user.local.len < a->local.len &&
	    pattern_find(relay->rcpts, &user, &no);
}

/*
 * Does the relay reach the domain of a bounce, as far as we can know?  What is
 * ours is here for one that hands on to nobody else.
 */
static bool
reaches(const struct routes *r, uint32_t relay_no, const struct address *a)
{
	const struct route_relay *relay = &r->relays[relay_no];
	uint32_t no;

	if (relay->rcpts != NULL)
		return is_listed(relay, a) ||
		    pattern_knows(relay->rcpts, a->domain, &no);
	return relay->kind != ROUTE_LOCAL || is_routed(relay, a) ||
	    route_is_home(r, a);
}

/* Who could have a bounce in UTF-8 to anywhere: the bounce relay, or an mx. */
static uint32_t
find_utf8(const struct routes *r)
{
	if (r->bounce_relay != ROUTE_NONE &&
	    !r->relays[r->bounce_relay].no_utf8)
		return r->bounce_relay;
	for (uint32_t i = 0; i < r->relay_cnt; i++)
		if (r->relays[i].kind == ROUTE_MX && r->relays[i].rcpts == NULL)
			return i;
	return ROUTE_NONE;
}

/* Has a bounce another way than this relay, which cannot carry it? */
static bool
is_diverted(const struct routes *r, struct span to, uint32_t no)
{
	const struct route_relay *relay = &r->relays[no];

	return relay->no_utf8 && relay->kind != ROUTE_LOCAL &&
	    relay->rcpts == NULL && address_needs_utf8(to) &&
	    find_utf8(r) != ROUTE_NONE;
}

/* Where no rule matches. */
static uint32_t
choose_last(const struct routes *r, const struct route_ask *ask,
    const struct address *a)
{
	uint32_t no = r->last;

	if (!ask->is_bounce)
		return no;
	if (no == ROUTE_NONE || !reaches(r, no, a))
		no = r->bounce_relay;
	return no != ROUTE_NONE && is_diverted(r, a->whole, no) ?
	    find_utf8(r) : no;
}

/*
 * The rule that is followed, or ROUTE_NONE, and the relay it is for; a rule
 * to a relay that cannot have the domain of a bounce is not for bounces.
 */
static uint32_t
choose(const struct routes *r, const struct route_ask *ask,
    const struct address *a, uint32_t *rule)
{
	uint32_t no = find_rule(r, ask, a);

	if (no != ROUTE_NONE && ask->is_bounce &&
	    r->rules[no].does == ROUTE_DOES_RELAY &&
	    r->rules[no].by != ROUTE_BY_RCPT) {
		uint32_t by = r->rules[no].relay_no;

		if (!reaches(r, by, a) ||
		    is_diverted(r, a->whole, by))
			no = ROUTE_NONE;
	}
	if (no == ROUTE_NONE && r->last == ROUTE_NONE && is_postmaster(a))
		no = find_host(r, a);
	if (no == ROUTE_NONE && r->last == ROUTE_NONE &&
	    is_our_postmaster(r, a))
		no = r->first_host;	/* to somebody, then		*/
	*rule = no;
	return no != ROUTE_NONE ? r->rules[no].relay_no :
	    choose_last(r, ask, a);
}

static bool
is_taken(const struct route_relay *relay, const struct address *a,
    struct route *out)
{
	uint32_t no;

	out->knows_domain = false;
	if (relay->rcpts == NULL)
		return true;
	out->knows_domain = pattern_knows(relay->rcpts, a->domain, &no);
	return is_listed(relay, a) ||
	    (out->knows_domain && is_postmaster(a));
}

/* The rule it is found by is told; true when the rule says it all. */
static bool
follow(const struct route_rule *rule, struct route *out, enum route_verdict *v)
{
	out->rule = span_of(rule->pattern);
	out->by = rule->by;
	out->text = rule->text;
	*v = rule->does == ROUTE_DOES_REFUSE ? ROUTE_REFUSED : ROUTE_DISCARDED;
	return rule->does != ROUTE_DOES_RELAY;
}

enum route_verdict
route_find(const struct routes *r, const struct route_ask *ask,
    struct route *out)
{
	const struct route_relay *relay;
	enum route_verdict v;
	struct address a;
	uint32_t rule;

	if (ask->is_bounce && r->bounces != NULL)
		r = r->bounces;
	*out = (struct route){ .relay = NULL };
	if (address_parse(ask->rcpt, true, &a) != OK ||
	    domain_key(a.domain, out->domain) == 0)
		return ROUTE_NO_ADDRESS;
	out->relay_no = choose(r, ask, &a, &rule);
	if (rule != ROUTE_NONE && follow(&r->rules[rule], out, &v))
		return v;
	if (out->relay_no == ROUTE_NONE)
		return ROUTE_NOWHERE;
	relay = &r->relays[out->relay_no];
	out->relay = relay->name;
	strlcpy(out->destination, relay->kind == ROUTE_MX ||
	    suspension_of_domain(r->suspended, relay->name, out->domain) !=
	    NULL ? out->domain : relay->name, sizeof(out->destination));
	return is_taken(relay, &a, out) || is_our_postmaster(r, &a) ?
	    ROUTE_FOUND : ROUTE_UNKNOWN;
}

const char *
route_users_of(const struct routes *r, const struct route_ask *ask)
{
	struct address a;
	struct route way;

	if (route_find(r, ask, &way) != ROUTE_FOUND ||
	    !r->relays[way.relay_no].has_users ||
	    address_parse(ask->rcpt, true, &a) != OK || is_postmaster(&a))
		return NULL;
	return way.relay;
}

void
route_keep(struct route_kept *k, const struct route *r, enum route_verdict v,
    uint64_t turn)
{
	*k = (struct route_kept){
		.turn = turn, .relay_no = r->relay_no, .is_known = true,
		.is_discarded = v == ROUTE_DISCARDED,
		.by_domain = strcmp(r->destination, r->domain) == 0,
	};
}

enum route_verdict
route_again(const struct routes *r, const struct route_kept *k,
    struct span rcpt, struct route *out)
{
	struct address a;

	*out = (struct route){ .relay_no = k->relay_no };
	if (k->is_discarded)
		return ROUTE_DISCARDED;
	if (address_parse(rcpt, true, &a) != OK ||
	    domain_key(a.domain, out->domain) == 0)
		return ROUTE_NO_ADDRESS;
	out->relay = r->relays[k->relay_no].name;
	strlcpy(out->destination, k->by_domain ? out->domain : out->relay,
	    sizeof(out->destination));
	return ROUTE_FOUND;
}

/* "5.1.6 It has moved": 550, 5.1.6, and the rest. */
static void
say_refusal(const char *text, struct route_reply *out)
{
	struct span all = span_of(text);
	size_t end = span_find(all, ' ');

	out->code = text[0] == '4' ? 450 : 550;
	if (!span_cstr(span_head(all, end), out->dsn, sizeof(out->dsn)))
		out->dsn[0] = '\0';
	(void)span_cstr(span_tail(all, end + 1), out->text,
	    sizeof(out->text));
}

enum route_verdict
route_judge(const struct routes *routes, const struct route_ask *ask,
    struct route *r, struct route_reply *out)
{
	static const struct {
		uint16_t	 code;
		const char	*dsn, *text;
	} words[] = {
		[ROUTE_FOUND] = { 250, "2.1.5", "Ok" },
		[ROUTE_NOWHERE] = { 550, "5.1.2",
		    "No route to that domain from here" },
		[ROUTE_UNKNOWN] = { 550, "5.1.1", "No such recipient here" },
		[ROUTE_NO_ADDRESS] = { 550, "5.1.3", "That is no address" },
		[ROUTE_REFUSED] = { 550, "5.0.0", "Refused by a route" },
		[ROUTE_DISCARDED] = { 250, "2.1.5", "Ok" },
	};
	enum route_verdict v = route_find(routes, ask, r);

	out->code = words[v].code;
	strlcpy(out->dsn, words[v].dsn, sizeof(out->dsn));
	strlcpy(out->text, words[v].text, sizeof(out->text));
	if (v == ROUTE_REFUSED && r->text != NULL)
		say_refusal(r->text, out);
	else if (v == ROUTE_UNKNOWN && r->knows_domain)
		snprintf(out->text, sizeof(out->text),
		    "No such recipient at %s", r->domain);
	return v;
}
