/*
 * from_relay - what relays say to the queue: their links, unpacked.
 */
#ifndef QUEUE_FROM_RELAY_H
#define QUEUE_FROM_RELAY_H

#include "queue/queue.h"

/* A link to a relay: fd is taken. */
void	from_relay_peer(struct queue *, int fd, const struct link_peer *);

#endif
