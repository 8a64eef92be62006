/*
 * to_relay - what the queue says to a relay.  Packs, and decides nothing;
 * without a link nothing is said.
 */
#ifndef QUEUE_TO_RELAY_H
#define QUEUE_TO_RELAY_H

#include "queue/plan/dispatch.h"
#include "queue/store/store_envelope.h"

/* The delivery, and each of its recipients. */
void	to_relay_open(struct worker *, const struct delivery *);
void	to_relay_piece(struct worker *, const struct delivery *,
	    const struct store_read_piece *);
void	to_relay_settled(struct worker *, struct id, uint32_t no,
	    uint64_t attempt);

/* Is he one of its users? */
void	to_relay_user(struct link *, uint64_t no, struct span rcpt);

/* Give it back, if it was not begun. */
void	to_relay_recall(struct worker *, const struct delivery *);

#endif
