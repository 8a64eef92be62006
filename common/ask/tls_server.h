/*
 * tls_server - the server's side of TLS with a key that is not here: the
 * certificate is ours, every signature is asked of the vault (ask/keys.h).
 *
 * In release builds a handshake that waits for its signature waits as a job of
 * OpenSSL's, and tls_handshake() says TLS_WAIT; KEYS_PATIENCE_MS later at the
 * latest it fails.  In sanitizer builds the question blocks instead.
 *
 * Owns	   the contexts; the keys are borrowed and must outlive them
 * Blocks  never (sanitizer builds: see above)
 * Errors  ERR_SYS, after a log line; ERR_PEER the file is no certificate chain
 */
#ifndef ASK_TLS_SERVER_H
#define ASK_TLS_SERVER_H

#include <stdbool.h>
#include <stdint.h>

#include "ask/keys.h"
#include "ask/tls.h"
#include "base/err.h"

struct tls;
struct tls_server;

/*
 * cert_fd: PEM, our certificate first, then those up to the root; read from
 * its beginning and left open.  RSA of 2048 bits or more, or ECDSA on P-256
 * or P-384.
 */
MUST_CHECK enum err tls_server_open(struct tls_server **out, struct keys *,
	    int cert_fd);
/*
 * Until when our certificate is good, seconds since 1970 or 0, and is this host
 * one of its names?
 */
int64_t	tls_server_end(const struct tls_server *);
bool	tls_server_names(const struct tls_server *, const char *host);

/* Sessions under way keep what they need. */
void	tls_server_free(struct tls_server **);

/* A client has come.  wake as at TLS_WAIT. */
MUST_CHECK enum err tls_accept(struct tls **out, struct tls_server *, int fd,
	    void (*wake)(void *arg), void *arg);

#endif
