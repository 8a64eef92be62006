/*
 * attempts - every delivery that is with us, by the queue it came from and by
 * its name (message, delivery, attempt), until that queue has settled it.
 *
 * A queue is known by its block: its process and its link may be replaced, its
 * deliveries stay.
 *
 * Owns	   the queues' rows and the deliveries; not the links
 */
#ifndef RELAY_ATTEMPTS_H
#define RELAY_ATTEMPTS_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "base/limits.h"
#include "bus/link.h"
#include "relay/delivery.h"

#define ATTEMPTS_PLACES	4096	/* of the hash, a power of two		*/
#define ATTEMPTS_MAX	65536	/* deliveries, settled ones aside: a queue
				 * that settles nothing gets no further	*/

struct attempts_queue {
	TAILQ_ENTRY(attempts_queue) entry;
	char		 block[BLOCK_NAME_MAX + 1];
	uint32_t	 no;		/* of its process		*/
	bool		 passes;	/* a proxy: its deliveries begin before
					 * they are whole, and what it does not
					 * know any more it never will	*/
	struct link	*link;		/* NULL while it is away	*/
	void		*owner;		/* whoever made the book	*/
	TAILQ_HEAD(, delivery) deliveries;
	struct delivery	*last;		/* the one last opened, or NULL	*/
	struct hold	 hold;		/* what they take		*/
	unsigned	 running_cnt;	/* whole, and not finished	*/
};

struct attempts {
	TAILQ_HEAD(, attempts_queue) queues;
	LIST_HEAD(, delivery) places[ATTEMPTS_PLACES];
	unsigned	 delivery_cnt;
	unsigned	 opening_cnt;	/* of them not yet whole	*/
};

void		 attempts_init(struct attempts *);

/* The row of a block's queue, made when there is none.  NULL: no memory. */
struct attempts_queue *attempts_queue_of(struct attempts *, const char *block,
		    void *owner);

/* The delivery of this queue by this name, or NULL. */
struct delivery	*attempts_find(const struct attempts *,
		    const struct attempts_queue *, struct id,
		    uint32_t delivery, uint64_t attempt);
/* Its home becomes the queue. */
void		 attempts_add(struct attempts *, struct attempts_queue *,
		    struct delivery *);
/* All its recipients are said now. */
void		 attempts_whole(struct attempts *);
/* Take it out and free it. */
void		 attempts_remove(struct attempts *, struct delivery *);

#endif
