/*
 * cache - answers of the resolver, remembered until their TTL has run out.
 *
 * Bounded: the one unused for longest makes room, and an answer of more than
 * CACHE_RECORDS_MAX bytes is not remembered.
 *
 * Owns	   copies of all it was told
 * Blocks  never
 * Errors  none: what cannot be remembered is asked again
 */
#ifndef ASK_CACHE_H
#define ASK_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ask/resolve.h"

#define CACHE_RECORDS_MAX	4096	/* bytes of one answer */

struct cache;

/* At most `max` answers.  NULL when out of memory. */
struct cache	*cache_new(size_t max);
void		 cache_free(struct cache **);

/*
 * Remember the answer about a name (as dnsname_fold() made it), in place of
 * an earlier one.  Failures and a TTL of 0 are not remembered, a "no" for at
 * most RESOLVE_NEGATIVE_S.
 */
void		 cache_keep(struct cache *, const char *name, uint16_t rrtype,
		    const struct resolve_answer *, int64_t now_ms);

/* *out is borrowed until the next call; its TTL is what is left. */
bool		 cache_find(struct cache *, const char *name, uint16_t rrtype,
		    int64_t now_ms, struct resolve_answer *out);

size_t		 cache_count(const struct cache *);

#endif
