/*
 * to_queue - what a relay says to a queue: pulls, results, and the list of
 * what is with it.
 */
#ifndef RELAY_TO_QUEUE_H
#define RELAY_TO_QUEUE_H

#include "bus/link.h"
#include "relay/delivery.h"

void	to_queue_pull(struct link *, const struct delivery *, enum part,
	    uint32_t piece_no);
/* All results, and that these are all. */
void	to_queue_results(struct link *, const struct delivery *);
/* It comes back untried. */
void	to_queue_back(struct link *, const struct delivery *, enum back why);
/* After a relink: this one is still with us. */
void	to_queue_running(struct link *, const struct delivery *);
/* The list is complete; so many may be with us at the same time. */
void	to_queue_listed(struct link *, uint32_t slots);

/* Is he one of our users, and whom does he forward to? */
void	to_queue_user(struct link *, uint64_t no, enum user_found,
	    struct span names);

/* What the only next hop can. */
void	to_queue_can(struct link *, const struct msg_relay_can *);
/* What its next hop says, as delivery_word() has it. */
void	to_queue_word(struct link *, const struct delivery *, enum stage,
	    uint32_t rcpt_no, const struct verdict *, struct span hop);

#endif
