/*
 * reroute_inside - what reroute.c, which judges, and reroute_move.c, which
 * moves, share.
 */
#ifndef QUEUE_REROUTE_INSIDE_H
#define QUEUE_REROUTE_INSIDE_H

#include "queue/route/reroute.h"

struct reroute;			/* one that moves: reroute_move.c's own	*/

/* Whose mail it is, for the routes. */
struct route_ask reroute_ask(const struct envelope *);

/*
 * Those that have a way go by the routes of these settings; stale_cnt as in
 * reroute_force(), or NULL.  False: it stays as it is, for want of memory.
 */
bool	reroute_move(struct queue *, const struct settings *,
	    struct delivery *, const bool *has_way, uint32_t way_cnt,
	    unsigned *stale_cnt);

#endif
