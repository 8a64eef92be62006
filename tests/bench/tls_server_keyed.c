/*
 * tls_server_keyed.c - for `make bench' alone: the edge's side of TLS with the
 * key in the process, to set the vault's price against.  The file of the
 * certificate has the key in it too.  Never part of a program that is
 * installed.
 */
#include <openssl/pem.h>

#include <stdlib.h>
#include <unistd.h>

#include "ask/tls_inside.h"
#include "ask/tls_server.h"

#define FILE_MAX	(64 * 1024)

struct tls_server {
	SSL_CTX	*context;
};

static enum err
use_file(SSL_CTX *context, int fd)
{
	static char bytes[FILE_MAX];
	ssize_t len = pread(fd, bytes, sizeof(bytes), 0);
	BIO *file;
	X509 *cert;
	EVP_PKEY *key;

	if (len <= 0)
		return ERR_SYS;
	file = BIO_new_mem_buf(bytes, (int)len);
	cert = PEM_read_bio_X509(file, NULL, NULL, NULL);
	BIO_free(file);
	file = BIO_new_mem_buf(bytes, (int)len);
	key = PEM_read_bio_PrivateKey(file, NULL, NULL, NULL);
	BIO_free(file);
	return cert != NULL && key != NULL &&
	    SSL_CTX_use_certificate(context, cert) == 1 &&
	    SSL_CTX_use_PrivateKey(context, key) == 1 ? OK : ERR_PEER;
}

enum err
tls_server_open(struct tls_server **out, struct keys *keys, int cert_fd)
{
	struct tls_server *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return ERR_SYS;
	s->context = SSL_CTX_new(TLS_server_method());
	if (s->context == NULL || tls_harden(s->context) != OK)
		return ERR_SYS;
	*out = s;
	return use_file(s->context, cert_fd);
}

/* Sessions keep the context; the rest is the process's to forget. */
void
tls_server_free(struct tls_server **sp)
{
	if (*sp != NULL)
		SSL_CTX_free((*sp)->context);
	free(*sp);
	*sp = NULL;
}

enum err
tls_accept(struct tls **out, struct tls_server *s, int fd,
    void (*wake)(void *arg), void *arg)
{
	enum err e = tls_new(out, s->context, fd, wake, arg);

	if (e == OK)
		SSL_set_accept_state(tls_ssl(*out));
	return e;
}
