/* purpose.c - by length and by every byte that is given. */
#include <string.h>

#include "vault/purpose.h"

#define PAD_LEN		64	/* spaces, RFC 8446 4.4.3		*/
#define RANDOM_LEN	32	/* bytes, RFC 5246 7.4.1.2		*/
#define NAMED_CURVE	3	/* RFC 8422 5.4				*/
#define UNCOMPRESSED	4	/* first byte of a point, RFC 8422 5.4.1 */
#define HEAD_LEN	(2 * RANDOM_LEN + 4)	/* to the point's bytes	*/

#define IN(kind)	(1u << (kind))
#define CNT(a)		(sizeof(a) / sizeof((a)[0]))

/* With its zero, which is the separator. */
static const char server_words[] = "TLS 1.3, server CertificateVerify";

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
is_verify(struct span t)
{
	size_t head_len = PAD_LEN + sizeof(server_words);

	if (t.len != head_len + 32 && t.len != head_len + 48)
		return false;
	for (size_t i = 0; i < PAD_LEN; i++)
		if (t.ptr[i] != ' ')
			return false;
	return memcmp(t.ptr + PAD_LEN, server_words,
	    sizeof(server_words)) == 0;
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

enum purpose
purpose_of(struct span text, enum key_kind kind, const struct scheme *s)
{
	if (s == NULL || s->is_rsa != (kind == KEY_RSA))
		return PURPOSE_NONE;
	if (is_verify(text))
		return (s->verify_kinds & IN(kind)) != 0 ? PURPOSE_VERIFY :
		    PURPOSE_NONE;
	return is_exchange(text) ? PURPOSE_EXCHANGE : PURPOSE_NONE;
}
