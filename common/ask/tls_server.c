/*
 * tls_server.c - a context of OpenSSL's with a certificate whose key is the
 * provider's.
 *
 * Sessions count, so that a new certificate can take the place of this one
 * while handshakes are under way: the last to go takes the library context
 * with it.
 */
#include <openssl/err.h>

#include <stdlib.h>

#include "ask/provider.h"
#include "ask/signer.h"
#include "ask/tls_cert.h"
#include "ask/tls_inside.h"
#include "ask/tls_server.h"
#include "sys/certificate.h"

struct tls_server {
	unsigned	 users;		/* its owner and its sessions	*/
	struct provider	*provider;
	SSL_CTX		*context;
};

static void
let_go(void *arg)
{
	struct tls_server *s = arg;

	if (--s->users > 0)
		return;
	SSL_CTX_free(s->context);
	provider_free(&s->provider);
	free(s);
}

/*
 * RFC 9325 3.7: whoever wants to speak another protocol is told so, and not
 * greeted.  SMTP has no name of its own there; these two are what clients say.
 */
static int
choose_protocol(SSL *ssl, const unsigned char **out, unsigned char *out_len,
    const unsigned char *offered, unsigned len, void *arg)
{
	static const unsigned char ours[] = "\4smtp\5esmtp";
	unsigned char *chosen;

	if (SSL_select_next_proto(&chosen, out_len, ours, sizeof(ours) - 1,
	    offered, len) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

static enum err
make_context(struct tls_server *s)
{
	s->context = SSL_CTX_new_ex(provider_context(s->provider),
	    PROVIDER_ELSE, TLS_server_method());
	if (s->context == NULL || tls_harden(s->context) != OK ||
	    SSL_CTX_set1_sigalgs_list(s->context, TLS_CERT_SIGNATURES) != 1)
		return ERR_SYS;
	SSL_CTX_set_alpn_select_cb(s->context, choose_protocol, NULL);
	return signer_start(s->context);
}

enum err
tls_server_open(struct tls_server **out, struct keys *keys, int cert_fd)
{
	struct tls_server *s = calloc(1, sizeof(*s));
	enum err e;

	if (s == NULL)
		return ERR_SYS;
	s->users = 1;
	ERR_clear_error();
	e = provider_open(&s->provider, keys);
	if (e == OK)
		e = make_context(s);
	if (e == OK)
		e = tls_cert_use(s->context, s->provider, cert_fd);
	if (e != OK) {
		tls_cert_complain(e);
		let_go(s);
		return e;
	}
	*out = s;
	return OK;
}

void
tls_server_free(struct tls_server **sp)
{
	struct tls_server *s = *sp;

	*sp = NULL;
	if (s != NULL)
		let_go(s);
}

enum err
tls_accept(struct tls **out, struct tls_server *s, int fd,
    void (*wake)(void *arg), void *arg)
{
	enum err e = tls_new(out, s->context, fd, wake, arg);

	if (e != OK)
		return e;
	s->users++;
	tls_keep(*out, let_go, s);
	SSL_set_accept_state(tls_ssl(*out));
	tls_bound_hello(*out);
	return OK;
}

int64_t
tls_server_end(const struct tls_server *s)
{
	const X509 *cert = SSL_CTX_get0_certificate(s->context);

	return cert == NULL ? 0 : certificate_end(cert);
}

bool
tls_server_names(const struct tls_server *s, const char *host)
{
	X509 *cert = SSL_CTX_get0_certificate(s->context);

	return cert != NULL && certificate_names(cert, host);
}
