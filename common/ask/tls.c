/*
 * tls.c - OpenSSL's calls as steps of ours.
 *
 * A handshake may stop in the middle, on the stack of a fibre, to
 * wait for the vault.  Whoever waits there has told tls_await() how to be made
 * to give up; tls_free() does that, lets the fibre run to the end of its
 * handshake with the socket taken from under it, and only then frees.  So no
 * fibre outlives its session, and nothing is left for later.
 */
#include <openssl/err.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask/hello.h"
#include "ask/tls_inside.h"

/* Forward secrecy and authenticated encryption, nothing else (RFC 9325 4.2). */
#define CIPHERS_12	"ECDHE+AESGCM:ECDHE+CHACHA20"
#define CIPHERS_13	"TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:" \
			"TLS_AES_128_GCM_SHA256"
#define GROUPS		"X25519:P-256:P-384"

struct tls {
	SSL		*ssl;
	tls_wake_fn	*wake;
	void		*arg;
	tls_abandon_fn	*abandon;	/* not NULL: a fibre waits	*/
	void		*abandon_arg;
	void		(*release)(void *arg);	/* may be NULL		*/
	void		*release_arg;
	bool		 is_done, was_cut, failed, was_asked, is_ours;
	bool		 is_deaf;	/* the peer takes no more	*/
	int		 alert;		/* the peer's last words, or 0	*/
	OSSL_HANDSHAKE_STATE state;	/* as it was asked for last	*/
	struct hello	 hello;		/* that comes, for a server	*/
	const char	*blame;		/* said by what runs within	*/
	char		 why[TLS_WHY_MAX];
};

static struct tls	*current;	/* whose handshake is running	*/

enum err
tls_harden(SSL_CTX *c)
{
	SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION |
	    SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET |
	    SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA |
	    SSL_OP_CLEANSE_PLAINTEXT);	/* passwords come this way */
	SSL_CTX_set_mode(c, SSL_MODE_RELEASE_BUFFERS |
	    SSL_MODE_ENABLE_PARTIAL_WRITE |
	    SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	/* One message of TLS's own a call: a flood of them has to wait. */
	SSL_CTX_clear_mode(c, SSL_MODE_AUTO_RETRY);
	SSL_CTX_set_session_cache_mode(c, SSL_SESS_CACHE_OFF);
	if (SSL_CTX_set_num_tickets(c, 0) != 1 ||
	    SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_max_proto_version(c, TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_cipher_list(c, CIPHERS_12) != 1 ||
	    SSL_CTX_set_ciphersuites(c, CIPHERS_13) != 1 ||
	    SSL_CTX_set1_groups_list(c, GROUPS) != 1)
		return ERR_SYS;
	return OK;
}

enum err
tls_new(struct tls **out, SSL_CTX *c, int fd, tls_wake_fn *wake, void *arg)
{
	struct tls *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return ERR_SYS;
	if ((t->ssl = SSL_new(c)) == NULL || SSL_set_fd(t->ssl, fd) != 1) {
		SSL_free(t->ssl);
		free(t);
		ERR_clear_error();
		return ERR_SYS;
	}
	t->wake = wake;
	t->arg = arg;
	*out = t;
	return OK;
}

SSL *
tls_ssl(struct tls *t)
{
	return t->ssl;
}

void
tls_keep(struct tls *t, void (*release)(void *arg), void *arg)
{
	t->release = release;
	t->release_arg = arg;
}

/* What comes. */

/*
 * After the first message only another ClientHello comes in the clear, and
 * that in TLS 1.3 alone; in 1.2 a record that is encrypted looks like this.
 */
static long
see_hello(BIO *bio, int what, const char *bytes, size_t cap, int argi,
    long argl, int ret, size_t *got)
{
	struct tls *t = (struct tls *)(void *)BIO_get_callback_arg(bio);

	if (what != (BIO_CB_READ | BIO_CB_RETURN) || ret <= 0 ||
	    (t->hello.cnt > 0 && SSL_version(t->ssl) != TLS1_3_VERSION) ||
	    hello_take(&t->hello, (struct span){ bytes, *got }))
		return ret;
	t->blame = "the ClientHello is too long";
	*got = 0;
	return -1;
}

void
tls_bound_hello(struct tls *t)
{
	BIO *bio = SSL_get_rbio(t->ssl);

	BIO_set_callback_arg(bio, (char *)t);
	BIO_set_callback_ex(bio, see_hello);
}

/* Waiting. */

struct tls *
tls_current(void)
{
	return current;
}

void
tls_await(struct tls *t, tls_abandon_fn *abandon, void *arg)
{
	t->abandon = abandon;
	t->abandon_arg = arg;
}

void
tls_go_on(struct tls *t)
{
	t->abandon = NULL;
	if (t->wake != NULL)
		t->wake(t->arg);
}

void
tls_blame(struct tls *t, const char *why, bool is_ours)
{
	t->blame = why;
	t->is_ours = is_ours;
}

void
tls_was_asked(struct tls *t)
{
	t->was_asked = true;
}

/* Steps. */

static enum tls_step
fail(struct tls *t, const char *why)
{
	t->failed = true;
	(void)strlcpy(t->why, why, sizeof(t->why));
	return TLS_ERROR;
}

static enum tls_step
fail_library(struct tls *t)
{
	const char *why = ERR_reason_error_string(ERR_peek_error());
	int reason = ERR_GET_REASON(ERR_peek_error());

	if (reason > SSL_AD_REASON_OFFSET)
		t->alert = reason - SSL_AD_REASON_OFFSET;
	if (t->blame != NULL)
		why = t->blame;
	return fail(t, why != NULL ? why : "TLS failed");
}

/* The peer's end without its goodbye: an end, but not within a handshake. */
static enum tls_step
cut(struct tls *t)
{
	if (!t->is_done)
		return fail(t, "the peer hung up in the handshake");
	t->was_cut = true;
	return TLS_EOF;
}

/* What a call that returned `rc', not positive, means. */
static enum tls_step
judge(struct tls *t, int rc)
{
	int error = errno;

	switch (SSL_get_error(t->ssl, rc)) {
	case SSL_ERROR_WANT_READ:
		return TLS_WANT_READ;
	case SSL_ERROR_WANT_WRITE:
		return TLS_WANT_WRITE;
	case SSL_ERROR_WANT_ASYNC:
		return TLS_WAIT;
	case SSL_ERROR_WANT_ASYNC_JOB:
		t->is_ours = true;
		return fail(t, "too many handshakes at once");
	case SSL_ERROR_ZERO_RETURN:
		return t->is_done ? TLS_EOF : cut(t);
	case SSL_ERROR_SYSCALL:
		if (t->blame != NULL)
			return fail(t, t->blame);
		if (error == 0)
			return cut(t);
		return fail(t, strerror(error));
	default:
		if (ERR_GET_REASON(ERR_peek_error()) ==
		    SSL_R_UNEXPECTED_EOF_WHILE_READING)
			return cut(t);
		return fail_library(t);
	}
}

static enum tls_step
step(struct tls *t, int rc)
{
	enum tls_step s = rc > 0 ? TLS_OK : judge(t, rc);

	ERR_clear_error();
	return s;
}

enum tls_step
tls_handshake(struct tls *t)
{
	struct tls *outer = current;
	enum tls_step s;

	if (t->failed)
		return TLS_ERROR;
	if (t->abandon != NULL)
		return TLS_WAIT;
	current = t;
	ERR_clear_error();
	errno = 0;
	s = step(t, SSL_do_handshake(t->ssl));
	current = outer;
	if (s == TLS_OK) {
		t->is_done = true;
		SSL_clear_mode(t->ssl, SSL_MODE_ASYNC);
		BIO_set_callback_ex(SSL_get_rbio(t->ssl), NULL);
	}
	return s;
}

enum tls_step
tls_read(struct tls *t, char *buf, size_t cap, size_t *got)
{
	*got = 0;
	if (t->failed || !t->is_done)
		return TLS_ERROR;
	ERR_clear_error();
	errno = 0;
	return step(t, SSL_read_ex(t->ssl, buf, cap, got));
}

/* The peer has hung up; what it said before that can still be read. */
static enum tls_step
deaf(struct tls *t, int error)
{
	t->is_deaf = true;
	(void)strlcpy(t->why, strerror(error), sizeof(t->why));
	ERR_clear_error();
	return TLS_ERROR;
}

enum tls_step
tls_write(struct tls *t, struct span bytes, size_t *put)
{
	int rc;

	*put = 0;
	if (t->failed || t->is_deaf || !t->is_done)
		return TLS_ERROR;
	if (bytes.len == 0)
		return TLS_OK;
	ERR_clear_error();
	errno = 0;
	rc = SSL_write_ex(t->ssl, bytes.ptr, bytes.len, put);
	if (rc <= 0 && (errno == EPIPE || errno == ECONNRESET))
		return deaf(t, errno);
	return step(t, rc);
}

size_t
tls_pending(const struct tls *t)
{
	return (size_t)SSL_pending(t->ssl);
}

enum tls_step
tls_shutdown(struct tls *t)
{
	int rc;

	if (t->failed || t->is_deaf || !t->is_done)
		return TLS_ERROR;
	ERR_clear_error();
	errno = 0;
	rc = SSL_shutdown(t->ssl);
	return step(t, rc == 0 ? 1 : rc);	/* 0: theirs is to come */
}

/* Facts. */

bool
tls_was_cut(const struct tls *t)
{
	return t->was_cut;
}

bool
tls_is_done(const struct tls *t)
{
	return t->is_done;
}

bool
tls_has_moved(struct tls *t)
{
	OSSL_HANDSHAKE_STATE before = t->state;

	t->state = SSL_get_state(t->ssl);
	return t->state != before;
}

void
tls_facts(const struct tls *t, struct tls_facts *out)
{
	out->version = SSL_get_version(t->ssl);
	out->cipher = SSL_get_cipher_name(t->ssl);
	out->bits = SSL_get_cipher_bits(t->ssl, NULL);
	out->is_verified = !SSL_is_server(t->ssl) && t->is_done &&
	    SSL_get0_peer_certificate(t->ssl) != NULL &&
	    SSL_get_verify_result(t->ssl) == X509_V_OK;
	out->was_asked = t->was_asked;
}

const char *
tls_why(const struct tls *t)
{
	return t->why;
}

bool
tls_is_ours(const struct tls *t)
{
	return t->failed && t->is_ours;
}

/* handshake_failure is how TLS 1.2 says certificate_required. */
bool
tls_is_refused(const struct tls *t)
{
	static const int alerts[] = {
		SSL_AD_HANDSHAKE_FAILURE, SSL_AD_NO_CERTIFICATE,
		SSL_AD_BAD_CERTIFICATE, SSL_AD_UNSUPPORTED_CERTIFICATE,
		SSL_AD_CERTIFICATE_REVOKED, SSL_AD_CERTIFICATE_EXPIRED,
		SSL_AD_CERTIFICATE_UNKNOWN, SSL_AD_UNKNOWN_CA,
		SSL_AD_ACCESS_DENIED, SSL_AD_DECRYPT_ERROR,
		SSL_AD_CERTIFICATE_REQUIRED,
	};

	for (size_t i = 0; i < sizeof(alerts) / sizeof(alerts[0]); i++)
		if (t->was_asked && t->alert == alerts[i])
			return true;
	return false;
}

/* Let the fibre find out that there is nothing to wait for any more. */
static void
end_fibre(struct tls *t)
{
	BIO *nowhere = BIO_new(BIO_s_mem());
	struct tls *outer = current;

	t->wake = NULL;
	if (nowhere == NULL)
		abort();	/* it cannot be freed, nor can it go on */
	SSL_set_bio(t->ssl, nowhere, nowhere);
	if (t->abandon != NULL) {
		t->abandon(t->abandon_arg);
		t->abandon = NULL;
	}
	current = t;
	(void)SSL_do_handshake(t->ssl);
	current = outer;
	ERR_clear_error();
}

void
tls_free(struct tls **tp)
{
	struct tls *t = *tp;

	*tp = NULL;
	if (t == NULL)
		return;
	if (SSL_waiting_for_async(t->ssl))
		end_fibre(t);
	SSL_free(t->ssl);
	if (t->release != NULL)
		t->release(t->release_arg);
	free(t);
}
