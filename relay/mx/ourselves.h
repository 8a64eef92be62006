/*
 * ourselves - how this mail server knows itself: the names it goes by and what
 * it listens on, so that a relay never hands mail to the house it comes from.
 *
 * Owns	   copies of all it read
 * Blocks  never
 * Errors  ERR_SYS out of memory
 */
#ifndef RELAY_OURSELVES_H
#define RELAY_OURSELVES_H

#include <stdbool.h>
#include <stdint.h>

#include "ask/resolve.h"
#include "base/err.h"
#include "conf/slice/slice.h"

struct ourselves;

/*
 * From the nested blocks `edge' of a relay's slice (hostname, and `listener'
 * with interface and port) and the host's own name.
 */
MUST_CHECK enum err ourselves_read(struct ourselves **out,
	    const struct slice *relay, struct span hostname);
void	ourselves_free(struct ourselves **);

/* Is the name (any case) one of ours? */
bool	ourselves_has_name(const struct ourselves *, struct span name);

/*
 * Do we listen there?  A listener on all addresses is known by loopback; for
 * this host's other addresses see ourselves_has_peer().
 */
bool	ourselves_has_address(const struct ourselves *,
	    const struct resolve_address *, uint16_t port);

/*
 * Does this connected socket end at a listener of ours on all addresses?  It
 * does when both its ends have the same address.
 */
bool	ourselves_has_peer(const struct ourselves *, int fd, uint16_t port);

#endif
