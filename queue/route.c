/*
 * route.c - rules are numbered by their place, and patterns are pattern.c's:
 * one table for each thing that rules look at, of which the lowest number wins.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mail/domain.h"
#include "mail/pattern.h"
#include "queue/route.h"
#include "queue/suspension.h"

#define NO_RELAY	UINT32_MAX
#define NO_RULE		UINT32_MAX

struct relay_row {
	char		 name[BLOCK_NAME_MAX + 1];
	enum route_kind	 kind;
	bool		 has_one_hop;
	char		 delimiter;	/* of user+detail; 0 none	*/
	struct patterns	*rcpts;		/* NULL: takes all		*/
	struct patterns	*routed;	/* domains that rules name it for, by
					 * the number of the first	*/
};

struct rule {
	char		*pattern;
	char		*text;		/* of a refusal			*/
	enum route_by	 by;
	enum route_does	 does;
	uint32_t	 relay_no;
};

struct routes {
	struct relay_row *relays;
	uint32_t	 relay_cnt;
	struct rule	*rules;
	uint32_t	 rule_cnt, rule_cap;
	struct patterns	*by[ROUTE_BY__COUNT];
	uint32_t	 null_rule;	/* first that matches sender <>	*/
	uint32_t	 first_host;	/* first of recipients to a relay */
	uint32_t	 last;		/* relay, or NO_RELAY		*/
	uint32_t	 bounce_relay;	/* the same			*/
	struct routes	*bounces;	/* theirs, or NULL		*/
	bool		 refuses;	/* some rule does		*/
	const struct suspension_set *suspended;	/* or NULL	*/
	char		 home[DOMAIN_KEY_MAX];	/* our own name, its key */
};

enum err
route_new(struct routes **out)
{
	struct routes *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return ERR_SYS;
	r->last = r->bounce_relay = NO_RELAY;
	r->null_rule = r->first_host = NO_RULE;
	for (int by = 0; by < ROUTE_BY__COUNT; by++)
		if (pattern_new(&r->by[by]) != OK) {
			route_free(&r);
			return ERR_SYS;
		}
	*out = r;
	return OK;
}

void
route_free(struct routes **routes)
{
	struct routes *r = *routes;

	if (r == NULL)
		return;
	for (uint32_t i = 0; i < r->relay_cnt; i++) {
		pattern_free(&r->relays[i].rcpts);
		pattern_free(&r->relays[i].routed);
	}
	for (uint32_t i = 0; i < r->rule_cnt; i++) {
		free(r->rules[i].pattern);
		free(r->rules[i].text);
	}
	for (int by = 0; by < ROUTE_BY__COUNT; by++)
		pattern_free(&r->by[by]);
	route_free(&r->bounces);
	free(r->relays);
	free(r->rules);
	free(r);
	*routes = NULL;
}

static uint32_t
find_relay(const struct routes *r, struct span name)
{
	for (uint32_t i = 0; i < r->relay_cnt; i++)
		if (span_eq(span_of(r->relays[i].name), name))
			return i;
	return NO_RELAY;
}

enum err
route_add_relay(struct routes *r, struct span name, enum route_kind kind)
{
	struct relay_row row = { .kind = kind }, *more;

	if (!span_cstr(name, row.name, sizeof(row.name)) || name.len == 0 ||
	    find_relay(r, name) != NO_RELAY)
		return ERR_PEER;
	more = reallocarray(r->relays, r->relay_cnt + 1, sizeof(*more));
	if (more == NULL)
		return ERR_SYS;
	r->relays = more;
	r->relays[r->relay_cnt++] = row;
	return OK;
}

/* One more pattern of a table that is made when it gets its first. */
static enum err
add_pattern(struct patterns **p, struct span pattern, uint32_t no)
{
	enum err e;

	if (*p == NULL && (e = pattern_new(p)) != OK)
		return e;
	return pattern_add(*p, pattern, no);
}

enum err
route_add_rcpt(struct routes *r, struct span relay, struct span pattern)
{
	uint32_t no = find_relay(r, relay);

	return no == NO_RELAY ? ERR_PEER :
	    add_pattern(&r->relays[no].rcpts, pattern, 0);
}

enum err
route_set_delimiter(struct routes *r, struct span relay, char delimiter)
{
	uint32_t no = find_relay(r, relay);

	if (no == NO_RELAY)
		return ERR_PEER;
	r->relays[no].delimiter = delimiter;
	return OK;
}

enum err
route_set_one_hop(struct routes *r, struct span relay)
{
	uint32_t no = find_relay(r, relay);

	if (no == NO_RELAY)
		return ERR_PEER;
	r->relays[no].has_one_hop = true;
	return OK;
}

const char *
route_one_hop(const struct routes *r, unsigned *at)
{
	while (*at < r->relay_cnt) {
		const struct relay_row *row = &r->relays[(*at)++];

		if (row->has_one_hop)
			return row->name;
	}
	return NULL;
}

static enum err
add_to_table(struct routes *r, enum route_by by, struct span pattern)
{
	if (by == ROUTE_BY_LOGIN)
		return pattern_add_login(r->by[by], pattern, r->rule_cnt);
	if (by == ROUTE_BY_SENDER && span_eq(pattern, SPAN("<>"))) {
		if (r->null_rule == NO_RULE)
			r->null_rule = r->rule_cnt;
		return OK;
	}
	return pattern_add(r->by[by], pattern, r->rule_cnt);
}

/* The relay is known for the domain of this pattern from here on. */
static enum err
note_domain(struct routes *r, uint32_t relay_no, struct span pattern)
{
	size_t at = pattern.len;

	if (r->first_host == NO_RULE)
		r->first_host = r->rule_cnt;
	while (at > 0 && pattern.ptr[at - 1] != '@')
		at--;
	return at == 0 ? ERR_PEER : add_pattern(&r->relays[relay_no].routed,
	    span_tail(pattern, at - 1), r->rule_cnt);
}

static enum err
make_room(struct routes *r)
{
	uint32_t cap = r->rule_cap == 0 ? 8 : r->rule_cap * 2;
	struct rule *more;

	if (r->rule_cnt < r->rule_cap)
		return OK;
	if ((more = reallocarray(r->rules, cap, sizeof(*more))) == NULL)
		return ERR_SYS;
	r->rules = more;
	r->rule_cap = cap;
	return OK;
}

enum err
route_add(struct routes *r, enum route_by by, struct span pattern,
    enum route_does does, struct span value)
{
	struct rule row = { .by = by, .does = does, .relay_no = NO_RELAY };
	enum err e;

	if (by >= ROUTE_BY__COUNT || does >= ROUTE_DOES__COUNT)
		return ERR_PEER;
	if (does == ROUTE_DOES_RELAY &&
	    (row.relay_no = find_relay(r, value)) == NO_RELAY)
		return ERR_PEER;
	if (does == ROUTE_DOES_REFUSE && value.len >= ROUTE_TEXT_MAX)
		return ERR_PEER;
	if ((e = make_room(r)) != OK ||
	    (e = add_to_table(r, by, pattern)) != OK)
		return e;
	if (does == ROUTE_DOES_RELAY && by == ROUTE_BY_RCPT &&
	    (e = note_domain(r, row.relay_no, pattern)) != OK)
		return e;
	row.pattern = strndup(pattern.ptr, pattern.len);
	if (does == ROUTE_DOES_REFUSE)
		row.text = strndup(value.ptr, value.len);
	r->rules[r->rule_cnt++] = row;		/* freed with the rest */
	r->refuses |= does == ROUTE_DOES_REFUSE;
	return row.pattern == NULL || (does == ROUTE_DOES_REFUSE &&
	    row.text == NULL) ? ERR_SYS : OK;
}

static enum err
set_relay(const struct routes *r, struct span relay, uint32_t *out)
{
	uint32_t no = find_relay(r, relay);

	if (no == NO_RELAY)
		return ERR_PEER;
	*out = no;
	return OK;
}

enum err
route_set_last(struct routes *r, struct span relay)
{
	return set_relay(r, relay, &r->last);
}

enum err
route_set_bounce_relay(struct routes *r, struct span relay)
{
	return set_relay(r, relay, &r->bounce_relay);
}

void
route_set_bounce_routes(struct routes *r, struct routes *bounces)
{
	route_free(&r->bounces);
	r->bounces = bounces;
}

enum err
route_set_home(struct routes *r, struct span hostname)
{
	return domain_key(hostname, r->home) > 0 ? OK : ERR_PEER;
}

void
route_set_suspended(struct routes *r, const struct suspension_set *suspended)
{
	r->suspended = suspended;
	if (r->bounces != NULL)
		r->bounces->suspended = suspended;
}

static bool
is_postmaster(const struct address *a)
{
	return span_eq_nocase(a->local, SPAN("postmaster"));
}

static bool
is_our_postmaster(const struct routes *r, const struct address *a)
{
	return is_postmaster(a) && domain_same(a->domain, span_of(r->home));
}

/* The first rule that matches; NO_RULE when none does. */
static uint32_t
find_rule(const struct routes *r, const struct route_ask *ask,
    const struct address *to)
{
	uint32_t best = NO_RULE, no;
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
is_routed(const struct relay_row *relay, const struct address *a)
{
	uint32_t no;

	return relay->routed != NULL && pattern_find(relay->routed, a, &no);
}

/* The first rule that names a relay for the domain; NO_RULE: none does. */
static uint32_t
find_host(const struct routes *r, const struct address *a)
{
	uint32_t best = NO_RULE, no;

	for (uint32_t i = 0; i < r->relay_cnt; i++)
		if (r->relays[i].routed != NULL &&
		    pattern_find(r->relays[i].routed, a, &no) && no < best)
			best = no;
	return best;
}

/* Is it on the relay's list, as it is or without its detail? */
static bool
is_listed(const struct relay_row *relay, const struct address *a)
{
	struct address user = *a;
	uint32_t no;

	if (pattern_find(relay->rcpts, a, &no))
		return true;
	user.local = address_user(a->local, relay->delimiter);
	return user.local.len < a->local.len &&
	    pattern_find(relay->rcpts, &user, &no);
}

/* Does the relay reach the domain of a bounce, as far as we can know? */
static bool
reaches(const struct relay_row *relay, const struct address *a)
{
	uint32_t no;

	if (relay->rcpts != NULL)
		return is_listed(relay, a) ||
		    pattern_knows(relay->rcpts, a->domain, &no);
	return relay->kind != ROUTE_LOCAL || is_routed(relay, a);
}

/* Where no rule matches. */
static uint32_t
choose_last(const struct routes *r, const struct route_ask *ask,
    const struct address *a)
{
	if (!ask->is_bounce || (r->last != NO_RELAY &&
	    reaches(&r->relays[r->last], a)))
		return r->last;
	return r->bounce_relay;
}

/*
 * The rule that is followed, NO_RULE for none, and the relay it is for; a rule
 * to a relay that cannot have the domain of a bounce is not for bounces.
 */
static uint32_t
choose(const struct routes *r, const struct route_ask *ask,
    const struct address *a, uint32_t *rule)
{
	uint32_t no = find_rule(r, ask, a);

	if (no != NO_RULE && ask->is_bounce &&
	    r->rules[no].does == ROUTE_DOES_RELAY &&
	    r->rules[no].by != ROUTE_BY_RCPT &&
	    !reaches(&r->relays[r->rules[no].relay_no], a))
		no = NO_RULE;
	if (no == NO_RULE && r->last == NO_RELAY && is_postmaster(a))
		no = find_host(r, a);
	if (no == NO_RULE && r->last == NO_RELAY && is_our_postmaster(r, a))
		no = r->first_host;	/* to somebody, then		*/
	*rule = no;
	return no != NO_RULE ? r->rules[no].relay_no : choose_last(r, ask, a);
}

static bool
is_taken(const struct relay_row *relay, const struct address *a,
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
follow(const struct rule *rule, struct route *out, enum route_verdict *v)
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
	const struct relay_row *relay;
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
	if (rule != NO_RULE && follow(&r->rules[rule], out, &v))
		return v;
	if (out->relay_no == NO_RELAY)
		return ROUTE_NOWHERE;
	relay = &r->relays[out->relay_no];
	out->relay = relay->name;
	strlcpy(out->destination, relay->kind == ROUTE_MX ||
	    suspension_of_domain(r->suspended, relay->name, out->domain) !=
	    NULL ? out->domain : relay->name, sizeof(out->destination));
	return is_taken(relay, &a, out) || is_our_postmaster(r, &a) ?
	    ROUTE_FOUND : ROUTE_UNKNOWN;
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

bool
route_asks(const struct routes *r)
{
	for (uint32_t i = 0; i < r->relay_cnt; i++)
		if (r->relays[i].rcpts != NULL)
			return true;
	return r->last == NO_RELAY || r->refuses ||
	    (r->bounces != NULL && r->bounces->refuses);
}

const char *
route_only(const struct routes *r)
{
	if (r->rule_cnt > 0 || r->last == NO_RELAY ||
	    suspension_has_domains(r->suspended) ||
	    r->relays[r->last].kind == ROUTE_MX ||
	    r->relays[r->last].rcpts != NULL)
		return NULL;
	return r->relays[r->last].name;
}

bool
route_relay_no(const struct routes *r, struct span name, unsigned *no)
{
	uint32_t found = find_relay(r, name);

	*no = found;
	return found != NO_RELAY;
}

enum route_kind
route_kind_of(const struct routes *r, unsigned no)
{
	return r->relays[no].kind;
}

bool
route_has_relay(const struct routes *r, const char *name)
{
	return find_relay(r, span_of(name)) != NO_RELAY;
}
