/*
 * waits - for what a delivery waits that is not just now its turn: what an
 * administrator wants to know of it, in words of the bus.
 *
 * Pure, but for the clocks.
 */
#ifndef QUEUE_WAITS_H
#define QUEUE_WAITS_H

#include "queue/queue.h"

struct waits_for {
	enum waits	 what;
	uint64_t	 down_ms;	/* wall clock, since then; 0	*/
	uint64_t	 probe_ms;	/* the next; 0: one is under way */
	uint64_t	 suspended_ms;	/* since then, 1 unknown; 0: not */
	const char	*who, *reason;	/* of the suspension, or ""	*/
};

void	waits_find(const struct queue *, const struct record_delivery *,
	    struct waits_for *out);

#endif
