/*
 * once - what an edge has brought and may bring again, because it died before
 * it could strike it out: pickup, whose files lie in a directory.  Each has a
 * number; one that is here already is taken without being kept a second time.
 *
 * The last ONCE_MAX numbers are known, for the life of the process: when both
 * it and pickup die between commit and removal, a second copy goes out, as of a
 * client that has not read its 250 (RFC 1047).
 *
 * A number is an edge's own: no other can have its mail taken for known, and
 * said.h lets none but pickup have any.
 */
#ifndef QUEUE_ONCE_H
#define QUEUE_ONCE_H

#include <stdint.h>

#include "base/limits.h"
#include "base/span.h"

#define ONCE_MAX	1024u		/* pickup has 16 under way	*/

enum once_state {
	ONCE_NEW,
	ONCE_COMMITTING,	/* it is in the store's hands		*/
	ONCE_KEPT
};

struct once {
	struct once_row {
		uint64_t number;	/* 0: the row is free		*/
		enum once_state state;
		char	 edge[BLOCK_NAME_MAX + 1];
	}		 rows[ONCE_MAX];
	unsigned	 next;		/* row to be used		*/
};

/* edge is the name of its block.  0 is always new. */
enum once_state	once_state(struct once *, struct span edge, uint64_t number);
/* It goes to the store, and then: it has it, or has not.  Nothing for 0. */
void		once_begin(struct once *, struct span edge, uint64_t number);
void		once_kept(struct once *, struct span edge, uint64_t number);
void		once_forget(struct once *, struct span edge, uint64_t number);

#endif
