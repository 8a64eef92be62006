/*
 * purpose - what are these bytes that we are asked to sign?
 *
 * The vault signs what one side of TLS signs in a handshake, and nothing else.
 * An edge is a server, and may have signed
 *
 *	TLS 1.3, CertificateVerify (RFC 8446 4.4.3): 64 spaces, the words of
 *	the server, a zero, and a hash of 32 or 48 bytes
 *	TLS 1.2, ServerKeyExchange of ECDHE (RFC 8422 5.4): both randoms, a
 *	named curve of three, and a point of exactly its size
 *
 * A relay is a client, and may have signed
 *
 *	TLS 1.3, CertificateVerify with the words of the client
 *	TLS 1.2, CertificateVerify (RFC 5246 7.4.8): all messages of the
 *	handshake so far, each of its length and in its order (7.3), from the
 *	ClientHello to the ClientKeyExchange, a certificate of ours among them
 *
 * None of the four can be taken for another, nor for what else a key may be
 * asked to sign: a bare digest, a mail's header.  A transcript is longer than
 * any exchange of ECDHE, and begins with 1 and the length of a ClientHello; one
 * of DHE, which no server of ours has, begins with the client's random number,
 * and with these six bytes once in 2^34.
 *
 * Pure: no state, no calls.
 */
#ifndef VAULT_PURPOSE_H
#define VAULT_PURPOSE_H

#include "base/span.h"

enum purpose {
	PURPOSE_NONE,		/* not to be signed			*/
	PURPOSE_VERIFY,		/* TLS 1.3 CertificateVerify		*/
	PURPOSE_EXCHANGE,	/* TLS 1.2 ECDHE ServerKeyExchange	*/
	PURPOSE_TRANSCRIPT,	/* TLS 1.2 client CertificateVerify	*/
};

/* Which end of a handshake whoever asks may be. */
enum purpose_side { PURPOSE_SERVER, PURPOSE_CLIENT };

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

/*
 * What is it, and may a key of that kind sign it under that scheme for that
 * side?
 */
enum purpose		 purpose_of(struct span text, enum purpose_side,
			    enum key_kind, const struct scheme *);

#endif
