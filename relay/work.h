/*
 * work - a relay at work: deliveries come in from the queues, go to the relay
 * of our kind, and their results stay until they are settled.
 *
 * Files: from_queue.c unpacks what queues say, work.c decides, to_queue.c
 * packs; book.c remembers, and everything behind kind.h does the delivering.
 */
#ifndef RELAY_WORK_H
#define RELAY_WORK_H

#include "bus/boot.h"
#include "relay/book.h"
#include "relay/kind.h"

/* Bytes of header or body: piece numbers have 32 bits. */
#define WORK_PART_MAX	((uint64_t)UINT32_MAX * PIECE_MAX)

struct work {
	struct boot	*boot;
	const struct kind *kind;
	void		*kind_arg;
	struct book	 book;
	bool		 is_draining;
	struct timer	 drained;	/* looks whether we are		*/
};

void		 work_init(struct work *, struct boot *, const struct kind *,
		    void *kind_arg);

/* The queue of this row has a new link: tell it what is with us. */
void		 work_link(struct work *, struct book_queue *);
/* The link is gone, and q->link NULL: what needs it for its text fails. */
void		 work_unlink(struct work *, struct book_queue *);
/* The queue will never come back. */
void		 work_forget_queue(struct work *, struct book_queue *);

/* ERR_PEER: nonsense; ERR_SYS, ERR_FULL: it cannot be taken. */
MUST_CHECK enum err work_open(struct work *, struct book_queue *,
		    const struct msg_delivery_open *);
MUST_CHECK enum err work_rcpt(struct work *, struct delivery *,
		    const struct msg_delivery_rcpt *);
/* Its results are committed, or nobody wants them. */
void		 work_settle(struct work *, struct delivery *);

/* What the kind can do has changed; arg is the struct work. */
void		 work_changed(void *arg);

/* Finish, and end the process when all is settled. */
void		 work_drain(struct work *);

#endif
