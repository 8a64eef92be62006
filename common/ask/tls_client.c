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

#include "ask/tls_client.h"
#include "ask/tls_inside.h"
#include "base/limits.h"

#define CA_FILE_MAX	(16 << 20)	/* bytes; Debian's has 200 KiB	*/
#define CIPHERS_ANY	"ECDHE+AESGCM:ECDHE+CHACHA20:HIGH:!aNULL:!eNULL:" \
			"!PSK:!SRP"

struct tls_client {
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

/* Every certificate of the text; how many. */
static unsigned
believe(X509_STORE *store, const char *text, size_t len)
{
	BIO *bio = BIO_new_mem_buf(text, (int)len);
	unsigned cnt = 0;
	X509 *cert;

	if (bio == NULL)
		return 0;
	while ((cert = PEM_read_bio_X509_AUX(bio, NULL, NULL, NULL)) != NULL) {
		cnt += X509_STORE_add_cert(store, cert) == 1;
		X509_free(cert);
	}
	BIO_free(bio);
	ERR_clear_error();		/* the end of the text is one */
	return cnt;
}

static enum err
read_cas(SSL_CTX *ctx, int ca_fd)
{
	size_t len = 0;
	char *text;
	unsigned cnt;
	enum err e;

	if (ca_fd == -1)
		return OK;
	if ((e = read_file(ca_fd, &text, &len)) != OK)
		return e;
	cnt = believe(SSL_CTX_get_cert_store(ctx), text, len);
	free(text);
	return cnt > 0 ? OK : ERR_PEER;
}

enum err
tls_client_open(struct tls_client **out, int ca_fd)
{
	struct tls_client *c = calloc(1, sizeof(*c));
	enum err e = ERR_SYS;

	if (c == NULL)
		return ERR_SYS;
	c->ctx = SSL_CTX_new(TLS_client_method());
	if (c->ctx != NULL && (e = tls_harden(c->ctx)) == OK)
		e = read_cas(c->ctx, ca_fd);
	ERR_clear_error();
	if (e != OK)
		tls_client_free(&c);
	else
		*out = c;
	return e;
}

void
tls_client_free(struct tls_client **cp)
{
	struct tls_client *c = *cp;

	*cp = NULL;
	if (c == NULL)
		return;
	SSL_CTX_free(c->ctx);
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
    bool must_verify)
{
	struct tls *t;
	enum err e = tls_new(&t, c->ctx, fd, NULL, NULL);
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
