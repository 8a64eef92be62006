/*
 * handshake - the TLS handshake of a client, with what is counted and logged
 * of it.
 *
 * Blocks  never
 * Errors  as channel.h
 */
#ifndef EDGE_HANDSHAKE_H
#define EDGE_HANDSHAKE_H

#include "ask/channel.h"
#include "base/err.h"

struct origin;
struct tls_server;

/* NULL instead of a server is ERR_NONE.  wake as at channel_accept(). */
MUST_CHECK enum err handshake_begin(struct channel *, struct tls_server *,
	    void (*wake)(void *arg), void *arg);
/* ERR_AGAIN: not done.  Its end goes to the log, with whose it is. */
MUST_CHECK enum err handshake_go_on(struct channel *, const struct origin *);
/* One under way is over, by whichever side. */
void	handshake_given_up(void);

#endif
