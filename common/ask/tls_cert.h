/*
 * tls_cert - the certificate that we show, as server or as client: ours from a
 * file, its key the vault's.
 *
 * Blocks  on the file
 * Errors  ERR_SYS; ERR_PEER the file is no certificate chain of ours
 */
#ifndef ASK_TLS_CERT_H
#define ASK_TLS_CERT_H

#include <openssl/ssl.h>

#include "ask/provider.h"
#include "base/err.h"

/* What the vault signs, see vault/purpose.h; for a list of OpenSSL's. */
#define TLS_CERT_SIGNATURES						    \
	"ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:"		    \
	"rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:"	    \
	"RSA+SHA256:RSA+SHA384:RSA+SHA512:ECDSA+SHA512"

/*
 * Show what is in the file: PEM, our certificate first, then those up to the
 * root; read from its beginning and left open.  RSA of 2048 bits or more, or
 * ECDSA on P-256 or P-384.  The context is of the provider's own context.
 */
MUST_CHECK enum err	 tls_cert_use(SSL_CTX *, const struct provider *,
			    int fd);

/* A line for the log on what has just failed, and OpenSSL's errors cleared. */
void			 tls_cert_complain(enum err);

#endif
