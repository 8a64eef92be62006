/*
 * from_queue - the links from queues, and what is said on them.
 */
#ifndef RELAY_FROM_QUEUE_H
#define RELAY_FROM_QUEUE_H

#include "bus/link.h"
#include "relay/worker.h"

/* A link to a queue, new or in place of one; fd is taken. */
void	from_queue_link(struct worker *, int fd, const struct link_peer *);

/* The queue that was process `no' will not come back. */
void	from_queue_gone(struct worker *, uint32_t no);

#endif
