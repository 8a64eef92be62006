/*
 * tap - somebody who sees a text as it passes: a hash, a scanner, a filter.
 *
 * A tap is put beside a text before its first byte (text_tap()), is its owner's
 * memory, and sees the header section whole, then the body in runs, as they are
 * kept: dots undone, our own fields not there yet.  Who needs more time than
 * that asks for it as a check of stage END.
 */
#ifndef EDGE_TAP_H
#define EDGE_TAP_H

#include <stdbool.h>

#include "base/span.h"

struct tap {
	struct tap	*next;		/* text.h's			*/
	void		(*on_header)(struct tap *, struct span section);
	void		(*on_body)(struct tap *, struct span run);
	/* No more comes: the text is whole, or has a fault and is void, or
	 * its transaction is over.  The last call, and always made. */
	void		(*on_end)(struct tap *, bool is_whole);
};

#endif
