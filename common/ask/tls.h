/*
 * tls - one TLS connection over a connected, non-blocking socket, either side.
 *
 * tls_server.h and tls_client.h make one; from then on both sides are the
 * same.  No call blocks: each says what it waits for, and is made again, with
 * the same arguments, when that has come.  Versions 1.2 and 1.3 (RFC 5246, RFC
 * 8446; RFC 8996 forbids the older ones), no renegotiation, no compression, no
 * tickets.
 *
 * Owns	   the session; never the socket
 * Blocks  never
 * Errors  TLS_ERROR, and tls_why() has the words
 */
#ifndef ASK_TLS_H
#define ASK_TLS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

#define TLS_WHY_MAX	160	/* bytes of words on a failure, with NUL */

struct tls;

enum tls_step {
	TLS_OK,			/* done; *got or *put says how much	*/
	TLS_WANT_READ,		/* when the socket can be read		*/
	TLS_WANT_WRITE,		/* when it can be written		*/
	TLS_WAIT,		/* for the vault: wake() will be called, or
				 * the peer has hung up: free it	*/
	TLS_EOF,		/* the peer has said all; with or without
				 * close_notify, tls_was_cut() tells	*/
	TLS_ERROR,		/* of no use any more			*/
};

struct tls_facts {
	const char	*version;	/* "TLSv1.3"			*/
	const char	*cipher;	/* "TLS_AES_256_GCM_SHA384"	*/
	int		 bits;		/* of its secret		*/
	bool		 is_verified;	/* client: chain and name hold	*/
	bool		 was_asked;	/* client: for a certificate of ours */
};

enum tls_step	 tls_handshake(struct tls *);
/* At most cap bytes; TLS_OK means that at least one came. */
enum tls_step	 tls_read(struct tls *, char *buf, size_t cap, size_t *got);
/* May take less than it is given.  TLS_ERROR because the peer has hung up does
 * not end tls_read(): there may be what it said before. */
enum tls_step	 tls_write(struct tls *, struct span, size_t *put);
/* Bytes that tls_read() would give without the socket becoming readable. */
size_t		 tls_pending(const struct tls *);
/* Say that nothing more comes; one try, whatever it says. */
enum tls_step	 tls_shutdown(struct tls *);

bool		 tls_was_cut(const struct tls *);
bool		 tls_is_done(const struct tls *);	/* the handshake */
/* Has the handshake come a step further since this was asked last? */
bool		 tls_has_moved(struct tls *);
void		 tls_facts(const struct tls *, struct tls_facts *out);
/* Why it failed, for a log; a literal or ours, until the next call. */
const char	*tls_why(const struct tls *);

/* It failed because the vault did not sign: no fault of the peer's. */
bool		 tls_is_ours(const struct tls *);
/*
 * A client: the server broke off because of our certificate, or because it has
 * none of ours.  With TLS 1.3 only tls_read() brings the news (RFC 8446 4.4.2).
 */
bool		 tls_is_refused(const struct tls *);

/*
 * NULL is allowed.  While a signature is awaited what OpenSSL needs lives on
 * until the answer, or the lack of it, is here; wake() is not called any more.
 */
void		 tls_free(struct tls **);

#endif
