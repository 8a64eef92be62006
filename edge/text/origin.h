/*
 * origin - where a message comes from: what its trace, its tenant and its
 * rights hang on.  A session has one and changes it; a transaction has a copy
 * of the one it began under, and knows no more of the client.
 *
 * Owns	   the two names
 * Errors  ERR_FULL no memory
 */
#ifndef EDGE_ORIGIN_H
#define EDGE_ORIGIN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/span.h"
#include "edge/client/client_address.h"

struct origin {
	struct client_address address;
	char		 client[CLIENT_ADDRESS_TEXT];	/* it, as text	*/
	char		*name;		/* see client_name.h; NULL: not known */
	char		*helo;		/* NULL before EHLO and HELO	*/
	char		*login;		/* who has logged in; NULL nobody */
	bool		 is_lmtp;	/* speaks LMTP, not SMTP	*/
	bool		 is_http;	/* and is spoken for, by HTTP	*/
	bool		 is_extended;	/* said EHLO or LHLO, not HELO	*/
	bool		 is_secure;	/* under TLS			*/
	const char	*tls_version, *tls_cipher;	/* literals, or NULL */
	uint64_t	 session;	/* its number, for logs		*/
};

void	origin_init(struct origin *, const struct client_address *);
/* *out is zeroed memory, or one that is finished. */
MUST_CHECK enum err origin_copy(struct origin *out, const struct origin *);
void	origin_fini(struct origin *);
/* What it said counts no more, and it is still where it was. */
void	origin_forget(struct origin *);
/* Nobody has logged in. */
void	origin_forget_login(struct origin *);

/* What its client is called, or is not. */
void	origin_set_name(struct origin *, const char *name);

/* By a unix socket? */
bool	origin_is_local(const struct origin *);
/* Has it logged in, or did the kernel say who it is? */
bool	origin_is_known(const struct origin *);
/* Whose mail it is: of a login, else of a network; buf is for the latter, of
 * CLIENT_ADDRESS_TEXT bytes. */
struct span origin_tenant(const struct origin *, char *buf);
/* Its TLS as "TLSv1.3 TLS_AES_128_GCM_SHA256"; "" in the clear. */
struct span origin_tls(const struct origin *, char buf[TLS_WORDS_MAX]);
/* The word behind "with" in Received, for a message with SMTPUTF8 or not. */
struct span origin_with(const struct origin *, bool utf8);

#endif
