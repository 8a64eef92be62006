/*
 * tls_cert.c - a certificate whose key is the provider's, and those that lead
 * to its root.
 */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <stdlib.h>
#include <unistd.h>

#include "ask/tls_cert.h"
#include "base/log.h"

#define FILE_MAX	(128u << 10) /* bytes			*/
#define CHAIN_MAX	10	/* certificates in a file		*/
#define RSA_BITS_MIN	2048	/* RFC 9325 4.5				*/
#define RSA_BITS_MAX	8192	/* KEYS_SIGNATURE_MAX			*/

struct owner {
	const struct provider *provider;
	SSL_CTX		*context;
};

static bool
is_key_fit(X509 *cert)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);
	char group[32];
	size_t len;

	if (key == NULL)
		return false;
	if (EVP_PKEY_is_a(key, "RSA"))
		return EVP_PKEY_get_bits(key) >= RSA_BITS_MIN &&
		    EVP_PKEY_get_bits(key) <= RSA_BITS_MAX;
	return EVP_PKEY_is_a(key, "EC") &&
	    EVP_PKEY_get_group_name(key, group, sizeof(group), &len) == 1 &&
	    (OBJ_sn2nid(group) == NID_X9_62_prime256v1 ||
	    OBJ_sn2nid(group) == NID_secp384r1);
}

/* The next of the file: ERR_NONE at its end, ERR_PEER if it is none. */
static enum err
next_cert(const struct owner *o, BIO *file, X509 **out)
{
	X509 *cert = X509_new_ex(provider_context(o->provider),
	    PROVIDER_ELSE);
	unsigned long error;

	if (cert == NULL)
		return ERR_SYS;
	ERR_clear_error();
	if (PEM_read_bio_X509(file, &cert, NULL, NULL) != NULL) {
		*out = cert;
		return OK;
	}
	error = ERR_peek_last_error();
	X509_free(cert);
	ERR_clear_error();
	return ERR_GET_LIB(error) == ERR_LIB_PEM &&
	    ERR_GET_REASON(error) == PEM_R_NO_START_LINE ? ERR_NONE :
	    ERR_PEER;
}

static enum err
use_cert(const struct owner *o, X509 *cert)
{
	EVP_PKEY *key;
	enum err e = ERR_SYS;

	if (!is_key_fit(cert)) {
		log_why(LOG_trouble, "a certificate's key must be RSA of "
		    "2048 to 8192 bits, or ECDSA on P-256 or P-384", 0);
		return ERR_PEER;
	}
	if ((key = provider_key(o->provider, cert)) == NULL)
		return ERR_SYS;
	if (SSL_CTX_use_certificate(o->context, cert) == 1 &&
	    SSL_CTX_use_PrivateKey(o->context, key) == 1 &&
	    SSL_CTX_check_private_key(o->context) == 1)
		e = OK;
	EVP_PKEY_free(key);
	return e;
}

static enum err
use_chain(const struct owner *o, BIO *file)
{
	X509 *cert;
	enum err e;

	if ((e = next_cert(o, file, &cert)) != OK)
		return e == ERR_NONE ? ERR_PEER : e;
	e = use_cert(o, cert);
	X509_free(cert);
	for (unsigned cnt = 1; e == OK; cnt++) {
		if ((e = next_cert(o, file, &cert)) != OK)
			break;
		if (cnt < CHAIN_MAX &&
		    SSL_CTX_add0_chain_cert(o->context, cert) == 1)
			continue;
		X509_free(cert);
		e = ERR_PEER;
	}
	return e == ERR_NONE ? OK : e;
}

/* By position: the file's own is shared with others who read it. */
static enum err
read_whole(int fd, char **out, size_t *out_len)
{
	char *bytes = malloc(FILE_MAX);
	size_t len = 0;
	ssize_t got = 1;

	if (bytes == NULL)
		return ERR_SYS;
	while (got > 0 && len < FILE_MAX) {
		got = pread(fd, bytes + len, FILE_MAX - len, (off_t)len);
		if (got > 0)
			len += (size_t)got;
	}
	if (got != 0) {
		free(bytes);
		return got == -1 ? ERR_SYS : ERR_PEER;
	}
	*out = bytes;
	*out_len = len;
	return OK;
}

enum err
tls_cert_use(SSL_CTX *context, const struct provider *provider, int fd)
{
	struct owner o = { provider, context };
	char *bytes;
	size_t len;
	BIO *file;
	enum err e = read_whole(fd, &bytes, &len);

	if (e != OK)
		return e;
	file = BIO_new_mem_buf(bytes, (int)len);
	e = file == NULL ? ERR_SYS : use_chain(&o, file);
	BIO_free(file);
	free(bytes);
	return e;
}

void
tls_cert_complain(enum err e)
{
	const char *what = ERR_reason_error_string(ERR_peek_last_error());
	struct log_line l;

	log_begin(&l, LOG_trouble);
	log_text(&l, LOG_KEY_why, e == ERR_PEER ?
	    "the file of the certificate cannot be used" :
	    "TLS cannot be set up");
	if (what != NULL)
		log_text(&l, LOG_KEY_reply, what);
	log_end(&l);
	ERR_clear_error();
}
