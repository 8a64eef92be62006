/*
 * follow - what waits for a suspension follows the routes all the same: it has
 * no attempt at which it would be judged, so it is judged once after a start
 * and after each reload, in the background.
 *
 * All deliveries are walked, oldest first, some at a time; those that are
 * suspended have their envelopes read.  Without a suspension nothing is done.
 *
 * Owns	   struct follow
 * Blocks  never
 */
#ifndef QUEUE_FOLLOW_H
#define QUEUE_FOLLOW_H

#include "queue/queue.h"

MUST_CHECK enum err follow_open(struct follow **out, struct queue *);
/* Behind store_close(), which reads into it. */
void	follow_close(struct follow **);

/* The routes may be others: begin, or begin anew.  NULL does nothing. */
void	follow_start(struct follow *);

#endif
