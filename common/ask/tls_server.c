/*
 * tls_server.c - a context of OpenSSL's with a certificate whose key is the
 * provider's.
 *
 * Sessions count, so that a new certificate can take the place of this one
 * while handshakes are under way: the last to go takes the library context
 * with it.
 */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "ask/provider.h"
#include "ask/signer.h"
#include "ask/tls_inside.h"
#include "ask/tls_server.h"
#include "base/log.h"

#define FILE_MAX	(128u << 10) /* bytes			*/
#define CHAIN_MAX	10	/* certificates in a file		*/
#define RSA_BITS_MIN	2048	/* RFC 9325 4.5				*/
#define RSA_BITS_MAX	8192	/* KEYS_SIGNATURE_MAX			*/

/* What the vault signs, see vault/purpose.h. */
#define SIGNATURES	"ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:"    \
			"rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:"	    \
			"rsa_pss_rsae_sha512:RSA+SHA256:RSA+SHA384:"	    \
			"RSA+SHA512:ECDSA+SHA512"

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

/* The certificate. */

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
next_cert(struct tls_server *s, BIO *file, X509 **out)
{
	X509 *cert = X509_new_ex(provider_context(s->provider),
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
use_cert(struct tls_server *s, X509 *cert)
{
	EVP_PKEY *key;
	enum err e = ERR_SYS;

	if (!is_key_fit(cert)) {
		log_why(LOG_trouble, "a certificate's key must be RSA of "
		    "2048 to 8192 bits, or ECDSA on P-256 or P-384", 0);
		return ERR_PEER;
	}
	if ((key = provider_key(s->provider, cert)) == NULL)
		return ERR_SYS;
	if (SSL_CTX_use_certificate(s->context, cert) == 1 &&
	    SSL_CTX_use_PrivateKey(s->context, key) == 1 &&
	    SSL_CTX_check_private_key(s->context) == 1)
		e = OK;
	EVP_PKEY_free(key);
	return e;
}

static enum err
use_chain(struct tls_server *s, BIO *file)
{
	X509 *cert;
	enum err e;

	if ((e = next_cert(s, file, &cert)) != OK)
		return e == ERR_NONE ? ERR_PEER : e;
	e = use_cert(s, cert);
	X509_free(cert);
	for (unsigned cnt = 1; e == OK; cnt++) {
		if ((e = next_cert(s, file, &cert)) != OK)
			break;
		if (cnt < CHAIN_MAX &&
		    SSL_CTX_add0_chain_cert(s->context, cert) == 1)
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

static enum err
read_chain(struct tls_server *s, int fd)
{
	char *bytes;
	size_t len;
	BIO *file;
	enum err e = read_whole(fd, &bytes, &len);

	if (e != OK)
		return e;
	file = BIO_new_mem_buf(bytes, (int)len);
	e = file == NULL ? ERR_SYS : use_chain(s, file);
	BIO_free(file);
	free(bytes);
	return e;
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
	    SSL_CTX_set1_sigalgs_list(s->context, SIGNATURES) != 1)
		return ERR_SYS;
	SSL_CTX_set_alpn_select_cb(s->context, choose_protocol, NULL);
	return signer_start(s->context);
}

static void
complain(enum err e)
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
		e = read_chain(s, cert_fd);
	if (e != OK) {
		complain(e);
		ERR_clear_error();
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
