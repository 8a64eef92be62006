/*
 * reroute - mail that is queued follows the routes of today.
 *
 * Each delivery is judged when its envelope is loaded, before it goes out (or,
 * where nothing goes out, by follow.h):
 * recipients whom the routes now send elsewhere become deliveries there, in
 * one transaction, due at once; whom they refuse or discard are done with.
 * Whom they lead nowhere stay where they are.
 *
 * Owns	   what is on its way to the disk
 * Blocks  never
 */
#ifndef QUEUE_REROUTE_H
#define QUEUE_REROUTE_H

#include "queue/queue.h"

MUST_CHECK enum err reroute_open(struct reroutes **out, struct queue *);
/* Behind store_close(). */
void	reroute_close(struct reroutes **);

/* Moves on their way to the disk. */
uint32_t reroute_busy_cnt(const struct reroutes *);

/*
 * The envelope of dl is there: do the routes want it elsewhere?  True: it is
 * taken, its slot given back.  False: it may go out as it is.
 */
bool	reroute_loaded(struct queue *, struct delivery *);

/*
 * What an administrator wants of a delivery whose envelope is there; true: dl
 * is taken.  All to this relay, where no route moves it any more; or NULL: as
 * the routes say, though it was moved before.  Where somebody else has tried it
 * meanwhile it stays as it is, and *stale_cnt is one more: it must be there
 * until what is handed to the store behind this comes back.
 */
bool	reroute_force(struct queue *, struct delivery *, const char *relay,
	    unsigned *stale_cnt);

/* Give all of its recipients up, for this reason or none, and tell so. */
bool	reroute_give_up(struct queue *, struct delivery *, struct span why);

#endif
