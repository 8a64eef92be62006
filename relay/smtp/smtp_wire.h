/*
 * smtp_wire - the bytes of a connection to a next hop, in the clear or under
 * TLS, so that nobody above need know which.
 *
 * Under TLS what is written goes through a buffer of one record, because an
 * unfinished record must be offered again just as it was; that is the only
 * copy made of a message's text on its way out.
 *
 * Owns	   the socket and the TLS session; the tls_client is borrowed
 * Blocks  never
 * Errors  ERR_AGAIN when the socket is ready again, see smtp_wire_wants();
 *	   ERR_CLOSED the other side has hung up; ERR_PEER it breaks TLS;
 *	   ERR_SYS
 */
#ifndef RELAY_SMTP_WIRE_H
#define RELAY_SMTP_WIRE_H

#include <sys/uio.h>

#include <stdbool.h>
#include <stddef.h>

#include "ask/tls.h"
#include "ask/tls_client.h"
#include "base/err.h"
#include "base/span.h"

#define SMTP_WIRE_RECORD	16384	/* bytes, RFC 8446 5.1 */

struct smtp_wire {
	int		 fd;		/* -1 none			*/
	struct tls	*tls;		/* NULL in the clear		*/
	bool		 is_local;	/* the peer is on this host	*/
	bool		 read_needs_write, write_needs_read;
	bool		 is_waiting;	/* for the vault, in a handshake */
	char		*record;	/* gathered, under TLS		*/
	size_t		 offered;	/* bytes of it not taken yet	*/
};

/* Use fd, which is taken. */
void	smtp_wire_open(struct smtp_wire *, int fd);
/* Allowed on one that is closed.  Under TLS says that nothing more comes. */
void	smtp_wire_close(struct smtp_wire *);
bool	smtp_wire_is_open(const struct smtp_wire *);

/*
 * Begin TLS; smtp_wire_shake() then until it is not ERR_AGAIN any more: when
 * the socket is ready, and when wake() is called, which .is_waiting announces.
 */
MUST_CHECK enum err smtp_wire_secure(struct smtp_wire *, struct tls_client *,
	    struct span name, bool must_verify, void (*wake)(void *arg),
	    void *arg);
MUST_CHECK enum err smtp_wire_shake(struct smtp_wire *);

/* At most cap bytes; OK means that at least one came. */
MUST_CHECK enum err smtp_wire_get(struct smtp_wire *, char *buf, size_t cap,
	    size_t *got);
/* Would smtp_wire_get() give more without the socket becoming readable? */
bool	smtp_wire_has_more(const struct smtp_wire *);

/*
 * Write what the runs hold, as much as goes; OK means that *put is at least 1.
 * After ERR_AGAIN the next call must be given the same bytes again, or more.
 */
MUST_CHECK enum err smtp_wire_put(struct smtp_wire *, const struct iovec *,
	    unsigned cnt, size_t *put);

/* What to wait for (EV_*); has_out: there are bytes for smtp_wire_put(). */
unsigned smtp_wire_wants(const struct smtp_wire *, bool has_out);

#endif
