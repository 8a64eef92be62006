/*
 * sources - the addresses a relay may connect from; `source' of its block.
 *
 * Each connection takes the next one of the right family; a family of which
 * none is given is not connected to.  Where none is given at all, the kernel
 * chooses.
 */
#ifndef RELAY_SOURCES_H
#define RELAY_SOURCES_H

#include "ask/resolve.h"
#include "conf/slice/slice.h"

#define SOURCES_MAX	64	/* what is over it is left out, with a line */

struct sources {
	struct resolve_address addresses[SOURCES_MAX];
	unsigned	 cnt;
	unsigned	 turn;
};

void	sources_read(struct sources *, const struct slice *relay);

/* RESOLVE_ bits of what ipv4_only, ipv6_only and source leave; one at least. */
unsigned	 sources_families(const struct slice *relay);

/* Whose turn it is; NULL: the kernel's choice.  s may be NULL. */
const struct resolve_address *sources_next(struct sources *s, uint8_t family);

#endif
