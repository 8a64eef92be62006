/*
 * purpose - what are these bytes that we are asked to sign?
 *
 * The vault signs what a TLS server signs in a handshake, and nothing else:
 *
 *	TLS 1.3, CertificateVerify (RFC 8446 4.4.3): 64 spaces, the words of
 *	the server, a zero, and a hash of 32 or 48 bytes
 *	TLS 1.2, ServerKeyExchange of ECDHE (RFC 8422 5.4): both randoms, a
 *	named curve of three, and a point of exactly its size
 *
 * The two cannot be taken for each other, nor for what else a key may be asked
 * to sign: a bare digest, a mail's header, a client's CertificateVerify.
 *
 * Pure: no state, no calls.
 */
#ifndef VAULT_PURPOSE_H
#define VAULT_PURPOSE_H

#include "base/span.h"

enum purpose {
	PURPOSE_NONE,		/* not to be signed			*/
	PURPOSE_VERIFY,		/* TLS 1.3 server CertificateVerify	*/
	PURPOSE_EXCHANGE,	/* TLS 1.2 ECDHE ServerKeyExchange	*/
};

enum key_kind { KEY_RSA, KEY_P256, KEY_P384, KEY__COUNT };

/* What a SignatureScheme (RFC 8446 4.2.3) stands for. */
struct scheme {
	unsigned	 no;
	const char	*digest;	/* as OpenSSL calls it		*/
	bool		 is_rsa, is_pss;
	unsigned	 verify_kinds;	/* 1 << key_kind: may sign in 1.3 */
};

/* The row of this number; NULL when nothing of ours is signed so. */
const struct scheme	*scheme_find(unsigned no);

/* What is it, and may a key of that kind sign it under that scheme? */
enum purpose		 purpose_of(struct span text, enum key_kind,
			    const struct scheme *);

#endif
