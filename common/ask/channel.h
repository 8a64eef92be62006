/*
 * channel - the bytes of one connection, in the clear or under TLS, either
 * side of it, so that nobody above need know which.
 *
 * One in the clear costs no more than its descriptor.  Under TLS several runs
 * are written through a buffer of one record, because an unfinished record must
 * be offered again just as it was; a single run needs no copy.
 *
 * Owns	   the descriptor and the TLS session; who brought TLS is borrowed
 * Blocks  never
 * Errors  ERR_AGAIN when the socket allows what channel_wants() says; ERR_NONE
 *	   the peer has said all; ERR_CLOSED it is gone; ERR_PEER it broke TLS;
 *	   ERR_SYS no memory
 */
#ifndef ASK_CHANNEL_H
#define ASK_CHANNEL_H

#include <sys/uio.h>

#include <stdbool.h>
#include <stddef.h>

#include "ask/tls.h"
#include "base/err.h"
#include "base/span.h"

#define CHANNEL_RECORD	16384	/* bytes, RFC 8446 5.1			*/

struct tls_client;
struct tls_server;

struct channel {
	int		 fd;		/* -1 none			*/
	bool		 is_shaking;	/* the handshake is under way	*/
	bool		 is_waiting;	/* for the vault, in it		*/
	bool		 read_needs_write, write_needs_read;
	struct tls	*tls;		/* NULL in the clear		*/
	char		*record;	/* several runs in one; or NULL	*/
	size_t		 offered;	/* bytes of it not taken yet	*/
};

/* fd, connected and non-blocking, is ours from here on. */
void	channel_open(struct channel *, int fd);
/* With a close_notify after a handshake.  Allowed on one that is closed. */
void	channel_close(struct channel *);
bool	channel_is_open(const struct channel *);
/* Is the peer on this host, by a loopback address or a unix socket? */
bool	channel_is_local(const struct channel *);

/*
 * From now on it is TLS, as the server of a client or the client of a server;
 * see tls_server.h and tls_client.h.  channel_shake() comes next, and again on
 * events and on wake(), which says that the vault has answered.
 */
MUST_CHECK enum err channel_accept(struct channel *, struct tls_server *,
	    void (*wake)(void *arg), void *arg);
MUST_CHECK enum err channel_connect(struct channel *, struct tls_client *,
	    struct span name, bool must_verify, void (*wake)(void *arg),
	    void *arg);
/* ERR_AGAIN: not done; anything but that and OK: no good any more. */
MUST_CHECK enum err channel_shake(struct channel *);
/* Has the handshake come a step further since this was asked last? */
bool	channel_has_moved(struct channel *);

/* At most cap bytes; OK means that at least one came. */
MUST_CHECK enum err channel_read(struct channel *, char *buf, size_t cap,
	    size_t *got);
/* Is there something to read that the socket does not tell of? */
bool	channel_has_more(const struct channel *);

/*
 * Write what the runs hold, as much as goes; OK means that *put is at least 1.
 * After ERR_AGAIN the next call must be given the same bytes again, or more.
 */
MUST_CHECK enum err channel_write(struct channel *, const struct iovec *,
	    unsigned cnt, size_t *put);

/*
 * What to wait for (EV_*), for one who reads, who writes, or both.  Of these
 * events any may be what a read waits for, and any what a write does: whoever
 * is called tries both.
 */
unsigned channel_wants(const struct channel *, bool reads, bool writes);
/* Can a read go on now that this has happened? */
bool	channel_may_read(const struct channel *, unsigned events);

/* We have said our last word: tell the peer, and go on listening. */
MUST_CHECK enum err channel_shut(struct channel *);
/*
 * Read what is still in flight and throw it away; at most cap bytes, into buf.
 * After channel_shut() only: under TLS it would not be understood any more.
 */
MUST_CHECK enum err channel_drop(struct channel *, char *buf, size_t cap,
	    size_t *got);

#endif
