/*
 * listen - the listening sockets, and whom we take in: the limits that cost
 * less than a session.
 *
 * Blocks  never; accepts in batches, and pauses when descriptors or memory
 *	   have run out
 */
#ifndef EDGE_LISTEN_H
#define EDGE_LISTEN_H

#include "base/err.h"

struct edge;
struct listen;

/* cnt sockets, listening and non-blocking, borrowed; the numbers are copied. */
MUST_CHECK enum err listen_open(struct listen **out, struct edge *,
	    const int *fds, unsigned cnt);
/* Take in those who wait already: with the last close of a listening socket
 * the kernel cuts them off.  NULL allowed. */
void	listen_finish(struct listen *);

/* Accept nothing more.  Allowed on NULL. */
void	listen_close(struct listen **);

#endif
