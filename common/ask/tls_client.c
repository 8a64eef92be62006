/*
 * tls_client.c - the name is always compared, the chain always followed; only
 * whether that ends the handshake is the caller's to say.  So tls_facts() can
 * tell for each connection how good it was.
 *
 * Who does not verify would speak in the clear to a host that knows older
 * ciphers only, and an old cipher is better than none (RFC 7435 3): there the
 * list is wider than that of tls_harden(), and keys may be shorter.
 */
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <arpa/inet.h>
#include <sys/stat.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask/provider.h"
#include "ask/signer.h"
#include "ask/tls_cert.h"
#include "ask/tls_client.h"
#include "ask/tls_inside.h"
#include "base/limits.h"

#define CA_FILE_MAX	(16 << 20)	/* bytes; Debian's has 200 KiB	*/
#define CIPHERS_ANY	"ECDHE+AESGCM:ECDHE+CHACHA20:HIGH:!aNULL:!eNULL:" \
			"!PSK:!SRP"

struct tls_client {
	struct provider	*provider;	/* of our certificate's key, or NULL */
	SSL_CTX		*ctx;
};

/* The whole file from its beginning, whatever its offset; *out is yours. */
static enum err
read_file(int fd, char **out, size_t *len)
{
	struct stat st;
	char *buf;
	ssize_t n;

	if (fstat(fd, &st) == -1)
		return ERR_SYS;
	if (st.st_size <= 0 || st.st_size > CA_FILE_MAX)
		return ERR_PEER;
	if ((buf = malloc((size_t)st.st_size)) == NULL)
		return ERR_SYS;
	*len = 0;
	while (*len < (size_t)st.st_size) {
		n = pread(fd, buf + *len, (size_t)st.st_size - *len,
		    (off_t)*len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1) {
			free(buf);
			return ERR_SYS;
		}
		if (n == 0)
			break;
		*len += (size_t)n;
	}
	*out = buf;
	return OK;
}

/* To be read into: of the context in which it will be compared. */
static X509 *
new_cert(const struct tls_client *c)
{
	return c->provider == NULL ? X509_new() :
	    X509_new_ex(provider_context(c->provider), PROVIDER_ELSE);
}

/* Every certificate of the text; how many. */
static unsigned
believe(const struct tls_client *c, const char *text, size_t len)
{
	X509_STORE *store = SSL_CTX_get_cert_store(c->ctx);
	BIO *bio = BIO_new_mem_buf(text, (int)len);
	unsigned cnt = 0;
	X509 *cert;

	if (bio == NULL)
		return 0;
	while ((cert = new_cert(c)) != NULL &&
	    PEM_read_bio_X509_AUX(bio, &cert, NULL, NULL) != NULL) {
		cnt += X509_STORE_add_cert(store, cert) == 1;
		X509_free(cert);
	}
	X509_free(cert);
	BIO_free(bio);
	ERR_clear_error();		/* the end of the text is one */
	return cnt;
}

static enum err
read_cas(const struct tls_client *c, int ca_fd)
{
	size_t len = 0;
	char *text;
	unsigned cnt;
	enum err e;

	if (ca_fd == -1)
		return OK;
	if ((e = read_file(ca_fd, &text, &len)) != OK)
		return e;
	cnt = believe(c, text, len);
	free(text);
	return cnt > 0 ? OK : ERR_PEER;
}

/* A server asks for a certificate: within its handshake. */
static int
note_asked(SSL *ssl, void *arg)
{
	if (tls_current() != NULL)
		tls_was_asked(tls_current());
	return 1;
}

static enum err
make_context(struct tls_client *c)
{
	c->ctx = c->provider == NULL ? SSL_CTX_new(TLS_client_method()) :
	    SSL_CTX_new_ex(provider_context(c->provider), PROVIDER_ELSE,
	    TLS_client_method());
	if (c->ctx == NULL)
		return ERR_SYS;
	SSL_CTX_set_cert_cb(c->ctx, note_asked, NULL);
	return tls_harden(c->ctx);
}

static enum err
certify(struct tls_client *c, int cert_fd)
{
	enum err e;

	if (SSL_CTX_set1_client_sigalgs_list(c->ctx, TLS_CERT_SIGNATURES) != 1)
		e = ERR_SYS;
	else
		e = tls_cert_use(c->ctx, c->provider, cert_fd);
	if (e != OK)
		tls_cert_complain(e);
	return e == OK ? signer_start(c->ctx) : e;
}

/* keys is NULL where there is no certificate. */
static enum err
open_client(struct tls_client **out, int ca_fd, struct keys *keys, int cert_fd)
{
	struct tls_client *c = calloc(1, sizeof(*c));
	enum err e = OK;

	if (c == NULL)
		return ERR_SYS;
	if (keys != NULL)
		e = provider_open(&c->provider, keys);
	if (e == OK)
		e = make_context(c);
	if (e == OK && keys != NULL)
		e = certify(c, cert_fd);
	if (e == OK)
		e = read_cas(c, ca_fd);
	ERR_clear_error();
	if (e != OK)
		tls_client_free(&c);
	else
		*out = c;
	return e;
}

enum err
tls_client_open(struct tls_client **out, int ca_fd)
{
	return open_client(out, ca_fd, NULL, -1);
}

enum err
tls_client_open_certified(struct tls_client **out, int ca_fd,
    struct keys *keys, int cert_fd)
{
	return open_client(out, ca_fd, keys, cert_fd);
}

void
tls_client_free(struct tls_client **cp)
{
	struct tls_client *c = *cp;

	*cp = NULL;
	if (c == NULL)
		return;
	SSL_CTX_free(c->ctx);
	provider_free(&c->provider);
	free(c);
}

/* As certificates and SNI spell it: no brackets, no dot at the end. */
static bool
plain_name(struct span name, char *buf, size_t cap)
{
	if (name.len > 1 && name.ptr[0] == '[' &&
	    name.ptr[name.len - 1] == ']')
		name = (struct span){ name.ptr + 1, name.len - 2 };
	else if (name.len > 1 && name.ptr[name.len - 1] == '.')
		name.len--;
	return name.len > 0 && span_cstr(name, buf, cap);
}

static bool
is_address(const char *name)
{
	unsigned char bytes[16];

	return inet_pton(AF_INET, name, bytes) == 1 ||
	    inet_pton(AF_INET6, name, bytes) == 1;
}

/* An address is no name for SNI: RFC 6066 3. */
static bool
expect_name(SSL *ssl, const char *name)
{
	if (is_address(name))
		return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl),
		    name) == 1;
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	return SSL_set1_host(ssl, name) == 1 &&
	    SSL_set_tlsext_host_name(ssl, name) == 1;
}

static bool
set_up(SSL *ssl, struct span name, bool must_verify)
{
	char text[DOMAIN_MAX + 1];

	SSL_set_connect_state(ssl);
	if (must_verify) {
		SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
	} else {
		SSL_set_verify(ssl, SSL_VERIFY_NONE, NULL);
		SSL_set_security_level(ssl, 1);
		if (SSL_set_cipher_list(ssl, CIPHERS_ANY) != 1)
			return false;
	}
	return plain_name(name, text, sizeof(text)) && expect_name(ssl, text);
}

enum err
tls_connect(struct tls **out, struct tls_client *c, int fd, struct span name,
    bool must_verify, void (*wake)(void *arg), void *arg)
{
	struct tls *t;
	enum err e = tls_new(&t, c->ctx, fd, wake, arg);
	bool is_ready;

	if (e != OK)
		return e;
	is_ready = set_up(tls_ssl(t), name, must_verify);
	ERR_clear_error();
	if (!is_ready) {
		tls_free(&t);
		return ERR_SYS;
	}
	*out = t;
	return OK;
}

bool
tls_is_distrusted(struct tls *t)
{
	return SSL_get_verify_result(tls_ssl(t)) != X509_V_OK;
}
