/*
 * provider_key.c - keys without their private half: the calls that OpenSSL
 * names keymgmt.
 *
 * has() says yes to the private half, or libssl would not use the key; export()
 * says no to it, or OpenSSL would move the key to its own provider and find the
 * private half missing there.  Everything about the public half is passed on to
 * a public key of the default provider.
 */
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/params.h>

#include <string.h>

#include "ask/provider.h"

static void *
new_key(void *provider, const char *kind)
{
	struct provider_key *k = OPENSSL_zalloc(sizeof(*k));

	if (k == NULL)
		return NULL;
	k->provider = provider;
	k->kind = kind;
	return k;
}

static void *
new_rsa(void *provider)
{
	return new_key(provider, "RSA");
}

static void *
new_ec(void *provider)
{
	return new_key(provider, "EC");
}

static void
free_key(void *key)
{
	struct provider_key *k = key;

	if (k == NULL)
		return;
	EVP_PKEY_free(k->public);
	OPENSSL_free(k);
}

static int
has(const void *key, int selection)
{
	const struct provider_key *k = key;

	return k != NULL && k->public != NULL;
}

static int
match(const void *a, const void *b, int selection)
{
	const struct provider_key *one = a, *two = b;

	return one->public != NULL && two->public != NULL &&
	    EVP_PKEY_eq(one->public, two->public) == 1;
}

/* SHA-256 over the SubjectPublicKeyInfo, as the vault names its keys. */
static int
name_key(struct provider_key *k)
{
	OSSL_LIB_CTX *context = provider_context(k->provider);
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(k->public, &der), ok;
	size_t got = 0;

	if (len <= 0)
		return 0;
	ok = EVP_Q_digest(context, "SHA256", PROVIDER_PLAIN, der, (size_t)len,
	    k->id, &got);
	OPENSSL_free(der);
	return ok == 1 && got == KEYS_ID_LEN;
}

static int
import(void *key, int selection, const OSSL_PARAM params[])
{
	struct provider_key *k = key;
	OSSL_PARAM *own = OSSL_PARAM_dup(params);
	EVP_PKEY_CTX *making;
	int ok;

	if (own == NULL || k->public != NULL) {
		OSSL_PARAM_free(own);
		return 0;
	}
	making = EVP_PKEY_CTX_new_from_name(provider_context(k->provider),
	    k->kind, PROVIDER_PLAIN);
	ok = making != NULL && EVP_PKEY_fromdata_init(making) == 1 &&
	    EVP_PKEY_fromdata(making, &k->public, EVP_PKEY_PUBLIC_KEY,
	    own) == 1 && name_key(k);
	EVP_PKEY_CTX_free(making);
	OSSL_PARAM_free(own);
	return ok;
}

static int
export(void *key, int selection, OSSL_CALLBACK *fn, void *arg)
{
	struct provider_key *k = key;

	if (k->public == NULL ||
	    (selection & OSSL_KEYMGMT_SELECT_PRIVATE_KEY) != 0)
		return 0;
	return EVP_PKEY_export(k->public, EVP_PKEY_PUBLIC_KEY, fn, arg);
}

static const OSSL_PARAM *
rsa_types(int selection)
{
	static const OSSL_PARAM types[] = {
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_N, NULL, 0),
		OSSL_PARAM_BN(OSSL_PKEY_PARAM_RSA_E, NULL, 0),
		OSSL_PARAM_END
	};

	return (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0 ? types :
	    NULL;
}

static const OSSL_PARAM *
ec_types(int selection)
{
	static const OSSL_PARAM types[] = {
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_EC_ENCODING, NULL, 0),
		OSSL_PARAM_utf8_string(
		    OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, NULL, 0),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, NULL, 0),
		OSSL_PARAM_END
	};

	return (selection & OSSL_KEYMGMT_SELECT_PUBLIC_KEY) != 0 ? types :
	    NULL;
}

static int
get_params(void *key, OSSL_PARAM params[])
{
	struct provider_key *k = key;

	return k->public != NULL && EVP_PKEY_get_params(k->public, params);
}

static const OSSL_PARAM *
gettable_params(void *provider)
{
	static const OSSL_PARAM rows[] = {
		OSSL_PARAM_int(OSSL_PKEY_PARAM_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_SECURITY_BITS, NULL),
		OSSL_PARAM_int(OSSL_PKEY_PARAM_MAX_SIZE, NULL),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_DEFAULT_DIGEST, NULL,
		    0),
		OSSL_PARAM_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, NULL, 0),
		OSSL_PARAM_utf8_string(
		    OSSL_PKEY_PARAM_EC_POINT_CONVERSION_FORMAT, NULL, 0),
		OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_ENCODED_PUBLIC_KEY,
		    NULL, 0),
		OSSL_PARAM_END
	};

	return rows;
}

static const char *
rsa_operation(int operation)
{
	return "RSA";
}

static const char *
ec_operation(int operation)
{
	return "ECDSA";
}

#define CALL(name, fn)	{ OSSL_FUNC_KEYMGMT_##name, (void (*)(void))(fn) }
#define BOTH								\
	CALL(FREE, free_key), CALL(HAS, has), CALL(MATCH, match),	\
	CALL(IMPORT, import), CALL(EXPORT, export),			\
	CALL(GET_PARAMS, get_params), CALL(GETTABLE_PARAMS, gettable_params)

const OSSL_DISPATCH provider_key_rsa[] = {
	BOTH, CALL(NEW, new_rsa), CALL(IMPORT_TYPES, rsa_types),
	CALL(EXPORT_TYPES, rsa_types),
	CALL(QUERY_OPERATION_NAME, rsa_operation), { 0, NULL },
};

const OSSL_DISPATCH provider_key_ec[] = {
	BOTH, CALL(NEW, new_ec), CALL(IMPORT_TYPES, ec_types),
	CALL(EXPORT_TYPES, ec_types),
	CALL(QUERY_OPERATION_NAME, ec_operation), { 0, NULL },
};
