/*
 * provider_sign.c - signatures made elsewhere: the calls that OpenSSL names
 * signature.
 *
 * libssl gives digest and padding one by one; together with the kind of key
 * they are one SignatureScheme of RFC 8446 4.2.3, which is what is asked for.
 * What no scheme of the vault's stands for is refused here.  Signing in parts
 * is refused too: the vault must see what it signs.
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>
#include <openssl/rsa.h>

#include <string.h>
#include <strings.h>

#include "ask/provider.h"
#include "ask/signer.h"
#include "ask/tls_inside.h"

enum digest { SHA_256, SHA_384, SHA_512, SHA__COUNT };

struct signing {
	struct provider	*provider;
	const struct provider_key *key;	/* OpenSSL keeps it for us	*/
	enum digest	 digest;
	bool		 is_pss;
};

static const char *const digest_names[SHA__COUNT][2] = {
	[SHA_256] = { "SHA256", "SHA2-256" },
	[SHA_384] = { "SHA384", "SHA2-384" },
	[SHA_512] = { "SHA512", "SHA2-512" },
};

/* RFC 8446 4.2.3; the RSA keys of certificates are rsaEncryption ones. */
static const unsigned pkcs1_schemes[SHA__COUNT] = { 0x0401, 0x0501, 0x0601 };
static const unsigned pss_schemes[SHA__COUNT] = { 0x0804, 0x0805, 0x0806 };
static const unsigned ecdsa_schemes[SHA__COUNT] = { 0x0403, 0x0503, 0x0603 };

static void *
new_signing(void *provider, const char *query)
{
	struct signing *s = OPENSSL_zalloc(sizeof(*s));

	if (s != NULL)
		s->provider = provider;
	return s;
}

static void
free_signing(void *signing)
{
	OPENSSL_free(signing);
}

static void *
dup_signing(void *signing)
{
	return OPENSSL_memdup(signing, sizeof(struct signing));
}

static bool
find_digest(const char *name, enum digest *out)
{
	for (unsigned i = 0; i < SHA__COUNT; i++)
		for (unsigned j = 0; j < 2; j++)
			if (strcasecmp(name, digest_names[i][j]) == 0) {
				*out = i;
				return true;
			}
	return false;
}

/* Padding comes as a number or as a word. */
static bool
read_padding(const OSSL_PARAM *p, bool *is_pss)
{
	const char *word;
	int number;

	if (p->data_type == OSSL_PARAM_UTF8_STRING) {
		if (!OSSL_PARAM_get_utf8_string_ptr(p, &word))
			return false;
		number = strcmp(word, OSSL_PKEY_RSA_PAD_MODE_PSS) == 0 ?
		    RSA_PKCS1_PSS_PADDING :
		    strcmp(word, OSSL_PKEY_RSA_PAD_MODE_PKCSV15) == 0 ?
		    RSA_PKCS1_PADDING : -1;
	} else if (!OSSL_PARAM_get_int(p, &number))
		return false;
	*is_pss = number == RSA_PKCS1_PSS_PADDING;
	return *is_pss || number == RSA_PKCS1_PADDING;
}

/* The salt is as long as the digest (RFC 8446 4.2.3), or it is not ours. */
static bool
is_salt_ours(const OSSL_PARAM *p)
{
	const char *word;
	int number;

	if (p->data_type == OSSL_PARAM_UTF8_STRING)
		return OSSL_PARAM_get_utf8_string_ptr(p, &word) &&
		    strcmp(word, OSSL_PKEY_RSA_PSS_SALT_LEN_DIGEST) == 0;
	return OSSL_PARAM_get_int(p, &number) &&
	    number == RSA_PSS_SALTLEN_DIGEST;
}

/* What we do not know is refused: it might change what is signed, or how. */
static int
set_params(void *signing, const OSSL_PARAM params[])
{
	struct signing *s = signing;

	for (const OSSL_PARAM *p = params; p != NULL && p->key != NULL; p++) {
		bool is_fine = false;

		if (strcmp(p->key, OSSL_SIGNATURE_PARAM_PAD_MODE) == 0)
			is_fine = read_padding(p, &s->is_pss);
		else if (strcmp(p->key, OSSL_SIGNATURE_PARAM_PSS_SALTLEN) == 0)
			is_fine = is_salt_ours(p);
		if (!is_fine)
			return 0;
	}
	return 1;
}

static const OSSL_PARAM *
settable_params(void *signing, void *provider)
{
	static const OSSL_PARAM rows[] = {
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PAD_MODE, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_SIGNATURE_PARAM_PSS_SALTLEN, NULL,
		    0),
		OSSL_PARAM_END
	};

	return rows;
}

static int
begin(void *signing, const char *digest, void *key, const OSSL_PARAM params[])
{
	struct signing *s = signing;

	if (key != NULL)
		s->key = key;
	if (s->key == NULL || s->key->public == NULL || digest == NULL ||
	    !find_digest(digest, &s->digest))
		return 0;
	s->is_pss = false;
	return set_params(s, params);
}

static unsigned
scheme_of(const struct signing *s)
{
	if (strcmp(s->key->kind, "EC") == 0)
		return ecdsa_schemes[s->digest];
	return s->is_pss ? pss_schemes[s->digest] : pkcs1_schemes[s->digest];
}

static int
sign(void *signing, unsigned char *out, size_t *out_len, size_t cap,
    const unsigned char *text, size_t len)
{
	const struct signing *s = signing;
	uint8_t signature[KEYS_SIGNATURE_MAX];
	int size = s->key == NULL ? 0 : EVP_PKEY_get_size(s->key->public);
	size_t got;

	if (size <= 0 || (size_t)size > sizeof(signature))
		return 0;
	if (out == NULL) {
		*out_len = (size_t)size;
		return 1;
	}
	if (len > KEYS_TEXT_MAX) {
		if (tls_current() != NULL)
			tls_blame(tls_current(), "what the server said is too "
			    "long to be signed", false);
		return 0;
	}
	if (signer_sign(provider_keys(s->provider), s->key->id, scheme_of(s),
	    (struct span){ (const char *)text, len }, signature,
	    &got) != SIGN_DONE || got > cap)
		return 0;
	memcpy(out, signature, got);
	*out_len = got;
	return 1;
}

static int
refuse_update(void *signing, const unsigned char *text, size_t len)
{
	return 0;
}

static int
refuse_final(void *signing, unsigned char *out, size_t *out_len, size_t cap)
{
	return 0;
}

#define CALL(name, fn)	{ OSSL_FUNC_SIGNATURE_##name, (void (*)(void))(fn) }

const OSSL_DISPATCH provider_sign_calls[] = {
	CALL(NEWCTX, new_signing), CALL(FREECTX, free_signing),
	CALL(DUPCTX, dup_signing), CALL(DIGEST_SIGN_INIT, begin),
	CALL(DIGEST_SIGN, sign), CALL(DIGEST_SIGN_UPDATE, refuse_update),
	CALL(DIGEST_SIGN_FINAL, refuse_final),
	CALL(SET_CTX_PARAMS, set_params),
	CALL(SETTABLE_CTX_PARAMS, settable_params), { 0, NULL },
};
