/*
 * suspend - an administrator has a relay or a destination wait, and go on.
 *
 * Nothing more is handed to what is suspended, from the call on: what is under
 * way ends as it would, what is queued and what comes in waits in its flow, of
 * which no row is read meanwhile.  It is on disk before anybody is told, and a
 * restart knows it before it hands anything out.  What was due is due when it
 * ends, as any other mail; its lifetime has stood still.
 *
 * Owns	   what is on its way to the disk
 * Blocks  never
 */
#ifndef QUEUE_SUSPEND_H
#define QUEUE_SUSPEND_H

#include "queue/queue.h"

/* How it ended: STATUS_DONE, STATUS_FAILED. */
typedef void suspend_fn(enum tool_status, void *arg);

struct suspend_what {
	struct span	 relay, domain;	/* one may be empty: any, all	*/
	struct span	 reason, who;
};

/*
 * Suspend it; what is suspended already has another reason from now on.  False:
 * *why is STATUS_NONE for a relay to which no route leads, STATUS_REFUSED for
 * what is no domain, STATUS_BUSY or STATUS_FAILED, and fn is not called.
 */
bool	suspend_begin(struct queue *, const struct suspend_what *,
	    enum tool_status *why, suspend_fn *, void *arg);

/* The same to end it; STATUS_NONE: it is not suspended. */
bool	suspend_end(struct queue *, const struct suspend_what *,
	    enum tool_status *why, suspend_fn *, void *arg);

/*
 * At the start, and when the relays are others: tell of suspended ones that
 * no route leads to, and forget what nobody has waited for.
 */
void	suspend_look(struct queue *);

/* At the end of the process, behind store_close(). */
void	suspend_close(struct queue *);

/*
 * When the one that this delivery waits for began; 1: nobody knows; 0: it
 * waits for none.
 */
uint64_t suspend_since_ms(const struct queue *,
	    const struct record_delivery *);

#endif
