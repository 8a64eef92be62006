/*
 * from_control - what control asks.  Unpacks, checks and calls.
 */
#ifndef QUEUE_FROM_CONTROL_H
#define QUEUE_FROM_CONTROL_H

#include "queue/queue.h"

/* Take fd as the link to control. */
void	from_control_peer(struct queue *, int fd, const struct link_peer *);

#endif
