/*
 * book - every delivery that is with us, by the queue it came from and by its
 * name (message, delivery, attempt), until that queue has settled it.
 *
 * A queue is known by its block: its process and its link may be replaced, its
 * deliveries stay.
 *
 * Owns	   the queues' rows and the deliveries; not the links
 */
#ifndef RELAY_BOOK_H
#define RELAY_BOOK_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/id.h"
#include "base/limits.h"
#include "bus/link.h"
#include "relay/delivery.h"

#define BOOK_PLACES	4096	/* of the hash, a power of two		*/
#define BOOK_MAX	65536	/* deliveries, settled ones aside: a queue
				 * that settles nothing gets no further	*/

struct book_queue {
	TAILQ_ENTRY(book_queue) entry;
	char		 block[BLOCK_NAME_MAX + 1];
	uint32_t	 no;		/* of its process		*/
	struct link	*link;		/* NULL while it is away	*/
	void		*owner;		/* whoever made the book	*/
	TAILQ_HEAD(, delivery) deliveries;
	struct delivery	*last;		/* the one last opened, or NULL	*/
};

struct book {
	TAILQ_HEAD(, book_queue) queues;
	LIST_HEAD(, delivery) places[BOOK_PLACES];
	unsigned	 delivery_cnt;
};

void		 book_init(struct book *);

/* The row of a block's queue, made when there is none.  NULL: no memory. */
struct book_queue *book_queue_of(struct book *, const char *block,
		    void *owner);

/* The delivery of this queue by this name, or NULL. */
struct delivery	*book_find(const struct book *, const struct book_queue *,
		    struct id, uint32_t delivery, uint64_t attempt);
/* Its home becomes the queue. */
void		 book_add(struct book *, struct book_queue *,
		    struct delivery *);
/* Take it out and free it. */
void		 book_remove(struct book *, struct delivery *);

#endif
