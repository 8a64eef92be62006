/*
 * split.c - recipients are sorted by where they go; each run of equals is a
 * delivery.  Those that a route discards stand behind all others, and are in
 * none.  Without routes and policies there is nothing to sort.
 *
 * Where one next hop has all domains, a delivery stands in the tenant's line
 * for the domain of its recipients, or in the one of those that have several.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "mail/domain.h"
#include "queue/route/split.h"

#define NOWHERE		UINT_MAX	/* relay_no: to nobody		*/

/* Where one recipient goes. */
struct goal {
	const char	*relay;
	char		*destination;	/* yours			*/
	char		*apart;		/* what else must be equal, or NULL */
	struct span	 owner;		/* and this			*/
	char		 line[STORE_TURN_DOMAIN_MAX + 1]; /* or empty	*/
	unsigned	 relay_no;
	uint32_t	 rcpt_no;
};

static int
cmp_goal(const void *x, const void *y)
{
	const struct goal *a = x, *b = y;
	int c;

	if (a->relay_no != b->relay_no)
		return a->relay_no < b->relay_no ? -1 : 1;
	if (a->relay_no == NOWHERE)
		return 0;
	if ((c = strcmp(a->destination, b->destination)) != 0)
		return c;
	if (a->apart != NULL && b->apart != NULL &&
	    (c = strcmp(a->apart, b->apart)) != 0)
		return c;
	if (a->owner.len != b->owner.len)
		return a->owner.len < b->owner.len ? -1 : 1;
	return a->owner.len == 0 ? 0 : memcmp(a->owner.ptr, b->owner.ptr,
	    a->owner.len);
}

static int
cmp_order(const void *x, const void *y)
{
	const struct goal *a = x, *b = y;
	int c = cmp_goal(a, b);

	if (c != 0)
		return c;
	return (a->rcpt_no > b->rcpt_no) - (a->rcpt_no < b->rcpt_no);
}

static struct span
line_of(struct span domain)
{
	return domain.len <= STORE_TURN_DOMAIN_MAX ? domain :
	    span_tail(domain, domain.len - STORE_TURN_DOMAIN_MAX);
}

static enum err
find_goal(struct goal *g, const struct settings *set,
    const struct route_ask *ask, const struct route_kept *kept)
{
	enum route_verdict v;
	struct route r;

	v = kept != NULL && kept->is_known ?
	    route_again(set->routes, kept, ask->rcpt, &r) :
	    route_find(set->routes, ask, &r);
	g->relay_no = NOWHERE;
	if (v == ROUTE_DISCARDED)
		return OK;
	if (v != ROUTE_FOUND)
		return ERR_NONE;
	g->relay = r.relay;
	g->relay_no = r.relay_no;
	if ((g->destination = strdup(r.destination)) == NULL)
		return ERR_SYS;
	if (set->splits_domains && (g->apart = strdup(r.domain)) == NULL)
		return ERR_SYS;
	if (strcmp(r.destination, r.domain) != 0 &&
	    !span_cstr(line_of(span_of(r.domain)), g->line, sizeof(g->line)))
		return ERR_NONE;
	return OK;
}

static void
free_goals(struct goal **goals, uint32_t cnt)
{
	for (uint32_t i = 0; i < cnt; i++) {
		free((*goals)[i].destination);
		free((*goals)[i].apart);
	}
	free(*goals);
	*goals = NULL;
}

static enum err
find_goals(struct goal **out, const struct settings *set,
    const struct route_ask *who, const struct span *rcpts,
    const struct route_kept *kept, uint32_t cnt)
{
	struct goal *goals = calloc(cnt, sizeof(*goals));
	struct route_ask ask = *who;
	enum err e = goals == NULL ? ERR_SYS : OK;

	for (uint32_t i = 0; e == OK && i < cnt; i++) {
		goals[i].rcpt_no = i;
		ask.rcpt = rcpts[i];
		if (kept != NULL)
			goals[i].owner = kept[i].owner;
		ask.sender = goals[i].owner.len > 0 ? goals[i].owner :
		    who->sender;
		e = find_goal(&goals[i], set, &ask,
		    kept != NULL ? &kept[i] : NULL);
	}
	if (e != OK) {
		if (goals != NULL)
			free_goals(&goals, cnt);
		return e;
	}
	qsort(goals, cnt, sizeof(*goals), cmp_order);
	*out = goals;
	return OK;
}

static bool
begins_delivery(const struct goal *goals, uint32_t i, bool splits_rcpts)
{
	return i == 0 || splits_rcpts ||
	    cmp_goal(&goals[i - 1], &goals[i]) != 0;
}

static struct span
keep(char **at, const char *s)
{
	struct span kept = { *at, strlen(s) };

	memcpy(*at, s, kept.len);
	*at += kept.len;
	return kept;
}

/* The tenant, and the domain if there is one. */
static struct span
keep_tenant(char **at, struct span tenant, struct span line)
{
	struct span kept = { *at, store_turn_put(*at, tenant, line) };

	*at += kept.len;
	return kept;
}

/* Of the delivery that begins with goal i. */
static struct span
common_line(const struct goal *goals, uint32_t i, uint32_t kept_cnt,
    bool splits_rcpts)
{
	for (uint32_t j = i + 1; j < kept_cnt && !begins_delivery(goals, j,
	    splits_rcpts); j++)
		if (strcmp(goals[i].line, goals[j].line) != 0)
			return (struct span){ NULL, 0 };
	return span_of(goals[i].line);
}

/*
 * One block for the deliveries and their names, another for the numbers; the
 * first kept_cnt of the goals are deliveries'.
 */
static enum err
make_room(struct split *s, const struct goal *goals, uint32_t rcpt_cnt,
    uint32_t kept_cnt, bool splits_rcpts, size_t tenant_len)
{
	size_t bytes = 1;

	for (uint32_t i = 0; i < kept_cnt; i++) {
		if (!begins_delivery(goals, i, splits_rcpts))
			continue;
		s->delivery_cnt++;
		bytes += sizeof(*s->deliveries) + strlen(goals[i].relay) +
		    strlen(goals[i].destination) + tenant_len + 1 +
		    STORE_TURN_DOMAIN_MAX;
	}
	if ((s->deliveries = malloc(bytes)) == NULL)
		return ERR_SYS;
	s->discarded_cnt = rcpt_cnt - kept_cnt;
	if ((s->delivery_cnt > 1 || s->discarded_cnt > 0) &&
	    (s->rcpt_delivery = calloc(rcpt_cnt,
	    sizeof(*s->rcpt_delivery))) == NULL)
		return ERR_SYS;
	for (uint32_t i = kept_cnt; i < rcpt_cnt; i++)
		s->rcpt_delivery[goals[i].rcpt_no] = SPLIT_NOBODY;
	return OK;
}

static void
fill(struct split *s, const struct goal *goals, uint32_t kept_cnt,
    bool splits_rcpts, const struct store_delivery *common)
{
	char *at = (char *)(s->deliveries + s->delivery_cnt);
	uint32_t no = 0;

	for (uint32_t i = 0; i < kept_cnt; i++) {
		if (begins_delivery(goals, i, splits_rcpts)) {
			s->deliveries[no] = *common;
			s->deliveries[no].relay = keep(&at, goals[i].relay);
			s->deliveries[no].destination = keep(&at,
			    goals[i].destination);
			s->deliveries[no].tenant = keep_tenant(&at,
			    common->tenant, common_line(goals, i, kept_cnt,
			    splits_rcpts));
			no++;
		}
		if (s->rcpt_delivery != NULL)
			s->rcpt_delivery[goals[i].rcpt_no] = no - 1;
	}
}

static struct span
domain_of(struct span address)
{
	size_t at = address.len;

	while (at > 0 && address.ptr[at - 1] != '@')
		at--;
	return at > 0 ? span_tail(address, at) : address;
}

static struct span
key_line(char text[DOMAIN_KEY_MAX], struct span rcpt)
{
	return line_of((struct span){ text,
	    domain_key(domain_of(rcpt), text) });
}

/* Of all of them, into text; empty when they have several. */
static struct span
single_line(char text[DOMAIN_KEY_MAX], const struct span *rcpts,
    uint32_t rcpt_cnt)
{
	struct span first = key_line(text, rcpts[0]);
	char other[DOMAIN_KEY_MAX];

	for (uint32_t i = 1; i < rcpt_cnt; i++)
		if (!span_eq(key_line(other, rcpts[i]), first))
			return (struct span){ NULL, 0 };
	return first;
}

static enum err
make_single(struct split *s, const char *relay, const struct span *rcpts,
    uint32_t rcpt_cnt, const struct store_delivery *common)
{
	char text[DOMAIN_KEY_MAX], *at;
	struct span line = single_line(text, rcpts, rcpt_cnt);

	s->delivery_cnt = 1;
	if ((s->deliveries = malloc(sizeof(*s->deliveries) + strlen(relay) +
	    common->tenant.len + 1 + line.len)) == NULL)
		return ERR_SYS;
	at = (char *)(s->deliveries + 1);
	s->deliveries[0] = *common;
	s->deliveries[0].relay = keep(&at, relay);
	s->deliveries[0].destination = s->deliveries[0].relay;
	s->deliveries[0].tenant = keep_tenant(&at, common->tenant, line);
	return OK;
}

static enum err
make_many(struct split *s, const struct settings *set,
    const struct route_ask *who, const struct span *rcpts,
    const struct route_kept *kept, uint32_t rcpt_cnt,
    const struct store_delivery *common)
{
	uint32_t kept_cnt = rcpt_cnt;
	struct goal *goals;
	enum err e = find_goals(&goals, set, who, rcpts, kept,
	    rcpt_cnt);

	if (e != OK)
		return e;
	while (kept_cnt > 0 && goals[kept_cnt - 1].relay_no == NOWHERE)
		kept_cnt--;
	e = make_room(s, goals, rcpt_cnt, kept_cnt, set->splits_rcpts,
	    common->tenant.len);
	if (e == OK)
		fill(s, goals, kept_cnt, set->splits_rcpts, common);
	free_goals(&goals, rcpt_cnt);
	return e;
}

static bool
has_owner(const struct route_kept *kept, uint32_t cnt)
{
	for (uint32_t i = 0; kept != NULL && i < cnt; i++)
		if (kept[i].owner.len > 0)
			return true;
	return false;
}

enum err
split_make(struct split *out, const struct settings *set,
    const struct route_ask *who, const struct span *rcpts,
    const struct route_kept *kept, uint32_t rcpt_cnt, struct span tenant,
    int64_t due_ms)
{
	struct store_delivery common = { .tenant = tenant, .due_ms = due_ms };
	const char *only = who->is_bounce ? NULL : route_only(set->routes);
	struct split s = { .deliveries = NULL };
	enum err e;

	*out = s;
	if (only != NULL && !set->splits_rcpts && !set->splits_domains &&
	    !has_owner(kept, rcpt_cnt))
		e = make_single(&s, only, rcpts, rcpt_cnt, &common);
	else
		e = make_many(&s, set, who, rcpts, kept, rcpt_cnt, &common);
	if (e != OK)
		split_free(&s);
	else
		*out = s;
	return e;
}

enum err
split_make_bounce(struct split *out, const struct settings *set,
    const struct span *to, uint32_t cnt, int64_t due_ms)
{
	struct route_ask who = { .is_bounce = true };
	enum err e = split_make(out, set, &who, to, NULL, cnt,
	    (struct span){ NULL, 0 }, due_ms);

	if (e == OK && out->discarded_cnt > 0) {
		split_free(out);
		e = ERR_NONE;
	}
	return e;
}

const char *
split_why_none(const struct settings *set, struct span to)
{
	static const char *const words[] = {
		[ROUTE_FOUND] = "there is a route to its sender again",
		[ROUTE_NOWHERE] = "there is no route to its sender",
		[ROUTE_UNKNOWN] = ("the relay for its sender's address does "
		    "not know that address"),
		[ROUTE_NO_ADDRESS] = "its sender is not a valid address",
		[ROUTE_REFUSED] = "a route refuses mail to its sender",
		[ROUTE_DISCARDED] = "a route discards mail to its sender",
	};
	struct route_ask ask = { .rcpt = to, .is_bounce = true };
	struct route r;

	return words[route_find(set->routes, &ask, &r)];
}

void
split_free(struct split *s)
{
	free(s->deliveries);
	free(s->rcpt_delivery);
	*s = (struct split){ .deliveries = NULL };
}
