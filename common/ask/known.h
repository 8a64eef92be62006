/*
 * known - answers of the resolver, remembered until their TTL has run out.
 *
 * Bounded: the one unused for longest makes room, and an answer of more than
 * KNOWN_RECORDS_MAX bytes is not remembered.
 *
 * Owns	   copies of all it was told
 * Blocks  never
 * Errors  none: what cannot be remembered is asked again
 */
#ifndef ASK_KNOWN_H
#define ASK_KNOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ask/resolve.h"

#define KNOWN_RECORDS_MAX	4096	/* bytes of one answer */

struct known;

/* At most `max` answers.  NULL when out of memory. */
struct known	*known_new(size_t max);
void		 known_free(struct known **);

/*
 * Remember the answer about a name (as dnsname_fold() made it), in place of
 * an earlier one.  Failures and a TTL of 0 are not remembered, a "no" for at
 * most RESOLVE_NEGATIVE_S.
 */
void		 known_keep(struct known *, const char *name, uint16_t rrtype,
		    const struct resolve_answer *, int64_t now_ms);

/* *out is borrowed until the next call; its TTL is what is left. */
bool		 known_find(struct known *, const char *name, uint16_t rrtype,
		    int64_t now_ms, struct resolve_answer *out);

size_t		 known_count(const struct known *);

#endif
