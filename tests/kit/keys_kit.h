/*
 * keys_kit - keys and certificates made on the spot, the slice that names
 * them, and a vault in a process of its own behind a link.  For tests only.
 */
#ifndef TESTS_KEYS_KIT_H
#define TESTS_KEYS_KIT_H

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/wire.h"
#include "conf/slice/slice.h"
#include "vault/signer.h"

#define KIT_EDGES_MAX	4

/* A key pair, its certificate, and both as files. */
struct pair {
	EVP_PKEY	*key;
	X509		*cert;
	int		 key_fd, cert_fd;
};

static inline int
pair_file(void)
{
	int fd = memfd_create("pem", MFD_CLOEXEC);

	assert_int_not_equal(fd, -1);
	return fd;
}

static inline X509 *
pair_cert(EVP_PKEY *key)
{
	X509 *cert = X509_new();
	X509_NAME *name;

	assert_non_null(cert);
	assert_int_equal(X509_set_version(cert, 2), 1);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
	X509_gmtime_adj(X509_getm_notBefore(cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
	assert_int_equal(X509_set_pubkey(cert, key), 1);
	name = X509_get_subject_name(cert);
	X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
	    (const unsigned char *)"mx.example", -1, -1, 0);
	X509_set_issuer_name(cert, name);
	assert_true(X509_sign(cert, key, EVP_PKEY_is_a(key, "ED25519") ?
	    NULL : EVP_sha256()) > 0);
	return cert;
}

static inline BIO *
pair_rewind(int fd)
{
	BIO *file = BIO_new_fd(fd, BIO_NOCLOSE);

	assert_non_null(file);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return file;
}

/* The key anew: with a passphrase or NULL; as PKCS#8, or as it was before. */
static inline void
pair_write_key(struct pair *p, const char *passphrase, bool is_old)
{
	BIO *file = pair_rewind(p->key_fd);
	const EVP_CIPHER *c = passphrase == NULL ? NULL : EVP_aes_128_cbc();
	void *word = (void *)(uintptr_t)passphrase;

	if (is_old && !EVP_PKEY_is_a(p->key, "RSA"))
		assert_true(BIO_puts(file, "-----BEGIN EC PARAMETERS-----\n"
		    "BggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n") > 0);
	assert_int_equal(is_old ? PEM_write_bio_PrivateKey_traditional(file,
	    p->key, c, NULL, 0, NULL, word) : PEM_write_bio_PrivateKey(file,
	    p->key, c, NULL, 0, NULL, word), 1);
	BIO_free(file);
}

/* Both anew. */
static inline void
pair_write(struct pair *p)
{
	BIO *file = pair_rewind(p->cert_fd);

	assert_int_equal(PEM_write_bio_X509(file, p->cert), 1);
	BIO_free(file);
	pair_write_key(p, NULL, false);
}

/* kind: "RSA2048", "ED25519", or a curve. */
static inline struct pair
pair_make(const char *kind)
{
	struct pair p = { .key_fd = pair_file(), .cert_fd = pair_file() };

	if (strncmp(kind, "RSA", 3) == 0)
		p.key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA",
		    (size_t)strtoul(kind + 3, NULL, 10));
	else if (strcmp(kind, "ED25519") == 0)
		p.key = EVP_PKEY_Q_keygen(NULL, NULL, kind);
	else
		p.key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind);
	assert_non_null(p.key);
	p.cert = pair_cert(p.key);
	pair_write(&p);
	return p;
}

static inline void
pair_free(struct pair *p)
{
	EVP_PKEY_free(p->key);
	X509_free(p->cert);
	close(p->key_fd);
	close(p->cert_fd);
}

/* The name by which the vault knows it. */
static inline void
pair_id(const struct pair *p, uint8_t id[KEY_ID_LEN])
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(p->key, &der);

	assert_true(len > 0);
	assert_int_equal(EVP_Digest(der, (size_t)len, id, NULL, EVP_sha256(),
	    NULL), 1);
	OPENSSL_free(der);
}

/*
 * A slice of role KEYS: block i has the files 2i (key) and 2i + 1 (cert).  It
 * is an edge, or a relay.
 */
struct kit_edges {
	const char	*names[KIT_EDGES_MAX];
	bool		 is_relay[KIT_EDGES_MAX];
	struct pair	*pairs[KIT_EDGES_MAX];
	unsigned	 cnt;
	uint8_t		 bytes[4096];
	size_t		 len;
};

static inline size_t
kit_begin(struct wire_out *w)
{
	size_t at = w->len;

	wire_u32(w, 0);
	return at;
}

static inline void
kit_end(struct wire_out *w, size_t at)
{
	struct wire_out patch = { w->buf, at, w->cap, false };

	wire_u32(&patch, (uint32_t)(w->len - at - 4));
}

static inline void
kit_option(struct wire_out *w, const char *name, uint64_t number,
    const char *words)
{
	wire_str(w, span_of(name), SLICE_NAME_MAX);
	wire_u32(w, 1);
	wire_u64(w, number);
	wire_str(w, span_of(words), SLICE_TEXT_MAX);
}

static inline void
kit_edge(struct wire_out *w, const char *word, const char *name, unsigned no)
{
	size_t edge, tls;

	wire_str(w, span_of(word), SLICE_NAME_MAX);
	edge = kit_begin(w);
	wire_u16(w, 1);
	kit_option(w, "name", 0, name);
	wire_u16(w, 1);
	wire_str(w, SPAN("tls"), SLICE_NAME_MAX);
	tls = kit_begin(w);
	wire_u16(w, 2);
	kit_option(w, "keyfile", no * 2, "/key.pem");
	kit_option(w, "certfile", no * 2 + 1, "/cert.pem");
	wire_u16(w, 0);
	kit_end(w, tls);
	kit_end(w, edge);
}

static inline struct span
kit_slice(struct kit_edges *k)
{
	struct wire_out w = { k->bytes, 0, sizeof(k->bytes), false };
	size_t at;

	wire_u32(&w, SLICE_MAGIC);
	at = kit_begin(&w);
	wire_u16(&w, 0);
	wire_u16(&w, (uint16_t)k->cnt);
	for (unsigned i = 0; i < k->cnt; i++)
		kit_edge(&w, k->is_relay[i] ? "relay" : "edge", k->names[i],
		    i);
	kit_end(&w, at);
	at = kit_begin(&w);
	wire_u16(&w, 0);
	wire_u16(&w, 0);
	kit_end(&w, at);
	assert_false(w.bad);
	return (struct span){ (const char *)w.buf, w.len };
}

static inline int
kit_file(unsigned index, void *arg)
{
	struct kit_edges *k = arg;

	if (index / 2 >= k->cnt)
		return -1;
	return index % 2 == 0 ? k->pairs[index / 2]->key_fd :
	    k->pairs[index / 2]->cert_fd;
}

static inline struct keyring *
kit_ring(struct kit_edges *k)
{
	struct keyring *r;

	assert_int_equal(keyring_open(&r, kit_slice(k), kit_file, k), OK);
	return r;
}

static inline void
kit_pair(int ends[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, ends), 0);
}

/* The vault, in a child: so that a caller that blocks is answered too. */

static inline void
kit_vault_lost(const struct link_peer *p, enum err why, void *arg)
{
	ev_stop(arg);
}

static inline void
kit_vault_run(struct keyring *ring, enum role role, const char *block, int fd)
{
	struct link_peer peer = { .role = role, .no = 7 };
	struct ev_loop *loop;
	struct signer *n;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)snprintf(peer.block, sizeof(peer.block), "%s", block);
	if (ev_open(&loop) != OK || signer_open(&n, loop, ring,
	    kit_vault_lost, loop) != OK || signer_add(n, fd, &peer) != OK ||
	    ev_run(loop) != OK)
		_exit(1);
	_exit(0);
}

/* Our end of the link is *fd; we come as the first block. */
static inline pid_t
kit_vault(struct kit_edges *k, int *fd)
{
	enum role role = k->is_relay[0] ? ROLE_RELAY : ROLE_EDGE;
	struct keyring *ring = kit_ring(k);
	int ends[2];
	pid_t pid;

	kit_pair(ends);
	if ((pid = fork()) == 0) {
		close(ends[0]);
		kit_vault_run(ring, role, k->names[0], ends[1]);
	}
	keyring_release(&ring);
	assert_true(pid > 0);
	close(ends[1]);
	*fd = ends[0];
	return pid;
}

static inline void
kit_vault_end(pid_t *pid)
{
	if (*pid <= 0)
		return;
	(void)kill(*pid, SIGKILL);
	assert_int_equal(waitpid(*pid, NULL, 0), *pid);
	*pid = 0;
}

#endif
