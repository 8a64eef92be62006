/*
 * route.c - routes are made: rules are numbered by their place, and patterns
 * are pattern.c's, one table for each thing that rules look at, of which the
 * lowest number wins.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mail/domain.h"
#include "queue/route/route_inside.h"
#include "queue/plan/suspension.h"

enum err
route_new(struct routes **out)
{
	struct routes *r = calloc(1, sizeof(*r));

	if (r == NULL)
		return ERR_SYS;
	r->last = r->bounce_relay = ROUTE_NONE;
	r->null_rule = r->first_host = ROUTE_NONE;
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
	pattern_free(&r->homes);
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
	return ROUTE_NONE;
}

enum err
route_add_relay(struct routes *r, struct span name, enum route_kind kind)
{
	struct route_relay row = { .kind = kind }, *more;

	if (!span_cstr(name, row.name, sizeof(row.name)) || name.len == 0 ||
	    find_relay(r, name) != ROUTE_NONE)
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

	return no == ROUTE_NONE ? ERR_PEER :
	    add_pattern(&r->relays[no].rcpts, pattern, 0);
}

enum err
route_set_delimiter(struct routes *r, struct span relay, char delimiter)
{
	uint32_t no = find_relay(r, relay);

	if (no == ROUTE_NONE)
		return ERR_PEER;
	r->relays[no].delimiter = delimiter;
	return OK;
}

enum err
route_set_one_hop(struct routes *r, struct span relay, bool is_asked)
{
	uint32_t no = find_relay(r, relay);

	if (no == ROUTE_NONE)
		return ERR_PEER;
	r->relays[no].has_one_hop = r->relays[no].no_utf8 = true;
	r->relays[no].is_asked = r->relays[no].may_utf8 = is_asked;
	return OK;
}

enum err
route_set_users(struct routes *r, struct span relay)
{
	uint32_t no = find_relay(r, relay);

	if (no == ROUTE_NONE)
		return ERR_PEER;
	r->relays[no].has_users = true;
	return OK;
}

bool
route_has_users(const struct routes *r)
{
	for (uint32_t i = 0; i < r->relay_cnt; i++)
		if (r->relays[i].has_users)
			return true;
	return false;
}

void
route_set_utf8(struct routes *r, unsigned no, bool takes, bool is_known)
{
	r->relays[no].no_utf8 = !takes;
	r->relays[no].may_utf8 = !is_known && r->relays[no].is_asked;
	if (r->bounces != NULL)		/* with the same numbers	*/
		route_set_utf8(r->bounces, no, takes, is_known);
}

void
route_set_binary(struct routes *r, unsigned no, bool takes)
{
	r->relays[no].no_binary = !takes;
}

static enum err
add_to_table(struct routes *r, enum route_by by, struct span pattern)
{
	if (by == ROUTE_BY_LOGIN)
		return pattern_add_login(r->by[by], pattern, r->rule_cnt);
	if (by == ROUTE_BY_SENDER && span_eq(pattern, SPAN("<>"))) {
		if (r->null_rule == ROUTE_NONE)
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

	if (r->first_host == ROUTE_NONE)
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
	struct route_rule *more;

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
	struct route_rule row = { .by = by, .does = does,
	    .relay_no = ROUTE_NONE };
	enum err e;

	if (by >= ROUTE_BY__COUNT || does >= ROUTE_DOES__COUNT)
		return ERR_PEER;
	if (does == ROUTE_DOES_RELAY &&
	    (row.relay_no = find_relay(r, value)) == ROUTE_NONE)
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

	if (no == ROUTE_NONE)
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
route_add_home(struct routes *r, struct span domain)
{
	char pattern[DOMAIN_MAX + 2];

	if (domain.len == 0 || domain.len > DOMAIN_MAX)
		return ERR_PEER;
	pattern[0] = '@';
	memcpy(pattern + 1, domain.ptr, domain.len);
	return add_pattern(&r->homes, (struct span){ pattern,
	    domain.len + 1 }, 0);
}

void
route_set_suspended(struct routes *r, const struct suspension_set *suspended)
{
	r->suspended = suspended;
	if (r->bounces != NULL)
		r->bounces->suspended = suspended;
}

bool
route_asks(const struct routes *r)
{
	for (uint32_t i = 0; i < r->relay_cnt; i++)
		if (r->relays[i].rcpts != NULL)
			return true;
	return r->last == ROUTE_NONE || r->refuses ||
	    (r->bounces != NULL && r->bounces->refuses);
}

const char *
route_only(const struct routes *r)
{
	if (r->rule_cnt > 0 || r->last == ROUTE_NONE ||
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
	return found != ROUTE_NONE;
}

unsigned
route_relay_cnt(const struct routes *r)
{
	return r->relay_cnt;
}

const char *
route_relay(const struct routes *r, unsigned no)
{
	return r->relays[no].name;
}

bool
route_has_one_hop(const struct routes *r, unsigned no)
{
	return r->relays[no].has_one_hop;
}

bool
route_takes_utf8(const struct routes *r, unsigned no)
{
	return !r->relays[no].no_utf8;
}

bool
route_may_take_utf8(const struct routes *r, unsigned no)
{
	return r->relays[no].may_utf8;
}

bool
route_takes_binary(const struct routes *r, unsigned no)
{
	return !r->relays[no].no_binary;
}

bool
route_all_take_binary(const struct routes *r)
{
	for (uint32_t no = 0; no < r->relay_cnt; no++)
		if (r->relays[no].no_binary && route_leads_to(r, no))
			return false;
	return true;
}

bool
route_leads_to(const struct routes *r, unsigned no)
{
	for (uint32_t i = 0; i < r->rule_cnt; i++)
		if (r->rules[i].does == ROUTE_DOES_RELAY &&
		    r->rules[i].relay_no == no)
			return true;
	return r->last == no;
}

enum route_kind
route_kind_of(const struct routes *r, unsigned no)
{
	return r->relays[no].kind;
}

bool
route_has_relay(const struct routes *r, const char *name)
{
	return find_relay(r, span_of(name)) != ROUTE_NONE;
}
