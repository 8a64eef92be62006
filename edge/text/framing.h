/*
 * framing - how a text comes: behind DATA, up to the line with one dot.  What
 * the framing takes off the client's bytes it puts into a text.
 *
 * Blocks  never
 */
#ifndef EDGE_FRAMING_H
#define EDGE_FRAMING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"
#include "mail/eod.h"

struct text;

enum framing_step {
	FRAMING_MORE,	/* all input is used				*/
	FRAMING_FULL,	/* no room: go on when framing_room() is not 0	*/
	FRAMING_END	/* end of data; what is left is a command	*/
};

struct framing {
	struct text	*text;		/* borrowed			*/
	struct eod	 eod;
};

/* is_lax: lines may end with LF alone. */
void	framing_begin(struct framing *, struct text *, bool is_lax);

/*
 * Take input from the front of *in.  A bare CR, a bare LF or a NUL, by which
 * others may see a second message in it, is a fault that ends the connection
 * (550 5.5.2), whatever else is wrong.
 */
enum framing_step framing_take(struct framing *, struct span *in);

/* Bytes of input that framing_take() can use now; 0 is back pressure. */
size_t	framing_room(const struct framing *);

#endif
