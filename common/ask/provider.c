/*
 * provider.c - loading, and the table of what there is.
 *
 * The names of the algorithms must hold those by which libssl looks for the
 * kind of a certificate's key.  The property query that prefers the default
 * provider is optional ("?"): a mandatory one would hide our signatures, none
 * at all would leave it to the order of loading who serves public keys.
 */
#include <openssl/err.h>
#include <openssl/provider.h>

#include <stdlib.h>

#include "ask/provider.h"

struct provider {
	struct keys	*keys;
	OSSL_LIB_CTX	*context;
	OSSL_PROVIDER	*plain, *ours;
};

static struct provider	*loading;	/* whose begin() is running	*/

static const OSSL_ALGORITHM key_rows[] = {
	{ "RSA:rsaEncryption:1.2.840.113549.1.1.1", PROVIDER_OURS,
	    provider_key_rsa, "RSA, signed for elsewhere" },
	{ "EC:id-ecPublicKey:1.2.840.10045.2.1", PROVIDER_OURS,
	    provider_key_ec, "EC, signed for elsewhere" },
	{ NULL, NULL, NULL, NULL },
};

static const OSSL_ALGORITHM sign_rows[] = {
	{ "RSA:rsaEncryption:1.2.840.113549.1.1.1", PROVIDER_OURS,
	    provider_sign_calls, "RSA, signed elsewhere" },
	{ "ECDSA", PROVIDER_OURS, provider_sign_calls,
	    "ECDSA, signed elsewhere" },
	{ NULL, NULL, NULL, NULL },
};

static const OSSL_ALGORITHM *
rows_of(void *arg, int operation, int *no_store)
{
	*no_store = 0;
	switch (operation) {
	case OSSL_OP_KEYMGMT:
		return key_rows;
	case OSSL_OP_SIGNATURE:
		return sign_rows;
	default:
		return NULL;
	}
}

static const OSSL_DISPATCH own_calls[] = {
	{ OSSL_FUNC_PROVIDER_QUERY_OPERATION, (void (*)(void))rows_of },
	{ 0, NULL },
};

static int
begin(const OSSL_CORE_HANDLE *core, const OSSL_DISPATCH *theirs,
    const OSSL_DISPATCH **out, void **arg)
{
	*out = own_calls;
	*arg = loading;
	return 1;
}

static enum err
load(struct provider *p)
{
	if ((p->context = OSSL_LIB_CTX_new()) == NULL ||
	    OSSL_PROVIDER_add_builtin(p->context, "vault", begin) != 1)
		return ERR_SYS;
	p->plain = OSSL_PROVIDER_load(p->context, "default");
	loading = p;
	p->ours = OSSL_PROVIDER_load(p->context, "vault");
	loading = NULL;
	if (p->plain == NULL || p->ours == NULL ||
	    EVP_set_default_properties(p->context, PROVIDER_ELSE) != 1)
		return ERR_SYS;
	return OK;
}

enum err
provider_open(struct provider **out, struct keys *keys)
{
	struct provider *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return ERR_SYS;
	p->keys = keys;
	if (load(p) != OK) {
		ERR_clear_error();
		provider_free(&p);
		return ERR_SYS;
	}
	*out = p;
	return OK;
}

void
provider_free(struct provider **pp)
{
	struct provider *p = *pp;

	*pp = NULL;
	if (p == NULL)
		return;
	if (p->ours != NULL)
		OSSL_PROVIDER_unload(p->ours);
	if (p->plain != NULL)
		OSSL_PROVIDER_unload(p->plain);
	OSSL_LIB_CTX_free(p->context);
	free(p);
}

OSSL_LIB_CTX *
provider_context(const struct provider *p)
{
	return p->context;
}

struct keys *
provider_keys(const struct provider *p)
{
	return p->keys;
}

EVP_PKEY *
provider_key(const struct provider *p, X509 *cert)
{
	EVP_PKEY *public = X509_get0_pubkey(cert), *key = NULL;
	const char *kind = public == NULL ? NULL :
	    EVP_PKEY_is_a(public, "RSA") ? "RSA" :
	    EVP_PKEY_is_a(public, "EC") ? "EC" : NULL;
	EVP_PKEY_CTX *making = NULL;
	OSSL_PARAM *params = NULL;

	if (kind == NULL)
		return NULL;
	making = EVP_PKEY_CTX_new_from_name(p->context, kind, PROVIDER_OURS);
	if (making == NULL ||
	    EVP_PKEY_todata(public, EVP_PKEY_PUBLIC_KEY, &params) != 1 ||
	    EVP_PKEY_fromdata_init(making) != 1 ||
	    EVP_PKEY_fromdata(making, &key, EVP_PKEY_KEYPAIR, params) != 1)
		key = NULL;
	OSSL_PARAM_free(params);
	EVP_PKEY_CTX_free(making);
	return key;
}
