/*
 * mx_attempt - one delivery on its way to a domain: the hosts that take its
 * mail (mx_lookup.h), one after the other until one can be talked to.
 *
 * It ends with the delivery: decided by a host that was reached, or by what
 * stood in the way.  RFC 5321 5.1, RFC 7505.
 *
 * A host has a number, made of its addresses, by which the queue knows that
 * domains share it: the delivery's `host' in the end is that of the host which
 * decided, or, where none could be reached, of all that were tried.
 *
 * What was waited for in vain is waited for longer (slow.h): by a delivery that
 * has failed of it, and by all where no other host is left to try; for as long
 * as there is one, nobody's first attempt shall wait for a host that hangs.
 *
 * Owns	   itself; its delivery while that is in no pool
 * Blocks  never
 */
#ifndef RELAY_MX_ATTEMPT_H
#define RELAY_MX_ATTEMPT_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "relay/delivery.h"
#include "relay/mx/mx_down.h"
#include "relay/mx/mx_lookup.h"
#include "relay/mx/mx_pools.h"
#include "relay/hop/slow.h"

struct mx_attempt;

/* What the attempts of a relay share. */
struct mx_attempts {
	struct ev_loop	*loop;
	struct mx_lookups lookups;	/* and the pools		*/
	struct mx_down	 down;		/* by name: try others first	*/
	struct mx_down	 failed;	/* by number: do not try at all	*/
	struct slow	 slow;		/* wait longer			*/
	uint64_t	 number_seed;	/* nobody outside knows it	*/
	bool		 is_draining;
	LIST_HEAD(, mx_attempt) under_way;
};

/* The delivery is taken, and ended at some time. */
void	mx_attempt_begin(struct mx_attempts *, struct delivery *);
/* Its host cannot be reached: on to the next.  As mx_pools_unreachable_fn. */
void	mx_attempt_go_on(struct delivery *, const struct verdict *why,
	    struct span hop, void *attempts);
/* End those that have not come to a host yet, and begin no new ones. */
void	mx_attempt_drain(struct mx_attempts *);

#endif
