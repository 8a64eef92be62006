/*
 * limits - how many sessions each client network has open.
 *
 * A network is one IPv4 address or one IPv6 /64: what a single host can take
 * for itself.  On a unix socket each user is one.  Networks without a session
 * take no memory.
 *
 * Owns	   its table
 * Errors  ERR_FULL no memory
 */
#ifndef EDGE_LIMITS_H
#define EDGE_LIMITS_H

#include <stdint.h>

#include "base/err.h"
#include "edge/client/client_address.h"

struct limits;

/* secret keeps strangers from choosing addresses that share a bucket. */
MUST_CHECK enum err limits_new(struct limits **out, uint64_t secret);
void	limits_free(struct limits **);

/* One more session of this network; *cnt is how many it has with it. */
MUST_CHECK enum err limits_enter(struct limits *,
	    const struct client_address *, unsigned *cnt);
/* One less.  Only after limits_enter() said OK for the same address. */
void	limits_leave(struct limits *, const struct client_address *);

#endif
