/*
 * digest - what nobody could be told of is told to the postmaster, an hour
 * after the first of it, in one message: table discard, see store_discard.c.
 *
 * The hour is counted from the time in the first row, so a restart goes on with
 * it.  Without a postmaster, or while no route leads to him, the rows wait.  A
 * digest that fails is logged and counted, and makes no row: no digest is ever
 * about a digest.
 *
 * Owns	   struct digest
 * Blocks  never
 */
#ifndef QUEUE_DIGEST_H
#define QUEUE_DIGEST_H

#include "queue/queue.h"

#define DIGEST_EVERY_MS	3600000

MUST_CHECK enum err digest_open(struct digest **out, struct queue *);
/* Behind store_close(). */
void	digest_close(struct digest **);

/* See what waits: at the start, and when there may be another postmaster. */
void	digest_look(struct digest *);

/* Rows of table discard are on disk. */
void	digest_note(struct digest *);

/* Is a digest on its way to the disk? */
bool	digest_is_busy(const struct digest *);

#endif
