/*
 * purpose.c - by length and by every byte that is given.
 *
 * A transcript of TLS 1.2 is looked at no closer than what each message is and
 * how long: what stands in it was said by both sides, and neither is believed.
 */
#include <string.h>

#include "vault/purpose.h"

#define PAD_LEN		64	/* spaces, RFC 8446 4.4.3		*/
#define RANDOM_LEN	32	/* bytes, RFC 5246 7.4.1.2		*/
#define NAMED_CURVE	3	/* RFC 8422 5.4				*/
#define UNCOMPRESSED	4	/* first byte of a point, RFC 8422 5.4.1 */
#define HEAD_LEN	(2 * RANDOM_LEN + 4)	/* to the point's bytes	*/

#define HANDSHAKE_HEAD	4	/* type and length, RFC 5246 7.4	*/
#define HELLO_LEN	(2 + RANDOM_LEN) /* version and random		*/
#define CERTIFICATE_LEN	106	/* two lengths and the least of one: with it
				 * no transcript is as short as an exchange */

#define IN(kind)	(1u << (kind))
#define CNT(a)		(sizeof(a) / sizeof((a)[0]))

/* With their zero, which is the separator; both are of one length. */
static const char verify_words[][sizeof("TLS 1.3, client CertificateVerify")] =
{
	[PURPOSE_SERVER] = "TLS 1.3, server CertificateVerify",
	[PURPOSE_CLIENT] = "TLS 1.3, client CertificateVerify",
};

/* In TLS 1.3 the scheme names the curve, and PKCS#1 is gone. */
static const struct scheme schemes[] = {
	{ 0x0401, "SHA256", true,  false, 0 },
	{ 0x0501, "SHA384", true,  false, 0 },
	{ 0x0601, "SHA512", true,  false, 0 },
	{ 0x0403, "SHA256", false, false, IN(KEY_P256) },
	{ 0x0503, "SHA384", false, false, IN(KEY_P384) },
	{ 0x0603, "SHA512", false, false, 0 },
	{ 0x0804, "SHA256", true,  true,  IN(KEY_RSA) },
	{ 0x0805, "SHA384", true,  true,  IN(KEY_RSA) },
	{ 0x0806, "SHA512", true,  true,  IN(KEY_RSA) },
};

static const struct {
	unsigned	 no;		/* RFC 8422 5.1.1		*/
	size_t		 point_len;	/* bytes			*/
	bool		 has_form;	/* begins with its form		*/
} curves[] = {
	{ 23, 65, true }, { 24, 97, true }, { 29, 32, false },
};

const struct scheme *
scheme_find(unsigned no)
{
	for (size_t i = 0; i < CNT(schemes); i++)
		if (schemes[i].no == no)
			return &schemes[i];
	return NULL;
}

static bool
is_verify(struct span t, enum purpose_side side)
{
	size_t words_len = sizeof(verify_words[0]);

	if (t.len != PAD_LEN + words_len + 32 &&
	    t.len != PAD_LEN + words_len + 48)
		return false;
	for (size_t i = 0; i < PAD_LEN; i++)
		if (t.ptr[i] != ' ')
			return false;
	return memcmp(t.ptr + PAD_LEN, verify_words[side], words_len) == 0;
}

static bool
is_exchange(struct span t)
{
	const unsigned char *p = (const unsigned char *)t.ptr;
	unsigned curve;

	if (t.len <= HEAD_LEN)
		return false;
	p += 2 * RANDOM_LEN;
	curve = (unsigned)p[1] << 8 | p[2];
	if (p[0] != NAMED_CURVE)
		return false;
	for (size_t i = 0; i < CNT(curves); i++)
		if (curves[i].no == curve)
			return p[3] == curves[i].point_len &&
			    t.len == HEAD_LEN + curves[i].point_len &&
			    (!curves[i].has_form || p[4] == UNCOMPRESSED);
	return false;
}

/* What a client has said and heard when it signs; RFC 5246 7.3. */
static const struct {
	unsigned char	 type;
	bool		 may_lack;	/* it depends on the cipher suite */
	size_t		 least;		/* bytes of it			*/
} transcript[] = {
	{ 1,  false, HELLO_LEN },	/* ClientHello			*/
	{ 2,  false, HELLO_LEN },	/* ServerHello			*/
	{ 11, false, CERTIFICATE_LEN },	/* Certificate, the server's	*/
	{ 12, true,  1 },		/* ServerKeyExchange		*/
	{ 13, false, 1 },		/* CertificateRequest		*/
	{ 14, false, 0 },		/* ServerHelloDone		*/
	{ 11, false, CERTIFICATE_LEN },	/* Certificate, ours		*/
	{ 16, false, 1 },		/* ClientKeyExchange		*/
};

/* Both hellos begin with the version, which is 1.2's. */
static bool
is_fit(unsigned char type, const unsigned char *bytes)
{
	return type > 2 || (bytes[0] == 3 && bytes[1] == 3);
}

static bool
is_transcript(struct span t)
{
	for (size_t i = 0; i < CNT(transcript); i++) {
		const unsigned char *p = (const unsigned char *)t.ptr;
		size_t len;

		if (t.len < HANDSHAKE_HEAD)
			return false;
		if (p[0] != transcript[i].type) {
			if (!transcript[i].may_lack)
				return false;
			continue;
		}
		len = (size_t)p[1] << 16 | (size_t)p[2] << 8 | p[3];
		t = span_tail(t, HANDSHAKE_HEAD);
		if (len < transcript[i].least || len > t.len ||
		    !is_fit(p[0], p + HANDSHAKE_HEAD))
			return false;
		t = span_tail(t, len);
	}
	return t.len == 0;
}

enum purpose
purpose_of(struct span text, enum purpose_side side, enum key_kind kind,
    const struct scheme *s)
{
	if (s == NULL || s->is_rsa != (kind == KEY_RSA))
		return PURPOSE_NONE;
	if (is_verify(text, side))
		return (s->verify_kinds & IN(kind)) != 0 ? PURPOSE_VERIFY :
		    PURPOSE_NONE;
	if (side == PURPOSE_CLIENT)
		return is_transcript(text) ? PURPOSE_TRANSCRIPT : PURPOSE_NONE;
	return is_exchange(text) ? PURPOSE_EXCHANGE : PURPOSE_NONE;
}
