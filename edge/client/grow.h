/*
 * grow - a run of bytes that grows at the end and is used up at the front.
 *
 * Empty ones cost no heap: what waits for a socket, a rest of a line, the
 * addresses of an envelope exist only while there is something in them.
 *
 * Owns	   its bytes; a struct of zeros is an empty one
 * Errors  ERR_FULL no memory; nothing is changed then
 */
#ifndef EDGE_GROW_H
#define EDGE_GROW_H

#include <stddef.h>

#include "base/err.h"
#include "base/span.h"

struct grow {
	char	*ptr;
	size_t	 len, cap;	/* bytes used and allocated */
};

MUST_CHECK enum err grow_add(struct grow *, struct span);

/* Room for n more bytes, exactly; for who knows how many will come. */
MUST_CHECK enum err grow_reserve(struct grow *, size_t n);

/* All that is in it; valid until the next change. */
struct span	 grow_span(const struct grow *);

/* Take n bytes off the front; an emptied one gives its memory back. */
void		 grow_drop(struct grow *, size_t n);

/* Empty it and give the memory back. */
void		 grow_free(struct grow *);

#endif
