/*
 * index - table due is believed only as far as it agrees with the deliveries.
 *
 * Right after the start both are compared quickly, in small readings with
 * pauses between (a million deliveries take some ten seconds and delay no other
 * read by more than one reading); from then on slowly, a reading a second, a
 * round every ten minutes.  What does not agree is mended, the flows are found
 * anew, and one line says how much it was.
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
