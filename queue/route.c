/* route.c - patterns are pattern.c's, numbered by their place. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "queue/pattern.h"
#include "queue/route.h"

#define NO_RELAY	UINT32_MAX

struct relay_row {
	char		 name[BLOCK_NAME_MAX + 1];
	bool		 is_mx;
	struct patterns	*rcpts;		/* NULL: takes all		*/
};

struct rule {
	char		*pattern;
	uint32_t	 relay_no;
};

struct routes {
	struct relay_row *relays;
	uint32_t	 relay_cnt;
	struct rule	*rules;
	uint32_t	 rule_cnt;
	struct patterns	*patterns;
	uint32_t	 last;		/* relay, or NO_RELAY		*/
	char		 home[DOMAIN_MAX + 1];	/* our own name		*/
};

enum err
route_new(struct routes **out)
{
	struct routes *r = calloc(1, sizeof(*r));

	if (r == NULL || pattern_new(&r->patterns) != OK) {
		free(r);
		return ERR_SYS;
	}
	r->last = NO_RELAY;
	*out = r;
	return OK;
}

void
route_free(struct routes **routes)
{
	struct routes *r = *routes;

	if (r == NULL)
		return;
	for (uint32_t i = 0; i < r->relay_cnt; i++)
		pattern_free(&r->relays[i].rcpts);
	for (uint32_t i = 0; i < r->rule_cnt; i++)
		free(r->rules[i].pattern);
	pattern_free(&r->patterns);
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
route_add_relay(struct routes *r, struct span name, bool is_mx)
{
	struct relay_row row = { .is_mx = is_mx }, *more;

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

enum err
route_add_rcpt(struct routes *r, struct span relay, struct span pattern)
{
	uint32_t no = find_relay(r, relay);
	enum err e;

	if (no == NO_RELAY)
		return ERR_PEER;
	if (r->relays[no].rcpts == NULL &&
	    (e = pattern_new(&r->relays[no].rcpts)) != OK)
		return e;
	return pattern_add(r->relays[no].rcpts, pattern, 0);
}

enum err
route_add(struct routes *r, struct span pattern, struct span relay)
{
	struct rule row = { .relay_no = find_relay(r, relay) }, *more;
	enum err e;

	if (row.relay_no == NO_RELAY)
		return ERR_PEER;
	more = reallocarray(r->rules, r->rule_cnt + 1, sizeof(*more));
	if (more == NULL)
		return ERR_SYS;
	r->rules = more;
	if ((e = pattern_add(r->patterns, pattern, r->rule_cnt)) != OK)
		return e;
	if ((row.pattern = strndup(pattern.ptr, pattern.len)) == NULL)
		return ERR_SYS;
	r->rules[r->rule_cnt++] = row;
	return OK;
}

enum err
route_set_last(struct routes *r, struct span relay)
{
	uint32_t no = find_relay(r, relay);

	if (no == NO_RELAY)
		return ERR_PEER;
	r->last = no;
	return OK;
}

enum err
route_set_home(struct routes *r, struct span hostname)
{
	return span_cstr(hostname, r->home, sizeof(r->home)) ? OK : ERR_PEER;
}

static bool
is_postmaster(const struct address *a)
{
	return span_eq_nocase(a->local, SPAN("postmaster"));
}

static bool
is_our_postmaster(const struct routes *r, const struct address *a)
{
	return is_postmaster(a) &&
	    span_eq_nocase(a->domain, span_of(r->home));
}

/* The relay it is for, and by which rule. */
static uint32_t
choose(const struct routes *r, const struct address *a, struct route *out)
{
	uint32_t no;
	bool found = pattern_find(r->patterns, a, &no);

	if (!found && r->last == NO_RELAY && is_postmaster(a))
		found = pattern_knows(r->patterns, a->domain, &no);
	if (!found && r->last == NO_RELAY && r->rule_cnt > 0 &&
	    is_our_postmaster(r, a)) {
		found = true;		/* to somebody, then: the first */
		no = 0;
	}
	out->rule = (struct span){ NULL, 0 };
	if (!found)
		return r->last;
	out->rule = span_of(r->rules[no].pattern);
	return r->rules[no].relay_no;
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
	return pattern_find(relay->rcpts, a, &no) ||
	    (out->knows_domain && is_postmaster(a));
}

/* In lower case; a name is at most DOMAIN_MAX bytes, or no address. */
static void
copy_domain(char *to, struct span domain)
{
	size_t i;

	for (i = 0; i < domain.len; i++)
		to[i] = domain.ptr[i] >= 'A' && domain.ptr[i] <= 'Z' ?
		    (char)(domain.ptr[i] + ('a' - 'A')) : domain.ptr[i];
	to[i] = '\0';
}

enum route_verdict
route_find(const struct routes *r, struct span rcpt, struct route *out)
{
	const struct relay_row *relay;
	struct address a;

	*out = (struct route){ .relay = NULL };
	if (address_parse(rcpt, true, &a) != OK || a.domain.len > DOMAIN_MAX)
		return ROUTE_NO_ADDRESS;
	copy_domain(out->domain, a.domain);
	out->relay_no = choose(r, &a, out);
	if (out->relay_no == NO_RELAY)
		return ROUTE_NOWHERE;
	relay = &r->relays[out->relay_no];
	out->relay = relay->name;
	strlcpy(out->destination, relay->is_mx ? out->domain : relay->name,
	    sizeof(out->destination));
	return is_taken(relay, &a, out) || is_our_postmaster(r, &a) ?
	    ROUTE_FOUND : ROUTE_UNKNOWN;
}

void
route_judge(const struct routes *routes, struct span rcpt, struct route *r,
    struct route_reply *out)
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
	};
	enum route_verdict v = route_find(routes, rcpt, r);

	out->code = words[v].code;
	out->dsn = words[v].dsn;
	if (v == ROUTE_UNKNOWN && r->knows_domain)
		snprintf(out->text, sizeof(out->text),
		    "No such recipient at %s", r->domain);
	else
		strlcpy(out->text, words[v].text, sizeof(out->text));
}

bool
route_asks(const struct routes *r)
{
	for (uint32_t i = 0; i < r->relay_cnt; i++)
		if (r->relays[i].rcpts != NULL)
			return true;
	return r->last == NO_RELAY;
}

const char *
route_only(const struct routes *r)
{
	if (r->rule_cnt > 0 || r->last == NO_RELAY ||
	    r->relays[r->last].is_mx || r->relays[r->last].rcpts != NULL)
		return NULL;
	return r->relays[r->last].name;
}

bool
route_has_relay(const struct routes *r, const char *name)
{
	return find_relay(r, span_of(name)) != NO_RELAY;
}
