/* tlsa.c - what a record is about, and its hash. */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/tool/tlsa.h"
#include "sys/certificate.h"

#define DATA_MAX	65536	/* bytes of a certificate		*/
#define USAGE_ANCHOR	2
#define USAGE_OWN	3

struct tlsa {
	unsigned	 cnt;
	X509		*certs[TLSA_CHAIN_MAX];
};

bool
tlsa_open(struct tlsa **out, const char *path)
{
	struct tlsa *t = calloc(1, sizeof(*t));
	FILE *f = fopen(path, "re");
	X509 *cert;

	while (t != NULL && f != NULL && t->cnt < TLSA_CHAIN_MAX &&
	    (cert = PEM_read_X509(f, NULL, NULL, NULL)) != NULL)
		t->certs[t->cnt++] = cert;
	ERR_clear_error();
	if (f != NULL)
		fclose(f);
	if (t != NULL && t->cnt == 0)
		tlsa_close(&t);
	*out = t;
	return t != NULL;
}

void
tlsa_close(struct tlsa **t)
{
	for (unsigned i = 0; *t != NULL && i < (*t)->cnt; i++)
		X509_free((*t)->certs[i]);
	free(*t);
	*t = NULL;
}

bool
tlsa_names(const struct tlsa *t, const char *host)
{
	return certificate_names(t->certs[0], host);
}

/* What selector 0 (the certificate) or 1 (its public key) is of, in DER. */
static size_t
selected(X509 *cert, unsigned selector, unsigned char **der)
{
	int len;

	*der = NULL;
	len = selector == 0 ? i2d_X509(cert, der) :
	    i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), der);
	return len > 0 ? (size_t)len : 0;
}

/* Matching type 0: all of it, 1: SHA-256, 2: SHA-512.  False: another. */
static bool
matches(struct span der, unsigned type, struct span data)
{
	unsigned char hash[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	if (type == 0)
		return span_eq(der, data);
	if (type > 2 || EVP_Digest(der.ptr, der.len, hash, &len, type == 1 ?
	    EVP_sha256() : EVP_sha512(), NULL) != 1)
		return false;
	return span_eq((struct span){ (char *)hash, len }, data);
}

static bool
fits_one(X509 *cert, struct span rdata)
{
	unsigned char *der;
	size_t len = selected(cert, (unsigned char)rdata.ptr[1], &der);
	bool fits = len > 0 && matches((struct span){ (char *)der, len },
	    (unsigned char)rdata.ptr[2], span_tail(rdata, 3));

	OPENSSL_free(der);
	return fits;
}

bool
tlsa_fits(const struct tlsa *t, struct span rdata)
{
	unsigned cnt;

	if (rdata.len < 4 || (unsigned char)rdata.ptr[1] > 1)
		return false;
	cnt = (unsigned char)rdata.ptr[0] == USAGE_OWN ? 1 :
	    (unsigned char)rdata.ptr[0] == USAGE_ANCHOR ? t->cnt : 0;
	for (unsigned i = 0; i < cnt; i++)
		if (fits_one(t->certs[i], rdata))
			return true;
	return false;
}

bool
tlsa_hex(const struct tlsa *t, char out[TLSA_HEX_LEN + 1])
{
	unsigned char *der, hash[EVP_MAX_MD_SIZE];
	size_t len = selected(t->certs[0], 1, &der);
	unsigned hash_len = 0;
	bool good = len > 0 && EVP_Digest(der, len, hash, &hash_len,
	    EVP_sha256(), NULL) == 1;

	OPENSSL_free(der);
	for (unsigned i = 0; good && i < hash_len; i++)
		(void)snprintf(out + 2 * (size_t)i, 3, "%02x", hash[i]);
	return good;
}
