/*
 * errand - what an administrator wants of a message that is more than moving
 * rows: give it up and tell its sender, hand it to another relay, or have the
 * routes judge it anew.
 *
 * Each delivery of it that no relay has is taken out of its turn, loaded, and
 * dealt with in a transaction of its own; the answer comes when all of them
 * are committed.
 *
 * Owns	   struct errand, until it is answered
 * Blocks  never
 */
#ifndef QUEUE_ERRAND_H
#define QUEUE_ERRAND_H

#include "queue/control/edit.h"

struct errand;

/*
 * As edit_start(), for EDIT_BOUNCE (text: the reason, or empty), EDIT_MOVE
 * (text: the relay), EDIT_REROUTE and EDIT_EXPIRE.  STATUS_REFUSED: there is no
 * such relay.
 */
bool	errand_start(struct queue *, struct id, enum edit, struct span text,
	    enum tool_status *why, edit_fn *, void *arg);

/* The envelope of a delivery that an errand took is read, or is not. */
void	errand_loaded(struct queue *, struct delivery *, enum err);

/* At the end of the process, behind store_close(): all of them. */
void	errand_close(struct queue *);

#endif
