/*
 * quarantine - the way back: rows that could not be used are looked at again
 * soon after the start (a newer postern may have been installed, or the disk
 * says something else), and every ten minutes.  What can be read by now is due.
 *
 * Owns	   its readings
 * Blocks  never
 */
#ifndef QUEUE_QUARANTINE_H
#define QUEUE_QUARANTINE_H

#include "queue/queue.h"

MUST_CHECK enum err quarantine_open(struct quarantine **out, struct queue *);
/* After store_close() and before edit_close(). */
void	quarantine_close(struct quarantine **);

#endif
