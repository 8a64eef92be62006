/*
 * expire - what was here for its lifetime is given up, tried or not, whether
 * its destination is down, its next attempt is hours ahead, or it is held for
 * the deaths of its relay; but not what an administrator holds.
 *
 * Every half minute the old are walked, oldest first, some at a time; there is
 * no bound but the pace at which outcomes are written.
 *
 * Owns	   struct expire
 * Blocks  never
 */
#ifndef QUEUE_EXPIRE_H
#define QUEUE_EXPIRE_H

#include "queue/queue.h"
#include "queue/store/store_due.h"

struct expire {
	struct queue	*queue;
	struct timer	 look;		/* when to begin, or go on	*/
	bool		 is_walking;
	struct store_read_spent read;
};

void	expire_open(struct expire *, struct queue *);

/* After the store is closed, which reads into it. */
void	expire_close(struct expire *);

#endif
