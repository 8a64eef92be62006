/*
 * nets - networks of clients, as an option names them.
 *
 * Owns	   copies of what the slice said
 * Errors  ERR_PEER a word of the slice is no address or network; ERR_FULL
 */
#ifndef EDGE_NETS_H
#define EDGE_NETS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/span.h"
#include "conf/slice/slice.h"
#include "edge/client/client_address.h"

struct net;

struct nets {
	struct net	*nets;		/* cnt of them			*/
	unsigned	 cnt;
};

/* Those of an option of the block; none where it is absent. */
MUST_CHECK enum err nets_init(struct nets *, const struct slice *block,
	    const char *option);
void	nets_fini(struct nets *);

/* One network, "192.0.2.0/24", "2001:db8::/32" or an address. */
MUST_CHECK enum err nets_add(struct nets *, struct span);

/* Is it in one of them that has so many bits at least? */
bool	nets_has(const struct nets *, const struct client_address *,
	    unsigned least_bits);

#endif
