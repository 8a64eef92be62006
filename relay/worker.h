/*
 * worker - a relay at work: deliveries come in from the queues, go to the relay
 * of our kind, and their results stay until they are settled.
 *
 * Files: from_queue.c unpacks what queues say, worker.c decides, to_queue.c
 * packs; attempts.c remembers, and everything behind relay_type.h delivers.
 */
#ifndef RELAY_WORKER_H
#define RELAY_WORKER_H

#include "bus/boot.h"
#include "relay/attempts.h"
#include "relay/relay_type.h"

/* Bytes of header or body: piece numbers have 32 bits. */
#define WORK_PART_MAX	((uint64_t)UINT32_MAX * PIECE_MAX)

struct worker {
	struct boot	*boot;
	const struct relay_type *type;
	void		*relay_type_arg;
	struct attempts	 attempts;
	bool		 is_draining;
	struct timer	 drained;	/* looks whether we are		*/
};

void		 worker_init(struct worker *, struct boot *,
		    const struct relay_type *, void *relay_type_arg);

/* The queue of this row has a new link: tell it what is with us. */
void		 worker_link(struct worker *, struct attempts_queue *);
/* The link is gone, and q->link NULL: what needs it for its text fails. */
void		 worker_unlink(struct worker *, struct attempts_queue *);
/* The queue will never come back. */
void		 worker_forget_queue(struct worker *, struct attempts_queue *);

/* ERR_PEER: nonsense; ERR_SYS, ERR_FULL: it cannot be taken. */
MUST_CHECK enum err worker_open(struct worker *, struct attempts_queue *,
		    const struct msg_delivery_open *);
MUST_CHECK enum err worker_rcpt(struct worker *, struct delivery *,
		    const struct msg_delivery_rcpt *);
/* It passes through, and its recipients are over: its text comes. */
MUST_CHECK enum err worker_data(struct delivery *, bool is_chunked);
/* Bytes of pieces that a queue may have here at a time. */
size_t		 worker_text_max(const struct worker *);
/* Its results are committed, or nobody wants them. */
void		 worker_settle(struct worker *, struct delivery *);

/* What the kind can do has changed; arg is the struct worker. */
void		 worker_changed(void *arg);

/* Finish, and end the process when all is settled. */
void		 worker_drain(struct worker *);

/* The process ends: log which recipients have got what no queue has settled. */
void		 worker_end(const struct worker *);

#endif
