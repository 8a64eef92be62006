/*
 * mx_pools - the pools of a relay of type mx: one per host, port and TLS policy
 * (tls_policy.h), shared by all domains that the host takes mail for.
 *
 * How many connections a host has is counted over all workers: places.h.
 * Hosts of other names with the same addresses are one site.  A site holds
 * three deliveries for each connection that it may have, one that moves and two
 * that are ready to; more are not taken, so that no delivery occupies the relay
 * while it waits for others of its host.  Before a connection has worked it is
 * three for each that POOL_OPENING allows.
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
#include "relay/hop/pool.h"
#include "relay/smtp/smtp_client.h"

#define MX_POOLS_IDLE_MAX	256	/* connections, of all hosts	*/

struct mx_pools;
struct mx_place;		/* a pool, as whoever is in it sees it	*/

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

/* As dial_is_usable() has it, of a host whose name came from outside. */
bool	mx_pools_is_usable(const struct mx_pools *,
	    const struct resolve_found *);
void	mx_pools_log_unusable(const struct mx_pools *, struct span host,
	    const struct resolve_found *);

struct mx_where {
	struct span	 host;		/* a name or an address		*/
	uint16_t	 port;
	bool		 is_trusted;	/* the block names it: it may be in a
					 * private network, and shares no
					 * connection with a stranger's	*/
};

/* Is there a pool of this host just now? */
struct mx_place	*mx_pools_find(struct mx_pools *, const struct mx_where *);

/*
 * The same, made where there was none; number is that of its site.  ERR_FULL
 * when that has all it takes, ERR_SYS when out of memory.
 */
MUST_CHECK enum err mx_pools_make(struct mx_place **out, struct mx_pools *,
		    const struct mx_where *, uint64_t number);

/* At these stages (slow.h) it is waited for longer, while there is the pool. */
void	mx_pools_wait(struct mx_place *, unsigned stages);

/* Give it a delivery, which is in it until mx_pools_leave().  ERR_FULL: no. */
MUST_CHECK enum err mx_pools_give(struct mx_place *, struct delivery *);
void	mx_pools_leave(struct mx_place *);

uint64_t mx_pools_number(const struct mx_place *);
/* How many more deliveries its site takes now. */
uint16_t mx_pools_room(const struct mx_place *);

void	mx_pools_drain(struct mx_pools *);
bool	mx_pools_is_busy(const struct mx_pools *);

#endif
