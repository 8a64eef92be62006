/*
 * channel - the bytes of one connection, in the clear or under TLS.
 *
 * What waits says which way: TLS may have to write before it can be read, and
 * the other way round.  A connection in the clear costs no more than its
 * descriptor here.
 *
 * Owns	   the descriptor and the TLS session
 * Blocks  never
 * Errors  ERR_AGAIN when the socket allows what .read_wants or .write_wants
 *	   says; ERR_NONE the peer has said all; ERR_CLOSED it is gone;
 *	   ERR_PEER it broke TLS
 */
#ifndef EDGE_CHANNEL_H
#define EDGE_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

struct tls;
struct tls_server;

struct channel {
	int		 fd;
	uint8_t		 read_wants;	/* EV_*: what a read waits for	*/
	uint8_t		 write_wants;	/* and a write; in a handshake
					 * both are what that waits for	*/
	bool		 is_shaking;	/* the handshake is under way	*/
	struct tls	*tls;		/* NULL in the clear		*/
};

/* fd, connected and non-blocking, is ours from here on. */
void	channel_init(struct channel *, int fd);
/* With a close_notify where there is TLS; fd is closed. */
void	channel_fini(struct channel *);

/*
 * From now on it is TLS; channel_shake() comes next, and again on events and
 * on wake, which says that the vault has answered.
 */
MUST_CHECK enum err channel_secure(struct channel *, struct tls_server *,
	    void (*wake)(void *arg), void *arg);

/*
 * Go on with the handshake.  ERR_AGAIN: not done; anything but that and OK:
 * no good any more.  Its end is counted and logged, with the client's name.
 */
MUST_CHECK enum err channel_shake(struct channel *, const char *client);
/* Has the handshake come a step further since this was asked last? */
bool	channel_has_moved(struct channel *);

/* At most cap bytes; OK means that at least one came. */
MUST_CHECK enum err channel_read(struct channel *, char *buf, size_t cap,
	    size_t *got);
/* May take less than it is given. */
MUST_CHECK enum err channel_write(struct channel *, struct span, size_t *put);

/* Is there something to read that the socket does not tell of? */
bool	channel_has_more(const struct channel *);

/* We have said our last word: tell the peer, and go on listening. */
MUST_CHECK enum err channel_shut(struct channel *);
/*
 * Read what is still in flight and throw it away; at most cap bytes, into buf.
 * Behind channel_shut() only: under TLS it would not be understood any more.
 */
MUST_CHECK enum err channel_drop(struct channel *, char *buf, size_t cap,
	    size_t *got);

#endif
