/*
 * check_keys.c - public halves are compared: a key file has both, and nothing
 * is signed here.
 *
 * What is served is what common/ask/keys.h has room for and TLS 1.2 and 1.3
 * have in common: RSA up to 8192 bits, ECDSA on the curves of NIST.
 */
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <stdlib.h>
#include <string.h>

#include "master/check_keys.h"
#include "sys/certificate.h"
#include "sys/clock.h"
#include "sys/files.h"

#define PEM_MAX		(1024u * 1024)	/* bytes of a file		*/
#define RSA_LEAST	2048		/* bits, RFC 9325 4.5		*/
#define RSA_MOST	8192		/* bits, KEYS_SIGNATURE_MAX	*/

/* We have no passphrase; that one was wanted is the news. */
static int
no_passphrase(char *buf, int size, int is_write, void *arg)
{
	bool *was_wanted = arg;

	*was_wanted = true;
	return -1;
}

static EVP_PKEY *
key_of(const char *bytes, size_t len, bool *is_locked)
{
	BIO *bio = BIO_new_mem_buf(bytes, (int)len);
	EVP_PKEY *key = NULL;

	*is_locked = false;
	if (bio != NULL)
		key = PEM_read_bio_PrivateKey(bio, NULL, no_passphrase,
		    is_locked);
	BIO_free(bio);
	ERR_clear_error();
	return key;
}

/* The first certificate: that of who shows it, RFC 8446 4.4.2. */
static X509 *
cert_of(const char *bytes, size_t len)
{
	BIO *bio = BIO_new_mem_buf(bytes, (int)len);
	X509 *cert = NULL;

	if (bio != NULL)
		cert = PEM_read_bio_X509(bio, NULL, NULL, NULL);
	BIO_free(bio);
	ERR_clear_error();
	return cert;
}

static EVP_PKEY *
key_of_cert(const char *bytes, size_t len)
{
	X509 *cert = cert_of(bytes, len);
	EVP_PKEY *key = cert == NULL ? NULL : X509_get_pubkey(cert);

	X509_free(cert);
	ERR_clear_error();
	return key;
}

static bool
is_served(const EVP_PKEY *key)
{
	static const char *const curves[] = { "prime256v1", "P-256",
	    "secp384r1", "P-384" };
	char name[64];
	size_t len;

	if (EVP_PKEY_is_a(key, "RSA"))
		return EVP_PKEY_get_bits(key) >= RSA_LEAST &&
		    EVP_PKEY_get_bits(key) <= RSA_MOST;
	if (!EVP_PKEY_is_a(key, "EC") ||
	    EVP_PKEY_get_group_name(key, name, sizeof(name), &len) != 1)
		return false;
	for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
		if (strcmp(curves[i], name) == 0)
			return true;
	return false;
}

static enum conf_pair
judge(const EVP_PKEY *cert, const EVP_PKEY *key, bool is_locked)
{
	if (cert == NULL)
		return PAIR_NO_CERT;
	if (key == NULL)
		return is_locked ? PAIR_LOCKED : PAIR_NO_KEY;
	if (!is_served(key))
		return PAIR_STRANGE;
	return EVP_PKEY_eq(cert, key) == 1 ? PAIR_FITS : PAIR_DIFFERS;
}

bool
check_keys_start(void)
{
	EVP_PKEY *made = EVP_EC_gen("P-256"), *read = NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	bool is_locked, is_good;
	char *bytes;
	long len;

	if (made != NULL && bio != NULL && PEM_write_bio_PrivateKey(bio, made,
	    NULL, NULL, 0, NULL, NULL) == 1) {
		len = BIO_get_mem_data(bio, &bytes);
		read = key_of(bytes, (size_t)len, &is_locked);
	}
	is_good = read != NULL && EVP_PKEY_eq(made, read) == 1;
	EVP_PKEY_free(read);
	EVP_PKEY_free(made);
	BIO_free(bio);
	ERR_clear_error();
	return is_good;
}

enum conf_pair
check_keys_pair(void *arg, const char *certfile, const char *keyfile)
{
	char *cert_bytes = NULL, *key_bytes = NULL;
	EVP_PKEY *cert = NULL, *key = NULL;
	size_t cert_len = 0, key_len = 0;
	enum conf_pair pair = PAIR_UNKNOWN;
	bool is_locked = false;

	if (files_read(NULL, certfile, PEM_MAX, &cert_bytes, &cert_len) == OK &&
	    files_read(NULL, keyfile, PEM_MAX, &key_bytes, &key_len) == OK) {
		cert = key_of_cert(cert_bytes, cert_len);
		key = key_of(key_bytes, key_len, &is_locked);
		pair = judge(cert, key, is_locked);
	}
	EVP_PKEY_free(cert);
	EVP_PKEY_free(key);
	if (key_bytes != NULL)
		OPENSSL_cleanse(key_bytes, key_len);
	free(key_bytes);
	free(cert_bytes);
	return pair;
}

/* NULL: it cannot be read, which is told elsewhere. */
static X509 *
read_cert(const char *certfile)
{
	char *bytes = NULL;
	X509 *cert = NULL;
	size_t len = 0;

	if (files_read(NULL, certfile, PEM_MAX, &bytes, &len) == OK)
		cert = cert_of(bytes, len);
	free(bytes);
	return cert;
}

bool
check_keys_suits(void *arg, const char *certfile, bool is_client)
{
	X509 *cert = read_cert(certfile);
	bool suits = cert == NULL || X509_check_purpose(cert, is_client ?
	    X509_PURPOSE_SSL_CLIENT : X509_PURPOSE_SSL_SERVER, 0) == 1;

	X509_free(cert);
	ERR_clear_error();
	return suits;
}

int64_t
check_keys_left(void *arg, const char *certfile)
{
	X509 *cert = read_cert(certfile);
	int64_t end_s = cert == NULL ? 0 : certificate_end(cert);

	X509_free(cert);
	return end_s == 0 ? INT64_MAX : end_s - clock_wall_ms() / 1000;
}

bool
check_keys_names(void *arg, const char *certfile, const char *host)
{
	X509 *cert = read_cert(certfile);
	bool names = cert == NULL || certificate_names(cert, host);

	X509_free(cert);
	return names;
}
