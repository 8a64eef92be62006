/*
 * client - one connection: its channel, its timer, and what of its input and
 * our replies has to wait.  The dialogue itself is session.h's.
 *
 * Owns	   the socket and itself: it is gone when the connection ends
 * Blocks  never
 */
#ifndef EDGE_CLIENT_H
#define EDGE_CLIENT_H

#include "base/err.h"
#include "edge/client/client_address.h"

struct client;
struct edge;

/*
 * Greet and serve the client behind fd, a connected non-blocking socket.  fd is
 * taken, also on error, and so is this session's place in the limits.
 */
MUST_CHECK enum err client_open(struct edge *, int fd,
	    const struct client_address *);

/* End it now, unsaid; why is for the log.  For edge.c. */
void	client_close(struct client *, const char *why);

/* The same for one whose handshake takes room that others need. */
void	client_give_way(void *client);

/* Tell it 421 4.3.2 unless it has a transaction under way; always: even so. */
void	client_drain(struct client *, bool always);

struct client *client_next(const struct client *);

#endif
