/*
 * mx_pools - the pools of a relay of type mx: one per host and port, shared by
 * all domains that the host takes mail for.
 *
 * A pool is made when the first delivery comes and closed when neither
 * delivery nor connection is left in it, so there are never more of them than
 * deliveries and idle connections, MX_POOLS_IDLE_MAX of which are kept.
 *
 * Owns	   the pools, their names
 * Blocks  never
 */
#ifndef RELAY_MX_POOLS_H
#define RELAY_MX_POOLS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "relay/pool.h"

#define MX_POOLS_IDLE_MAX	256	/* connections, of all hosts	*/

struct mx_pools;

/* What all pools have in common; borrowed, but for the host and port. */
struct mx_pools_common {
	struct ev_loop	*loop;
	struct resolve	*resolve;
	struct smtp_client_target target; /* host and port: set for each */
	struct pool_limits limits;	/* idle_left is ours to set	*/
};

/*
 * The host cannot be reached: as in pool.h; arg is that of mx_pools_open().
 */
typedef void mx_pools_unreachable_fn(struct delivery *,
    const struct verdict *why, struct span hop, void *arg);

MUST_CHECK enum err mx_pools_open(struct mx_pools **out,
	    const struct mx_pools_common *, mx_pools_unreachable_fn *,
	    void *arg);
void	mx_pools_close(struct mx_pools **);

/*
 * Give a delivery to the pool of this host (a name or an address, at most
 * DNSNAME_MAX bytes).  ERR_SYS, and it is still yours, when out of memory.
 */
MUST_CHECK enum err mx_pools_give(struct mx_pools *, struct span host,
	    uint16_t port, struct delivery *);

void	mx_pools_drain(struct mx_pools *);
bool	mx_pools_is_busy(const struct mx_pools *);

#endif
