/*
 * from_edge - what edges say to the queue: their links, unpacked.
 */
#ifndef QUEUE_FROM_EDGE_H
#define QUEUE_FROM_EDGE_H

#include "queue/queue.h"

/* A link to an edge: fd is taken. */
void	from_edge_peer(struct queue *, int fd, const struct link_peer *);

#endif
