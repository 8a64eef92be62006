/*
 * endpoint - connections that master makes for a process which may not open
 * any: to the unix sockets of its own row, and to nothing else.
 *
 * Blocks  no: what does not connect at once has failed
 */
#ifndef MASTER_ENDPOINT_H
#define MASTER_ENDPOINT_H

#include "master/house.h"

/*
 * Answer its request; ERR_PEER when it has no such endpoint, or goes on asking
 * without reading: each answer that waits holds a descriptor of ours.
 */
MUST_CHECK enum err endpoint_asked(struct process *,
		    const struct msg_endpoint_ask *);

#endif
