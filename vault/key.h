/*
 * key - one private key, and signing with it.
 *
 * Owns	   the key, in OpenSSL's secure heap as far as OpenSSL puts it there
 * Blocks  a signature takes its time: 0.4 ms for RSA of 2048 bits
 * Errors  ERR_PEER the files are no key of ours: key_why() has the words
 */
#ifndef VAULT_KEY_H
#define VAULT_KEY_H

#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "vault/purpose.h"

#define KEY_ID_LEN		32	/* SHA-256 of the public half	*/
#define KEY_SIGNATURE_MAX	1024	/* bytes: RSA of 8192 bits	*/

struct key;

/*
 * Before all else of OpenSSL's: memory for keys that is not swapped nor
 * dumped, and wiped wherever it is freed.  False: it is not locked.
 */
bool		 key_memory(void);

/*
 * PEM files: a private key without a passphrase, and the certificate it must
 * fit.  Read from their beginnings, and left open.  RSA of 2048 to 8192 bits,
 * or ECDSA on P-256 or P-384.  It is tried once before it is believed.
 */
MUST_CHECK enum err key_open(struct key **out, int key_fd, int cert_fd);
void		 key_free(struct key **);
/* Why the last key_open() failed; a literal. */
const char	*key_why(void);

const uint8_t	*key_id(const struct key *);	/* KEY_ID_LEN bytes	*/
enum key_kind	 key_kind(const struct key *);

/* out has room for KEY_SIGNATURE_MAX bytes.  ERR_SYS if it cannot be done. */
MUST_CHECK enum err key_sign(const struct key *, const struct scheme *,
		    struct span text, uint8_t *out, size_t *len);

#endif
