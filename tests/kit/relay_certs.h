/*
 * relay_certs - an authority of the test's own and certificates from it.
 */
#ifndef TESTS_RELAY_CERTS_H
#define TESTS_RELAY_CERTS_H

#include <sys/mman.h>

#include <openssl/pem.h>
#include <openssl/x509v3.h>

struct certs {
	EVP_PKEY	*ca_key, *key;
	X509		*ca;
};

static inline X509 *
certs_make(EVP_PKEY *key, const char *cn, const char *names, X509 *issuer,
    EVP_PKEY *issuer_key)
{
	X509 *x = X509_new();
	X509_NAME *subject = X509_NAME_new();
	X509_EXTENSION *ext;
	X509V3_CTX v3;

	assert_true(X509_set_version(x, 2));
	assert_true(ASN1_INTEGER_set(X509_get_serialNumber(x),
	    issuer == NULL ? 1 : 2));
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(x), -3600));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(x), 3600));
	assert_true(X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC,
	    (const unsigned char *)cn, -1, -1, 0));
	assert_true(X509_set_subject_name(x, subject));
	assert_true(X509_set_issuer_name(x, issuer == NULL ? subject :
	    X509_get_subject_name(issuer)));
	X509_NAME_free(subject);
	assert_true(X509_set_pubkey(x, key));
	X509V3_set_ctx(&v3, issuer == NULL ? x : issuer, x, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &v3, issuer == NULL ?
	    NID_basic_constraints : NID_subject_alt_name, issuer == NULL ?
	    "critical,CA:TRUE" : names);
	assert_non_null(ext);
	assert_true(X509_add_ext(x, ext, -1));
	X509_EXTENSION_free(ext);
	assert_true(X509_sign(x, issuer_key, EVP_sha256()));
	return x;
}

static inline void
certs_init(struct certs *c)
{
	c->ca_key = EVP_EC_gen("P-256");
	c->key = EVP_EC_gen("P-256");
	assert_non_null(c->ca_key);
	assert_non_null(c->key);
	c->ca = certs_make(c->ca_key, "Test CA", NULL, NULL, c->ca_key);
}

static inline void
certs_fini(struct certs *c)
{
	EVP_PKEY_free(c->ca_key);
	EVP_PKEY_free(c->key);
	X509_free(c->ca);
}

/* The authority as a file. */
static inline int
certs_fd(const struct certs *c)
{
	int fd = memfd_create("ca", 0);
	BIO *bio = BIO_new_fd(fd, BIO_NOCLOSE);

	assert_int_not_equal(fd, -1);
	assert_true(BIO_printf(bio, "words before the first one\n") > 0);
	assert_true(PEM_write_bio_X509(bio, c->ca));
	BIO_free(bio);
	return fd;
}

/* A server's context with a certificate for these names. */
static inline SSL_CTX *
certs_server(const struct certs *c, const char *names)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	X509 *x = certs_make(c->key, "server", names, c->ca, c->ca_key);

	assert_non_null(ctx);
	assert_int_equal(SSL_CTX_use_certificate(ctx, x), 1);
	assert_int_equal(SSL_CTX_use_PrivateKey(ctx, c->key), 1);
	X509_free(x);
	return ctx;
}

#endif
