/*
 * limits.c - a chained hash with a secret; at most max_sessions entries, so
 * the number of buckets can stand.
 */
#include <sys/queue.h>

#include <stdlib.h>
#include <string.h>

#include "edge/client/limits.h"

#define BUCKETS		4096u	/* power of two; 12,000 sessions: chains of 3 */

struct network {
	LIST_ENTRY(network) entry;
	uint8_t		 family;
	uint8_t		 bytes[8];
	unsigned	 session_cnt;
};

struct limits {
	uint64_t	 secret;
	LIST_HEAD(, network) buckets[BUCKETS];
};

static struct network
network_of(const struct client_address *a)
{
	struct network n = { .family = a->family };

	memcpy(n.bytes, a->bytes, a->family == 4 ? 4 : 8);
	return n;
}

static unsigned
bucket_of(const struct limits *c, const struct network *n)
{
	uint64_t h;

	memcpy(&h, n->bytes, sizeof(h));
	h = (h ^ c->secret ^ n->family) * 0x9e3779b97f4a7c15u;
	h = (h ^ (h >> 29)) * (c->secret | 1);
	return (unsigned)(h >> 40) & (BUCKETS - 1);
}

static struct network *
find(struct limits *c, const struct network *want, unsigned bucket)
{
	struct network *n;

	LIST_FOREACH(n, &c->buckets[bucket], entry)
		if (n->family == want->family &&
		    memcmp(n->bytes, want->bytes, sizeof(n->bytes)) == 0)
			return n;
	return NULL;
}

enum err
limits_new(struct limits **out, uint64_t secret)
{
	struct limits *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return ERR_FULL;
	c->secret = secret;
	*out = c;
	return OK;
}

void
limits_free(struct limits **cp)
{
	struct network *n;

	if (*cp == NULL)
		return;
	for (unsigned i = 0; i < BUCKETS; i++)
		while ((n = LIST_FIRST(&(*cp)->buckets[i])) != NULL) {
			LIST_REMOVE(n, entry);
			free(n);
		}
	free(*cp);
	*cp = NULL;
}

enum err
limits_enter(struct limits *c, const struct client_address *a, unsigned *cnt)
{
	struct network want = network_of(a);
	unsigned bucket = bucket_of(c, &want);
	struct network *n = find(c, &want, bucket);

	if (n == NULL) {
		if ((n = malloc(sizeof(*n))) == NULL)
			return ERR_FULL;
		*n = want;
		LIST_INSERT_HEAD(&c->buckets[bucket], n, entry);
	}
	*cnt = ++n->session_cnt;
	return OK;
}

void
limits_leave(struct limits *c, const struct client_address *a)
{
	struct network want = network_of(a);
	struct network *n = find(c, &want, bucket_of(c, &want));

	if (n == NULL || --n->session_cnt > 0)
		return;
	LIST_REMOVE(n, entry);
	free(n);
}
