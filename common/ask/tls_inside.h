/*
 * tls_inside - what tls.c shares with tls_server.c and tls_client.c.
 */
#ifndef ASK_TLS_INSIDE_H
#define ASK_TLS_INSIDE_H

#include <openssl/ssl.h>

#include "ask/tls.h"
#include "base/err.h"

typedef void tls_wake_fn(void *arg);

/*
 * A session of the context, SSL_set_accept_state() or _connect_state() not yet
 * called.  wake is for servers, NULL otherwise.  The SSL is ours on OK.
 */
MUST_CHECK enum err	tls_new(struct tls **out, SSL_CTX *, int fd,
			    tls_wake_fn *wake, void *arg);
SSL			*tls_ssl(struct tls *);

/* What both sides ask of a context: versions, options, ciphers, groups. */
MUST_CHECK enum err	tls_harden(SSL_CTX *);

#endif
