/*
 * mx_pools.c - a tree of pools.  A pool is closed in its own call, which is
 * its last of a turn; nothing else closes one.
 */
#include <sys/tree.h>

#include <stdlib.h>
#include <string.h>

#include "ask/dnsname.h"
#include "relay/mx_pools.h"

struct place {
	RB_ENTRY(place)	 entry;
	struct mx_pools	*home;
	struct smtp_client_target target;
	struct pool	*pool;
	char		 host[DNSNAME_MAX + 1];
};

RB_HEAD(place_tree, place);

struct mx_pools {
	struct mx_pools_common common;
	unsigned	 idle_left;
	mx_pools_unreachable_fn *unreachable;
	void		*arg;
	struct place_tree places;
};

#define UNUSED	__attribute__((unused))	/* not all of a tree's calls */

static int
compare(struct place *a, struct place *b)
{
	int cmp = strcmp(a->host, b->host);

	if (cmp != 0)
		return cmp;
	return a->target.dial.port < b->target.dial.port ? -1 :
	    a->target.dial.port > b->target.dial.port;
}

RB_GENERATE_INTERNAL(place_tree, place, entry, compare, UNUSED static)

static void
forget(struct place *p)
{
	RB_REMOVE(place_tree, &p->home->places, p);
	pool_close(&p->pool);
	free(p);
}

static void
give_back(struct delivery *d, const struct verdict *why, struct span hop,
    void *arg)
{
	struct place *p = arg;

	p->home->unreachable(d, why, hop, p->home->arg);
}

static void
has_emptied(struct pool *pool, void *arg)
{
	forget(arg);
}

static const struct pool_calls pool_calls = { give_back, has_emptied };

static struct place *
make_place(struct mx_pools *h, const char *host, uint16_t port)
{
	struct place *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->home = h;
	memcpy(p->host, host, sizeof(p->host));
	p->target = h->common.target;
	p->target.dial.host = span_of(p->host);
	p->target.dial.port = port;
	if (pool_open(&p->pool, h->common.loop, h->common.resolve, &p->target,
	    &h->common.limits) != OK) {
		free(p);
		return NULL;
	}
	pool_set_owner(p->pool, &pool_calls, p);
	RB_INSERT(place_tree, &h->places, p);
	return p;
}

static struct place *
place_of(struct mx_pools *h, struct span host, uint16_t port)
{
	struct place key = { .target.dial.port = port }, *found;

	if (!span_cstr(host, key.host, sizeof(key.host)))
		return NULL;
	found = RB_FIND(place_tree, &h->places, &key);
	return found != NULL ? found : make_place(h, key.host, port);
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

enum err
mx_pools_give(struct mx_pools *h, struct span host, uint16_t port,
    struct delivery *d)
{
	struct place *p = place_of(h, host, port);

	if (p == NULL)
		return ERR_SYS;
	pool_take(p->pool, d);
	return OK;
}

void
mx_pools_drain(struct mx_pools *h)
{
	struct place *p;

	RB_FOREACH(p, place_tree, &h->places)
		pool_drain(p->pool);
}

bool
mx_pools_is_busy(const struct mx_pools *h)
{
	return !RB_EMPTY(&h->places);
}
