/*
 * vitals - how the queue is, in the numbers that master and control read from
 * its page: how old the oldest message is, and how many destinations are down.
 *
 * Owns	   its timer, and one question to the store
 * Blocks  never
 */
#ifndef QUEUE_VITALS_H
#define QUEUE_VITALS_H

#include "queue/queue.h"

struct vitals;

MUST_CHECK enum err vitals_open(struct vitals **out, struct queue *);
void	vitals_close(struct vitals **);

#endif
