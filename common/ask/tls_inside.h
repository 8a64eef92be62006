/*
 * tls_inside - what tls.c shares with tls_server.c and tls_client.c.
 */
#ifndef ASK_TLS_INSIDE_H
#define ASK_TLS_INSIDE_H

#include <openssl/ssl.h>

#include "ask/tls.h"
#include "base/err.h"

struct tls;

typedef void tls_wake_fn(void *arg);
typedef void tls_abandon_fn(void *arg);

/*
 * A session of the context, SSL_set_accept_state() or _connect_state() not yet
 * called.  wake is NULL where nothing is signed.  The SSL is ours on OK.
 */
MUST_CHECK enum err	tls_new(struct tls **out, SSL_CTX *, int fd,
			    tls_wake_fn *wake, void *arg);
SSL			*tls_ssl(struct tls *);
/* Call release(arg) once it is freed and all that is OpenSSL's with it. */
void			 tls_keep(struct tls *, void (*release)(void *arg),
			    void *arg);

/* Refuse a ClientHello that says it is longer than hello.h allows. */
void			 tls_bound_hello(struct tls *);

/* What both sides ask of a context: versions, options, ciphers, groups. */
MUST_CHECK enum err	tls_harden(SSL_CTX *);

/*
 * For what runs within a handshake, on a fibre of its own.  Whose it is, or
 * NULL; and then: it waits, and abandon(arg) makes it wait no longer, should
 * the session be freed.  tls_go_on() ends the wait and wakes the owner: the
 * session may be gone when it returns.
 */
struct tls		*tls_current(void);
void			 tls_await(struct tls *, tls_abandon_fn *, void *arg);
void			 tls_go_on(struct tls *);
/*
 * The words for tls_why() if this handshake fails, a literal; and whether it is
 * our fault or the peer's.
 */
void			 tls_blame(struct tls *, const char *why,
			    bool is_ours);
/* The server has asked for a certificate. */
void			 tls_was_asked(struct tls *);

#endif
