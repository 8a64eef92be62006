/*
 * index - table due is believed only as far as it agrees with the deliveries.
 *
 * Right after the start both are compared quickly, in small readings with
 * pauses between, so that no other read is delayed by more than one of them (a
 * million deliveries on a tmpfs: 14 seconds, 3 of them work); from then on
 * slowly, a reading a second, a round every ten minutes.  What does not agree
 * is mended, the flows are found anew, and one line says how much it was.
 *
 * Owns	   its readings
 * Blocks  never
 */
#ifndef QUEUE_INDEX_H
#define QUEUE_INDEX_H

#include "queue/queue.h"

MUST_CHECK enum err index_open(struct index **out, struct queue *);
void	index_close(struct index **);

#endif
