/*
 * net - addresses and networks as they are written, and what they are.
 */
#ifndef CONF_NET_H
#define CONF_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "conf/read/arena.h"

struct net {
	uint8_t		 family;	/* 4 or 6			*/
	uint8_t		 bits;		/* of the network, 32 or 128 for one */
	uint8_t		 address[16];	/* network order; v4 first four	*/
};

/* One address: 192.0.2.1 or 2001:db8::1. */
bool		 net_read_address(struct span, struct net *out);

/* An address or a network: 192.0.2.0/24. */
bool		 net_read(struct span, struct net *out);

/* Without the bits behind the network's; false when there were none. */
bool		 net_mask(struct net *);

/* As it is usually written, with /bits unless it is one address. */
struct span	 net_text(const struct net *, struct arena *);

bool		 net_is_loopback(const struct net *);
bool		 net_is_mapped(const struct net *);	/* ::ffff:192.0.2.1 */
bool		 net_is_any(const struct net *);	/* 0.0.0.0 or ::    */

#endif
