/*
 * aging - deliveries that have grown older than warn_after, so that their
 * senders are told also where nothing is tried: the destination is down, or a
 * delivery waits hours for its next turn.
 *
 * Ids are in the order of arrival, so table delivery is too: a cursor walks it
 * as time goes by and looks at each delivery once; after a start it begins
 * anew, and who was told before is known from the disk.  A bounded number of
 * rows at a time.
 *
 * Blocks  never
 */
#ifndef QUEUE_AGING_H
#define QUEUE_AGING_H

#include "queue/queue.h"

MUST_CHECK enum err aging_open(struct aging **out, struct queue *);
void	aging_close(struct aging **);

#endif
