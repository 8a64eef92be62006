/*
 * tls_client - the client's side of TLS, for relays.
 *
 * Owns	   the context
 * Blocks  never
 * Errors  ERR_SYS; ERR_PEER the file has no certificate in it
 */
#ifndef ASK_TLS_CLIENT_H
#define ASK_TLS_CLIENT_H

#include "ask/tls.h"
#include "base/err.h"

struct tls;
struct tls_client;

/*
 * How much is asked of the next hop; `security' of a relay's tls block.
 */
enum tls_security {
	TLS_OFF,		/* never, even where it is offered	*/
	TLS_OPPORTUNISTIC,	/* where offered, with any certificate	*/
	TLS_REQUIRED,		/* or no delivery; any certificate	*/
	TLS_VERIFIED,		/* and its chain and name must hold	*/
};

/*
 * ca_fd: PEM, whom to believe; read from its beginning and left open.  -1:
 * nobody, which leaves TLS_VERIFIED out of reach.
 */
MUST_CHECK enum err tls_client_open(struct tls_client **out, int ca_fd);
void	tls_client_free(struct tls_client **);

/*
 * name: of the host, for SNI and, when verified is asked for, to be found in
 * the certificate (RFC 6125; an address is compared with its IP names).  With
 * must_verify a bad certificate fails the handshake with TLS_ERROR; without,
 * tls_facts() tells.
 */
MUST_CHECK enum err tls_connect(struct tls **out, struct tls_client *, int fd,
	    struct span name, bool must_verify);

/* Was the certificate the reason why the handshake has failed? */
bool	tls_is_distrusted(struct tls *);

#endif
