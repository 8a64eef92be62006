/*
 * provider - an OpenSSL 3 provider for keys whose private half is elsewhere.
 *
 * It offers what libssl needs of its side's key and no more: a key of RSA or
 * EC that says it has a private half but never gives one, and the one-shot
 * signature over the bytes themselves, which are what the vault wants to see.
 * No process of ours that uses it ever holds a private key.
 *
 * Two more files belong to it: provider_key.c, keys (OpenSSL's keymgmt), and
 * provider_sign.c, signatures.
 *
 * Owns	   a library context of its own, with OpenSSL's default provider in it
 * Blocks  as signer.h does, within a handshake
 * Errors  ERR_SYS
 */
#ifndef ASK_PROVIDER_H
#define ASK_PROVIDER_H

#include <openssl/core_dispatch.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include "ask/keys.h"

/* Ours are asked for by name; everything else prefers OpenSSL's own. */
#define PROVIDER_OURS	"provider=vault"
#define PROVIDER_ELSE	"?provider=default"
#define PROVIDER_PLAIN	"provider=default"

struct provider;

/* The keys are borrowed, and asked for the signatures. */
MUST_CHECK enum err	 provider_open(struct provider **out, struct keys *);
/* After everything that was made within its context. */
void			 provider_free(struct provider **);

/* Borrowed. */
OSSL_LIB_CTX		*provider_context(const struct provider *);

/* The key that belongs to this certificate; NULL on error.  Yours. */
EVP_PKEY		*provider_key(const struct provider *, X509 *);

/*
 * For the two files: what a key of ours is.  It is whatever public key it was
 * made from, and known to the vault by the digest of that.
 */
struct provider_key {
	struct provider	*provider;
	const char	*kind;		/* "RSA" or "EC"		*/
	EVP_PKEY	*public;	/* of OpenSSL's; NULL: not yet	*/
	uint8_t		 id[KEYS_ID_LEN];
};

struct keys		*provider_keys(const struct provider *);

extern const OSSL_DISPATCH provider_key_rsa[], provider_key_ec[];
extern const OSSL_DISPATCH provider_sign_calls[];

#endif
