/*
 * edge_tls - TLS for the edge's tests: a vault of one key, in a process of its
 * own (an edge under sanitizers waits for it and turns no loop), and a client
 * that talks to the edge of edge_kit.h.
 */
#ifndef TESTS_EDGE_TLS_H
#define TESTS_EDGE_TLS_H

#include <sys/mman.h>
#include <sys/wait.h>

#include <signal.h>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

#include "ask/keys.h"
#include "edge_kit.h"

struct tls_kit {
	EVP_PKEY	*key;
	SSL_CTX		*client;
	SSL		*ssl;		/* NULL in the clear	*/
	bool		 is_closed;	/* close_notify came	*/
	pid_t		 vault;
	int		 cert_fd;
};

static struct tls_kit tls_kit;

/* A certificate for the key, signed by itself, in a file without a name. */
static inline int
tls_kit_certificate(EVP_PKEY *key)
{
	X509 *x = X509_new();
	X509_NAME *name = X509_get_subject_name(x);
	int fd = memfd_create("certificate", MFD_CLOEXEC);
	FILE *f = fdopen(dup(fd), "w");

	assert_non_null(f);
	ASN1_INTEGER_set(X509_get_serialNumber(x), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 3600);
	X509_set_pubkey(x, key);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)"mx.test.example", -1, -1, 0);
	X509_set_issuer_name(x, name);
	assert_true(X509_sign(x, key, EVP_sha256()) > 0);
	assert_int_equal(PEM_write_X509(f, x), 1);
	fclose(f);
	X509_free(x);
	return fd;
}

static inline enum err
tls_kit_sign(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	unsigned char signature[KEYS_SIGNATURE_MAX];
	size_t len = sizeof(signature);
	EVP_MD_CTX *c = EVP_MD_CTX_new();

	if (type != MSG_sign_ask || c == NULL || m->sign_ask.scheme != 0x0403 ||
	    EVP_DigestSignInit(c, NULL, EVP_sha256(), NULL, tls_kit.key) != 1 ||
	    EVP_DigestSign(c, signature, &len, (const void *)
	    piece.ptr, piece.len) != 1)
		_exit(1);
	EVP_MD_CTX_free(c);
	return link_send_sign_answer(l, &(struct msg_sign_answer){
	    .request = m->sign_ask.request, .status = SIGN_DONE,
	    .signature = { (const char *)signature, len } });
}

static inline void
tls_kit_gone(struct link *l, enum err why, void *arg)
{
	_exit(0);
}

static inline void
tls_kit_vault(int fd)
{
	struct link_peer edge = { .role = ROLE_EDGE, .block = "in" };
	struct ev_loop *loop;
	struct link *l;

	if (ev_open(&loop) != OK || link_open(&l, loop, fd, ROLE_KEYS, &edge,
	    tls_kit_sign, tls_kit_gone, NULL) != OK)
		_exit(1);
	(void)!ev_run(loop);
	_exit(1);
}

/* The vault lives from here on, and signs for the edge. */
static inline void
tls_kit_link(void)
{
	struct link_peer vault = { .role = ROLE_KEYS, .block = "keys" };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, pair), 0);
	if ((tls_kit.vault = fork()) == 0) {
		close(pair[0]);
		tls_kit_vault(pair[1]);
	}
	assert_true(tls_kit.vault > 0);
	close(pair[1]);
	assert_int_equal(keys_set_link(kit.edge->keys, pair[0], ROLE_EDGE,
	    &vault), OK);
	kit_turn(KIT_TURNS);
}

static inline void
tls_kit_kill(void)
{
	if (tls_kit.vault <= 0)
		return;
	kill(tls_kit.vault, SIGKILL);
	waitpid(tls_kit.vault, NULL, 0);
	tls_kit.vault = 0;
}

static inline int
tls_kit_setup(void **state)
{
	memset(&tls_kit, 0, sizeof(tls_kit));
	signal(SIGPIPE, SIG_IGN);
	kit_start();
	assert_non_null(tls_kit.key = EVP_EC_gen("P-256"));
	tls_kit.cert_fd = tls_kit_certificate(tls_kit.key);
	assert_non_null(tls_kit.client = SSL_CTX_new(TLS_client_method()));
	kit.edge->set.has_tls = true;
	assert_int_equal(edge_ask_vault(kit.edge, tls_kit.cert_fd), OK);
	tls_kit_link();
	return 0;
}

static inline void
tls_kit_hang_up(void)
{
	SSL_free(tls_kit.ssl);
	tls_kit.ssl = NULL;
	tls_kit.is_closed = false;
	kit_hang_up();
}

static inline int
tls_kit_teardown(void **state)
{
	tls_kit_hang_up();
	kit_stop();
	tls_kit_kill();
	SSL_CTX_free(tls_kit.client);
	EVP_PKEY_free(tls_kit.key);
	close(tls_kit.cert_fd);
	return 0;
}

/* The client's handshake on the connection there is. */
static inline bool
tls_kit_shake(void)
{
	assert_non_null(tls_kit.ssl = SSL_new(tls_kit.client));
	SSL_set_fd(tls_kit.ssl, kit.fd);
	for (int i = 0; i < 5000; i++) {
		if (SSL_connect(tls_kit.ssl) == 1)
			return true;
		if (SSL_get_error(tls_kit.ssl, -1) != SSL_ERROR_WANT_READ)
			break;
		kit_turn(2);
		usleep(1000);
	}
	ERR_clear_error();
	return false;
}

/* What came since we asked last, until it has been quiet for a while. */
static inline const char *
tls_kit_hear(void)
{
	static char said[1 << 20];
	size_t len = 0;
	int n;

	for (int quiet = 0; quiet < 3; quiet++) {
		kit_turn(KIT_TURNS);
		while ((n = SSL_read(tls_kit.ssl, said + len,
		    (int)(sizeof(said) - 1 - len))) > 0) {
			len += (size_t)n;
			quiet = 0;
		}
		if (SSL_get_error(tls_kit.ssl, n) == SSL_ERROR_ZERO_RETURN)
			tls_kit.is_closed = true;
		ERR_clear_error();
	}
	said[len] = '\0';
	return said;
}

static inline void
tls_kit_give(const char *bytes, size_t len)
{
	int n;

	for (int tries = 0; len > 0 && tries < 1000; tries++) {
		n = SSL_write(tls_kit.ssl, bytes, len > 16000 ? 16000 :
		    (int)len);
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
			tries = 0;
		} else
			kit_turn(2);
	}
	assert_int_equal(len, 0);
}

static inline void
tls_kit_say(const char *text)
{
	tls_kit_give(text, strlen(text));
}

static inline void
tls_kit_want(const char *said, const char *answer)
{
	tls_kit_say(said);
	assert_string_equal(tls_kit_hear(), answer);
}

/* EHLO, STARTTLS, the handshake; and then EHLO again if that is wanted. */
static inline void
tls_kit_ready(bool says_ehlo)
{
	tls_kit_hang_up();
	kit_ready();
	kit_want("STARTTLS\r\n", "220 2.0.0 Ready to start TLS\r\n");
	assert_true(tls_kit_shake());
	if (!says_ehlo)
		return;
	tls_kit_say("EHLO client.example\r\n");
	assert_non_null(strstr(tls_kit_hear(), "250 SIZE"));
}

#endif
