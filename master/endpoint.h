/*
 * endpoint - connections that master makes for a process which may not open
 * any: to the endpoints of its own row, unix sockets and TCP addresses, and to
 * nothing else.
 *
 * Each request is answered once, a connection by TCP when it stands or after
 * ENDPOINT_MS; unless the life of the process ends before that.
 *
 * Blocks  no: a unix socket that does not connect at once has failed
 */
#ifndef MASTER_ENDPOINT_H
#define MASTER_ENDPOINT_H

#include "master/supervisor.h"

#define ENDPOINT_MS	10000	/* for a connection to stand		*/
#define ENDPOINT_DIALS	64	/* under way for one process; more fail	*/

/*
 * Take its request; ERR_PEER when it has no such endpoint, or goes on asking
 * without reading: each answer that waits holds a descriptor of ours.
 */
MUST_CHECK enum err endpoint_on_ask(struct process *,
		    const struct msg_endpoint_ask *);

/* Its link is gone: nobody waits for what it has asked. */
void		 endpoint_forget(struct process *);

#endif
