/*
 * protocol - the seat between a connection and what is spoken on it.  client.h
 * has the connection: sockets, TLS, timers, what of the input has to wait.  A
 * protocol has the dialogue: bytes in, replies out; it knows no socket.
 *
 * Owns	   a seat is its protocol's: made by open(), gone with close()
 * Blocks  never
 */
#ifndef EDGE_PROTOCOL_H
#define EDGE_PROTOCOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"
#include "edge/client/grow.h"
#include "edge/text/origin.h"

struct edge;
struct protocol;

/* In a gentle drain a client is idle that was silent for so long. */
#define SEAT_SILENT_MS	2000

typedef void seat_wake_fn(void *arg);

/* What every session begins with. */
struct seat {
	const struct protocol *protocol;
	const struct origin *origin;	/* its session's		*/
	seat_wake_fn	*on_wake;	/* it can go on without input;
					 * may be NULL			*/
	void		*arg;
	struct grow	 out;		/* replies not yet written	*/
	bool		 is_closed;	/* the last one is among them	*/
	bool		 is_hasty;	/* closed by us, input may remain */
	unsigned	 taken_cnt;	/* messages			*/
	uint64_t	 once;		/* what the next one is known by when
					 * it comes again; 0: it never does */
	int64_t		 begun_ms;	/* monotonic			*/
};

struct protocol {
	/* NULL: no memory. */
	struct seat	*(*open)(struct edge *, const struct client_address *,
			    seat_wake_fn *, void *arg);
	/* With what is under way.  *seat becomes NULL. */
	void		(*close)(struct seat **);

	/* The client is here. */
	void		(*greet)(struct seat *);
	/*
	 * Does a TLS handshake come next?  Then `out' is written to its end,
	 * and secured() says that it is done: nothing that was said before it
	 * counts any more.
	 */
	bool		(*wants_tls)(const struct seat *);
	/* Version and cipher are literals. */
	void		(*secured)(struct seat *, const char *version,
			    const char *cipher);

	/* Use input from the front of *in, until it is used up or has to wait:
	 * for an answer, for the reader of our replies, for more of it. */
	void		(*feed)(struct seat *, struct span *in);
	/* Bytes of input that can be used now; 0 means: do not read. */
	size_t		(*room)(const struct seat *);
	/* Does it wait for somebody's answer, and not for the client? */
	bool		(*is_waiting)(const struct seat *);
	/* May there be a password in its input?  Then whoever held some wipes
	 * it. */
	bool		(*is_private)(const struct seat *);

	/* Milliseconds until expire() is due; -1 while others decide. */
	int64_t		(*patience_ms)(const struct seat *);
	void		(*expire)(struct seat *);
	/* Some time has passed, and the client has more. */
	void		(*tick)(struct seat *);
	/* Draining: end unless a message is under way, or the drain is gentle
	 * and the client not idle. */
	void		(*drain)(struct seat *);
	/* Say that it is over, whatever is under way. */
	void		(*end)(struct seat *);
	/* For who is not let in, in place of a reply of SMTP; or NULL. */
	const char	*busy;
};

extern const struct protocol protocol_smtp, protocol_lmtp;	/* smtp.c */
extern const struct protocol protocol_http;	/* http/http.c */

#endif
