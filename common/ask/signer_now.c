/* signer_now.c - sanitizer builds have no fibres: everybody waits. */
#include "ask/signer.h"
#include "ask/tls_inside.h"

enum err
signer_start(SSL_CTX *c)
{
	return OK;
}

enum sign_status
signer_sign(struct keys *k, const uint8_t id[KEYS_ID_LEN], unsigned scheme,
    struct span text, uint8_t *signature, size_t *len)
{
	enum sign_status s = keys_sign_now(k, id, scheme, text, signature,
	    len);

	if (s != SIGN_DONE && tls_current() != NULL)
		tls_blame(tls_current(), signer_why(s), true);
	return s;
}
