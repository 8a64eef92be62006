/*
 * mx_pools.c - a tree of pools.  A pool is closed in its own call, which is
 * its last of a turn; nothing else closes one.
 */
#include <sys/tree.h>

#include <stdlib.h>
#include <string.h>

#include "ask/dnsname.h"
#include "relay/mx/mx_pools.h"

#define HELD_EACH	3	/* deliveries for each connection	*/

struct site {
	RB_ENTRY(site)	 entry;
	uint64_t	 number;
	unsigned	 place_cnt;
	unsigned	 held;		/* deliveries in its places	*/
	bool		 works;		/* a connection has worked	*/
};

struct mx_place {
	RB_ENTRY(mx_place) entry;
	struct mx_pools	*home;
	struct site	*site;
	struct smtp_client_target target;
	struct pool	*pool;
	char		 host[DNSNAME_MAX + 1];
};

RB_HEAD(place_tree, mx_place);
RB_HEAD(site_tree, site);

struct mx_pools {
	struct mx_pools_common common;
	unsigned	 idle_left;
	mx_pools_unreachable_fn *unreachable;
	void		*arg;
	struct place_tree places;
	struct site_tree sites;
};

#define UNUSED	__attribute__((unused))	/* not all of a tree's calls */

static int
compare(struct mx_place *a, struct mx_place *b)
{
	int cmp = strcmp(a->host, b->host);

	if (cmp != 0)
		return cmp;
	if ((cmp = tls_policy_compare(&a->target.tls.policy,
	    &b->target.tls.policy)) != 0)
		return cmp;
	return a->target.dial.port < b->target.dial.port ? -1 :
	    a->target.dial.port > b->target.dial.port;
}

RB_GENERATE_INTERNAL(place_tree, mx_place, entry, compare, UNUSED static)

static int
compare_site(struct site *a, struct site *b)
{
	return (a->number > b->number) - (a->number < b->number);
}

RB_GENERATE_INTERNAL(site_tree, site, entry, compare_site, UNUSED static)

static struct site *
site_of(struct mx_pools *h, uint64_t number)
{
	struct site key = { .number = number };
	struct site *s = RB_FIND(site_tree, &h->sites, &key);

	if (s != NULL || (s = calloc(1, sizeof(*s))) == NULL)
		return s;
	s->number = number;
	RB_INSERT(site_tree, &h->sites, s);
	return s;
}

static void
leave_site(struct mx_pools *h, struct site *s)
{
	if (--s->place_cnt > 0)
		return;
	RB_REMOVE(site_tree, &h->sites, s);
	free(s);
}

/* A pool is forgotten only when nothing is left in it. */
static void
forget(struct mx_place *p)
{
	RB_REMOVE(place_tree, &p->home->places, p);
	leave_site(p->home, p->site);
	pool_close(&p->pool);
	free(p);
}

static void
give_back(struct delivery *d, const struct verdict *why, struct span hop,
    void *arg)
{
	struct mx_place *p = arg;

	p->home->unreachable(d, why, hop, p->home->arg);
}

static void
on_emptied(struct pool *pool, void *arg)
{
	forget(arg);
}

static const struct pool_calls pool_calls = { give_back, on_emptied };

static struct tls_policy
policy_of(const struct mx_pools *h, const struct mx_where *w)
{
	const struct tls_policy *block = &h->common.target.tls.policy;

	return tls_policy_of(&(struct tls_policy_known){
	    .wanted = block->security, .immediately = block->immediately,
	    .is_named = w->is_trusted });
}

/* Its host, and what all pools have in common. */
static enum err
fill_place(struct mx_place *p, struct mx_pools *h, const struct mx_where *w)
{
	if (!span_cstr(w->host, p->host, sizeof(p->host)))
		return ERR_SYS;
	p->home = h;
	p->target = h->common.target;
	p->target.dial.host = span_of(p->host);
	p->target.dial.port = w->port;
	p->target.tls.policy = policy_of(h, w);
	if (w->is_trusted)
		p->target.dial.private_too = true;
	return pool_open(&p->pool, h->common.loop, h->common.resolve,
	    &smtp_client_hop, &p->target, &h->common.limits);
}

bool
mx_pools_is_usable(const struct mx_pools *h, const struct resolve_found *found)
{
	return dial_is_usable(&h->common.target.dial, found);
}

void
mx_pools_log_unusable(const struct mx_pools *h, struct span host,
    const struct resolve_found *found)
{
	dial_log_unusable(&h->common.target.dial, host, found);
}

struct mx_place *
mx_pools_find(struct mx_pools *h, const struct mx_where *w)
{
	struct mx_place key = { .target.dial.port = w->port,
	    .target.tls.policy = policy_of(h, w) };

	if (!span_cstr(w->host, key.host, sizeof(key.host)))
		return NULL;
	return RB_FIND(place_tree, &h->places, &key);
}

/* Deliveries that a site holds at most. */
static unsigned
most_of(const struct mx_pools *h, const struct site *s)
{
	unsigned cnt = h->common.limits.connections;

	if (!s->works && cnt > POOL_OPENING)
		cnt = POOL_OPENING;
	return cnt * HELD_EACH;
}

/* Neither a pool nor a connection is made for what would not be taken. */
enum err
mx_pools_make(struct mx_place **out, struct mx_pools *h,
    const struct mx_where *w, uint64_t number)
{
	struct mx_place *p = *out = mx_pools_find(h, w);
	struct site *s;

	if (p != NULL)
		return OK;
	if ((s = site_of(h, number)) == NULL)
		return ERR_SYS;
	if (s->held >= most_of(h, s))
		return ERR_FULL;
	s->place_cnt++;
	if ((p = calloc(1, sizeof(*p))) == NULL ||
	    fill_place(p, h, w) != OK) {
		free(p);
		leave_site(h, s);
		return ERR_SYS;
	}
	p->site = s;
	pool_set_owner(p->pool, &pool_calls, p);
	RB_INSERT(place_tree, &h->places, p);
	*out = p;
	return OK;
}

enum err
mx_pools_open(struct mx_pools **out, const struct mx_pools_common *common,
    mx_pools_unreachable_fn *unreachable, void *arg)
{
	struct mx_pools *h = calloc(1, sizeof(*h));

	if (h == NULL)
		return ERR_SYS;
	h->common = *common;
	h->idle_left = MX_POOLS_IDLE_MAX;
	h->common.limits.idle_left = &h->idle_left;
	h->unreachable = unreachable;
	h->arg = arg;
	RB_INIT(&h->places);
	RB_INIT(&h->sites);
	*out = h;
	return OK;
}

void
mx_pools_close(struct mx_pools **hp)
{
	struct mx_pools *h = *hp;

	*hp = NULL;
	if (h == NULL)
		return;
	while (!RB_EMPTY(&h->places))
		forget(RB_MIN(place_tree, &h->places));
	free(h);
}

static void
note_works(struct mx_place *p)
{
	if (pool_works(p->pool))
		p->site->works = true;
}

void
mx_pools_wait(struct mx_place *p, unsigned stages)
{
	p->target.patient |= stages;
}

enum err
mx_pools_give(struct mx_place *p, struct delivery *d)
{
	note_works(p);
	if (p->site->held >= most_of(p->home, p->site))
		return ERR_FULL;
	p->site->held++;
	pool_take(p->pool, d);
	return OK;
}

void
mx_pools_leave(struct mx_place *p)
{
	note_works(p);
	p->site->held--;
}

uint64_t
mx_pools_number(const struct mx_place *p)
{
	return p->site->number;
}

uint16_t
mx_pools_room(const struct mx_place *p)
{
	unsigned most = most_of(p->home, p->site);
	unsigned room = most > p->site->held ? most - p->site->held : 0;

	return room < UINT16_MAX ? (uint16_t)room : UINT16_MAX;
}

void
mx_pools_drain(struct mx_pools *h)
{
	struct mx_place *p;

	RB_FOREACH(p, place_tree, &h->places)
		pool_drain(p->pool);
}

bool
mx_pools_is_busy(const struct mx_pools *h)
{
	return !RB_EMPTY(&h->places);
}
