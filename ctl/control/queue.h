/*
 * queue - control's links to the queues: questions out, answers in.
 *
 * A queue that is away keeps its place, without a link, until master says that
 * it is gone for good; what it was asked is then answered with "failed".
 */
#ifndef CTL_CONTROL_QUEUE_H
#define CTL_CONTROL_QUEUE_H

#include "base/span.h"
#include "ctl/control/control.h"

struct queue {
	LIST_ENTRY(queue) entry;
	struct control	*control;
	struct link	*link;		/* NULL: it is away		*/
	struct link_peer peer;
	struct questions queries;	/* that it has not answered	*/
};

/* A link to this queue, its first or another; fd is taken. */
void		 queue_link(struct control *, int fd,
		    const struct link_peer *);

/* The process of that number will not come again. */
void		 queue_gone(struct control *, uint32_t no);

/* By the name of its block, NULL if there is none. */
struct queue	*queue_find(struct control *, struct span name);

void		 queue_close_all(struct control *);

#endif
