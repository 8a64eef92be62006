/*
 * bounce_safe - foreign bytes within a line of a report: no controls, never
 * too long, and 8-bit bytes only where they are characters and are wanted.
 */
#ifndef QUEUE_BOUNCE_SAFE_H
#define QUEUE_BOUNCE_SAFE_H

#include <stdbool.h>
#include <stdio.h>

#include "base/span.h"

#define BOUNCE_SAFE_CUT	900	/* bytes of a foreign string in a line	*/

/* "?" for what cannot stand there; what is over BOUNCE_SAFE_CUT is cut. */
void	bounce_safe_text(FILE *, struct span, bool utf8);

/*
 * The characters of an address of type utf-8: as they are, or, without utf8,
 * as \x{E9} (RFC 6533 3, utf-8-addr-xtext).
 */
void	bounce_safe_utf8_address(FILE *, struct span, bool utf8);

/* xtext (RFC 3461 4) read back, and made safe. */
void	bounce_safe_xtext(FILE *, struct span, bool utf8);

#endif
