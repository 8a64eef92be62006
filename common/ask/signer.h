/*
 * signer - how the provider waits for the vault.
 *
 * There are two of these files: in signer.c a handshake is a fibre, which
 * sleeps until the answer is here while the loop goes on; in signer_now.c the
 * whole process waits, for sanitizer builds, which do not know our fibres.
 *
 * Blocks  never; in signer_now.c for KEYS_PATIENCE_MS at most
 */
#ifndef ASK_SIGNER_H
#define ASK_SIGNER_H

#include <openssl/ssl.h>

#include "ask/keys.h"

/* Have the sessions of this context wait so.  Before the first of them. */
MUST_CHECK enum err	signer_start(SSL_CTX *);

/*
 * Called within a handshake.  On SIGN_DONE *len bytes are in signature, which
 * has room for KEYS_SIGNATURE_MAX; else tls_why() will tell of it.
 */
enum sign_status	signer_sign(struct keys *,
			    const uint8_t id[KEYS_ID_LEN], unsigned scheme,
			    struct span text, uint8_t *signature,
			    size_t *len);

/* The words for a signature that did not come. */
const char		*signer_why(enum sign_status);

#endif
