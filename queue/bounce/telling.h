/*
 * telling - which senders are to be told of what, and when: once for a message,
 * gathered for a minute, or until its last recipient has come to an end, or
 * until there is enough for one report.
 *
 * What is to be told lies on disk (table report) from the transaction that
 * decided it; here it is only remembered which messages have such rows, so a
 * restart goes on where this life ends.
 *
 * Owns	   struct reports
 * Blocks  never
 */
#ifndef QUEUE_TELLING_H
#define QUEUE_TELLING_H

#include "queue/queue.h"

#define REPORT_GATHER_MS	60000	/* from the first row on	*/

MUST_CHECK enum err telling_open(struct reports **out, struct queue *);
/* Behind store_close(). */
void	telling_close(struct reports **);

/* Read from the disk what a former life left to be told. */
void	telling_start(struct reports *);

/* Rows of this message are on disk.  is_over: it will have no more. */
void	telling_note(struct reports *, struct id, uint32_t rows, bool is_over);

/* Is a report being made? */
bool	telling_is_busy(const struct reports *);

#endif
