/*
 * cache.c - a tree by name, and a list with the latest used in front.
 */
#include <sys/queue.h>
#include <sys/tree.h>

#include <stdlib.h>
#include <string.h>

#include "ask/dnsname.h"
#include "ask/cache.h"

struct fact {
	RB_ENTRY(fact)	 node;
	TAILQ_ENTRY(fact) entry;
	char		 name[DNSNAME_MAX + 1];
	uint16_t	 rrtype;
	int64_t		 expires_ms;
	struct resolve_answer answer;	/* spans point behind us */
	char		 bytes[];
};

RB_HEAD(fact_tree, fact);
TAILQ_HEAD(fact_list, fact);

struct cache {
	struct fact_tree tree;
	struct fact_list list;
	size_t		 cnt, max;
};

#define UNUSED	__attribute__((unused))	/* not all of a tree's calls */

static int
compare(struct fact *a, struct fact *b)
{
	if (a->rrtype != b->rrtype)
		return a->rrtype < b->rrtype ? -1 : 1;
	return strcmp(a->name, b->name);
}

RB_GENERATE_INTERNAL(fact_tree, fact, node, compare, UNUSED static)

static void
forget(struct cache *k, struct fact *f)
{
	RB_REMOVE(fact_tree, &k->tree, f);
	TAILQ_REMOVE(&k->list, f, entry);
	k->cnt--;
	free(f);
}

static struct fact *
find(struct cache *k, const char *name, uint16_t rrtype)
{
	struct fact key = { .rrtype = rrtype };

	if (!span_cstr(span_of(name), key.name, sizeof(key.name)))
		return NULL;
	return RB_FIND(fact_tree, &k->tree, &key);
}

struct cache *
cache_new(size_t max)
{
	struct cache *k = calloc(1, sizeof(*k));

	if (k == NULL)
		return NULL;
	RB_INIT(&k->tree);
	TAILQ_INIT(&k->list);
	k->max = max;
	return k;
}

void
cache_free(struct cache **kp)
{
	struct cache *k = *kp;
	struct fact *f;

	*kp = NULL;
	if (k == NULL)
		return;
	while ((f = TAILQ_FIRST(&k->list)) != NULL)
		forget(k, f);
	free(k);
}

static uint32_t
ttl_of(const struct resolve_answer *a)
{
	if (a->status == RESOLVED)
		return a->ttl_s;
	if (a->status == RESOLVED_FAILED)
		return 0;
	return a->ttl_s < RESOLVE_NEGATIVE_S ? a->ttl_s : RESOLVE_NEGATIVE_S;
}

static struct span
put_behind(struct fact *f, size_t at, struct span s)
{
	if (s.len > 0)
		memcpy(f->bytes + at, s.ptr, s.len);
	return (struct span){ f->bytes + at, s.len };
}

void
cache_keep(struct cache *k, const char *name, uint16_t rrtype,
    const struct resolve_answer *a, int64_t now_ms)
{
	struct fact *f = find(k, name, rrtype);

	if (f != NULL)
		forget(k, f);
	if (ttl_of(a) == 0 || a->records.len > CACHE_RECORDS_MAX ||
	    a->name.len > DNSNAME_MAX || k->max == 0)
		return;
	if (k->cnt == k->max)
		forget(k, TAILQ_LAST(&k->list, fact_list));
	if ((f = calloc(1, sizeof(*f) + a->name.len + a->records.len)) == NULL)
		return;
	if (!span_cstr(span_of(name), f->name, sizeof(f->name))) {
		free(f);
		return;
	}
	f->rrtype = rrtype;
	f->expires_ms = now_ms + (int64_t)ttl_of(a) * 1000;
	f->answer = *a;
	f->answer.name = put_behind(f, 0, a->name);
	f->answer.records = put_behind(f, a->name.len, a->records);
	RB_INSERT(fact_tree, &k->tree, f);
	TAILQ_INSERT_HEAD(&k->list, f, entry);
	k->cnt++;
}

bool
cache_find(struct cache *k, const char *name, uint16_t rrtype, int64_t now_ms,
    struct resolve_answer *out)
{
	struct fact *f = find(k, name, rrtype);

	if (f == NULL)
		return false;
	if (now_ms >= f->expires_ms) {
		forget(k, f);
		return false;
	}
	TAILQ_REMOVE(&k->list, f, entry);
	TAILQ_INSERT_HEAD(&k->list, f, entry);
	*out = f->answer;
	out->ttl_s = (uint32_t)((f->expires_ms - now_ms + 999) / 1000);
	return true;
}

size_t
cache_count(const struct cache *k)
{
	return k->cnt;
}
