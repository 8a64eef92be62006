/*
 * arena - memory that is taken in bits and given back all at once.
 *
 * Errors  none to check at once: a failed call yields NULL and sets `bad',
 *	   which stays.  Callers stop at a NULL and look at `bad' at the end.
 */
#ifndef CONF_ARENA_H
#define CONF_ARENA_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

struct arena_block;

struct arena {
	SLIST_HEAD(, arena_block) blocks;
	bool	 bad;		/* memory ran out at some time */
};

void		 arena_init(struct arena *);
void		 arena_fini(struct arena *);

/* Zeroed, aligned for anything.  NULL when there is no more. */
void		*arena_take(struct arena *, size_t len);

/* cnt members of len bytes; NULL too when that overflows. */
void		*arena_take_array(struct arena *, size_t cnt, size_t len);

/* A copy with a NUL behind it; an empty span when there is no more. */
struct span	 arena_copy(struct arena *, struct span);

/* The two, one behind the other, with a NUL. */
struct span	 arena_join(struct arena *, struct span, struct span);

/* What is left of printf, cut at 1023 bytes; "" when there is no memory. */
const char	*arena_print(struct arena *, const char *fmt, ...)
		    __attribute__((format(printf, 2, 3)));

#endif
