/*
 * pool - the connections to one next hop, and the deliveries that wait for
 * one of them.
 *
 * A connection that is free takes the delivery that waits longest; none free,
 * another is opened, up to the limit.  A connection that cannot be had while
 * others work is not charged to anybody: the work goes on over those.  When
 * there is none left, all that wait fail with its verdict, for the destination
 * is down, and trying it again is the queue's to time.
 *
 * A next hop that has not shown yet that it answers gets POOL_OPENING
 * connections at most.
 *
 * An owner with several next hops takes over by pool_set_owner(): it gets the
 * deliveries back instead, for a try elsewhere, and hears when the pool is of
 * no use any more.
 *
 * Owns	   its connections; a delivery from pool_take() to its end
 * Blocks  never
 */
#ifndef RELAY_POOL_H
#define RELAY_POOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "relay/delivery.h"
#include "relay/hop/hop.h"

#define POOL_OPENING	2	/* connections, until one has worked	*/

struct pool;

struct pool_limits {
	unsigned	 connections;	/* at most, at the same time	*/
	int64_t		 idle_ms;	/* how long an unused one is kept */
	unsigned	*idle_left;	/* shared by pools: how many more of
					 * those there may be; NULL: any */
};

struct pool_calls {
	/*
	 * The next hop cannot be reached, and this is why; the delivery is
	 * yours again.  Not while the pool drains.
	 */
	void	(*unreachable)(struct delivery *, const struct verdict *why,
		    struct span hop, void *arg);
	/* Neither delivery nor connection is left: close the pool, or not. */
	void	(*empty)(struct pool *, void *arg);
};

/* kind and its target are borrowed for the pool's life. */
MUST_CHECK enum err pool_open(struct pool **out, struct ev_loop *,
	    struct resolve *, const struct hop_kind *, const void *target,
	    const struct pool_limits *);
void	pool_close(struct pool **);	/* waiting deliveries stay unfinished */
/* calls are borrowed for the pool's life. */
void	pool_set_owner(struct pool *, const struct pool_calls *, void *arg);

void	pool_take(struct pool *, struct delivery *);

/*
 * A delivery that waits is taken out again; a connection that is being made
 * for nobody else is given up.
 */
void	pool_leave(struct pool *, struct delivery *);

/* Has a connection got as far as to take mail, and did none fail since? */
bool	pool_works(const struct pool *);

/*
 * Begin nothing more: what waits is deferred, what is idle says QUIT, and what
 * runs ends in its own time.
 */
void	pool_drain(struct pool *);
/* Is a connection left? */
bool	pool_is_busy(const struct pool *);

#endif
