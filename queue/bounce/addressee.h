/*
 * addressee - who gets a message of our own: whom its address stands for, as
 * far as there is a way for a bounce to him.
 *
 * Owns	   the recipients and the split, until addressee_fini()
 * Errors  ERR_NONE there is a way to nobody; ERR_SYS no memory
 */
#ifndef QUEUE_ADDRESSEE_H
#define QUEUE_ADDRESSEE_H

#include "queue/queue.h"
#include "queue/route/split.h"
#include "queue/store/store_intake.h"

struct addressee {
	struct expansion *expansion;
	struct span	*rcpts;
	struct store_dsn *dsn;		/* with their traces		*/
	uint32_t	 cnt;
	struct split	 split;
	const char	*why_none;	/* in words, when there is nobody */
};

/* to is borrowed for as long; *out is zeroed when this fails, but for why. */
MUST_CHECK enum err addressee_find(struct addressee *out, struct queue *,
	    struct span to, int64_t due_ms);

/* Into a message that is to be kept: recipients and deliveries. */
void	addressee_put(const struct addressee *, struct store_accept *);
void	addressee_fini(struct addressee *);

#endif
