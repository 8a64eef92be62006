/*
 * tls_client - the client's side of TLS, for relays.
 *
 * Where it has a certificate of ours, servers that ask for one are shown it;
 * its key is not here, and the signature is asked of the vault as
 * tls_server.h says.  In TLS 1.2 all that was said is signed, and has to fit
 * KEYS_TEXT_MAX: with a server that says more the handshake fails.
 *
 * Owns	   the contexts; the keys are borrowed and must outlive them
 * Blocks  never (sanitizer builds: see tls_server.h)
 * Errors  ERR_SYS; ERR_PEER a file has no certificate of use in it
 */
#ifndef ASK_TLS_CLIENT_H
#define ASK_TLS_CLIENT_H

#include "ask/keys.h"
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
/*
 * With a certificate of ours, as tls_server_open() has it; after a log line on
 * any error of it.
 */
MUST_CHECK enum err tls_client_open_certified(struct tls_client **out,
	    int ca_fd, struct keys *, int cert_fd);
/* After its sessions. */
void	tls_client_free(struct tls_client **);

/*
 * name: of the host, for SNI and, when verified is asked for, to be found in
 * the certificate (RFC 6125; an address is compared with its IP names).  With
 * must_verify a bad certificate fails the handshake with TLS_ERROR; without,
 * tls_facts() tells.  wake as at TLS_WAIT, which comes only with a certificate.
 */
MUST_CHECK enum err tls_connect(struct tls **out, struct tls_client *, int fd,
	    struct span name, bool must_verify, void (*wake)(void *arg),
	    void *arg);

/* Was the certificate the reason why the handshake has failed? */
bool	tls_is_distrusted(struct tls *);

#endif
