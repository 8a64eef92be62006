/*
 * lone - rows that belong to no message are looked for, so that they can be
 * seen and removed: after the start and then every ten minutes, some hundred
 * rows a second, for a row of text may be a page to be read.
 *
 * Owns	   its readings
 * Blocks  never
 */
#ifndef QUEUE_LONE_H
#define QUEUE_LONE_H

#include "queue/queue.h"

MUST_CHECK enum err lone_open(struct lone **out, struct queue *);
/* After store_close(). */
void	lone_close(struct lone **);

#endif
