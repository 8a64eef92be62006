/*
 * key.c - OpenSSL's private keys, from file to signature.
 *
 * The PEM text goes from the kernel straight into the secure heap.  What
 * OpenSSL puts into ordinary memory on the way is wiped when it is freed,
 * because all that OpenSSL frees is.
 *
 * Files are read by position: their own is shared with others who read them.
 */
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vault/key.h"

#define HEAP_LEN	(1u << 20)	/* bytes: some hundred keys	*/
#define HEAP_GRAIN	32		/* bytes, its smallest piece	*/
#define FILE_MAX	(64u << 10)	/* bytes			*/
#define RSA_BITS_MIN	2048		/* RFC 9325 4.5			*/
#define RSA_BITS_MAX	8192

struct key {
	EVP_PKEY	*pair;
	enum key_kind	 kind;
	uint8_t		 id[KEY_ID_LEN];
};

static const char *why = "";

/* Memory. */

static void *
take_memory(size_t len, const char *file, int line)
{
	return malloc(len);
}

static void
give_memory(void *at, const char *file, int line)
{
	if (at != NULL)
		explicit_bzero(at, malloc_usable_size(at));
	free(at);
}

static void *
change_memory(void *at, size_t len, const char *file, int line)
{
	size_t had = at == NULL ? 0 : malloc_usable_size(at);
	void *new;

	if (len == 0) {
		give_memory(at, file, line);
		return NULL;
	}
	if ((new = malloc(len)) == NULL)
		return NULL;
	if (had > 0)
		memcpy(new, at, had < len ? had : len);
	give_memory(at, file, line);
	return new;
}

bool
key_memory(void)
{
	/* Refused once OpenSSL has memory: then it is not ours to wipe. */
	(void)CRYPTO_set_mem_functions(take_memory, change_memory,
	    give_memory);
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
	if (CRYPTO_secure_malloc_initialized())
		return true;
	return CRYPTO_secure_malloc_init(HEAP_LEN, HEAP_GRAIN) == 1;
}

/* Reading. */

static enum err
refuse(const char *words)
{
	why = words;
	ERR_clear_error();
	return ERR_PEER;
}

const char *
key_why(void)
{
	return why;
}

static int
no_passphrase(char *buf, int cap, int writing, void *wanted)
{
	*(bool *)wanted = true;
	return -1;
}

/* All of a file; wipe it with close_file(). */
static BIO *
open_file(int fd, char **bytes)
{
	char *at = OPENSSL_secure_malloc(FILE_MAX);
	ssize_t got = 1;
	size_t len = 0;

	*bytes = at;
	while (at != NULL && got > 0 && len < FILE_MAX) {
		got = pread(fd, at + len, FILE_MAX - len, (off_t)len);
		if (got > 0)
			len += (size_t)got;
	}
	return at == NULL || got != 0 ? NULL :
	    BIO_new_mem_buf(at, (int)len);
}

static void
close_file(BIO *file, char *bytes)
{
	BIO_free(file);
	OPENSSL_secure_clear_free(bytes, FILE_MAX);
}

static enum err
read_pair(EVP_PKEY **out, int fd)
{
	char *bytes, *name = NULL;
	BIO *file = open_file(fd, &bytes);
	unsigned char *der = NULL;
	const unsigned char *pos;
	long len = 0;
	bool is_wanted = false;
	enum err e = OK;

	if (file == NULL)
		e = refuse("the key file cannot be read");
	else if (PEM_bytes_read_bio_secmem(&der, &len, &name,
	    "ANY PRIVATE KEY", file, no_passphrase, &is_wanted) != 1)
		e = refuse(is_wanted ? "the key has a passphrase, and nobody "
		    "to give it" : "the file holds no private key (PEM)");
	else if (strcmp(name, "ENCRYPTED PRIVATE KEY") == 0)
		e = refuse("the key has a passphrase, and nobody to give it");
	pos = der;
	if (e == OK && (*out = d2i_AutoPrivateKey(NULL, &pos, len)) == NULL)
		e = refuse("the private key is damaged, or of a kind that "
		    "is not used here");
	OPENSSL_secure_clear_free(der, (size_t)len);
	OPENSSL_secure_free(name);
	close_file(file, bytes);
	return e;
}

static enum err
read_cert(X509 **out, int fd)
{
	char *bytes;
	BIO *file = open_file(fd, &bytes);

	*out = file == NULL ? NULL : PEM_read_bio_X509(file, NULL, NULL, NULL);
	close_file(file, bytes);
	return *out != NULL ? OK :
	    refuse("the file holds no certificate (PEM)");
}

/* Judging. */

static enum err
judge_kind(struct key *k)
{
	int bits = EVP_PKEY_get_bits(k->pair), nid = NID_undef;
	char group[32];
	size_t len;

	if (EVP_PKEY_is_a(k->pair, "RSA")) {
		k->kind = KEY_RSA;
		return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX ? OK :
		    refuse("an RSA key must have 2048 to 8192 bits");
	}
	if (EVP_PKEY_is_a(k->pair, "EC") && EVP_PKEY_get_group_name(k->pair,
	    group, sizeof(group), &len) == 1)
		nid = OBJ_sn2nid(group);
	if (nid != NID_X9_62_prime256v1 && nid != NID_secp384r1)
		return refuse("a key must be RSA, or ECDSA on P-256 or "
		    "P-384");
	k->kind = nid == NID_secp384r1 ? KEY_P384 : KEY_P256;
	return OK;
}

static enum err
name_key(struct key *k)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(k->pair, &der), ok = 0;
	unsigned got = 0;

	if (len > 0)
		ok = EVP_Digest(der, (size_t)len, k->id, &got, EVP_sha256(),
		    NULL);
	OPENSSL_free(der);
	return ok == 1 && got == KEY_ID_LEN ? OK :
	    refuse("the key's public half cannot be read");
}

static bool
set_padding(EVP_PKEY_CTX *c, const struct scheme *s)
{
	if (!s->is_rsa)
		return true;
	if (!s->is_pss)
		return EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PADDING) > 0;
	return EVP_PKEY_CTX_set_rsa_padding(c, RSA_PKCS1_PSS_PADDING) > 0 &&
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(c, RSA_PSS_SALTLEN_DIGEST) > 0;
}

/* A damaged RSA key gives itself away with a wrong signature: try it here. */
static enum err
try_key(const struct key *k, X509 *cert)
{
	const struct scheme *s = scheme_find(k->kind == KEY_RSA ? 0x0804 :
	    k->kind == KEY_P256 ? 0x0403 : 0x0503);
	struct span text = SPAN("does this key fit its certificate?");
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t signature[KEY_SIGNATURE_MAX];
	EVP_PKEY_CTX *c;
	size_t len;
	bool fits;

	fits = md != NULL && key_sign(k, s, text, signature, &len) == OK &&
	    EVP_DigestVerifyInit_ex(md, &c, s->digest, NULL, NULL,
	    X509_get0_pubkey(cert), NULL) == 1 && set_padding(c, s) &&
	    EVP_DigestVerify(md, signature, len,
	    (const unsigned char *)text.ptr, text.len) == 1;
	EVP_MD_CTX_free(md);
	return fits ? OK : refuse("the key signs wrongly: it is damaged");
}

static enum err
check(struct key *k, int cert_fd)
{
	X509 *cert;
	enum err e;

	if ((e = judge_kind(k)) != OK || (e = name_key(k)) != OK ||
	    (e = read_cert(&cert, cert_fd)) != OK)
		return e;
	if (X509_check_private_key(cert, k->pair) != 1)
		e = refuse("the key does not belong to its certificate");
	else
		e = try_key(k, cert);
	X509_free(cert);
	return e;
}

enum err
key_open(struct key **out, int key_fd, int cert_fd)
{
	struct key *k = calloc(1, sizeof(*k));
	enum err e;

	if (k == NULL) {
		why = "out of memory";
		return ERR_SYS;
	}
	ERR_clear_error();
	if ((e = read_pair(&k->pair, key_fd)) == OK)
		e = check(k, cert_fd);
	if (e != OK) {
		key_free(&k);
		return e;
	}
	*out = k;
	return OK;
}

void
key_free(struct key **kp)
{
	struct key *k = *kp;

	*kp = NULL;
	if (k == NULL)
		return;
	EVP_PKEY_free(k->pair);
	free(k);
}

const uint8_t *
key_id(const struct key *k)
{
	return k->id;
}

enum key_kind
key_kind(const struct key *k)
{
	return k->kind;
}

enum err
key_sign(const struct key *k, const struct scheme *s, struct span text,
    uint8_t *out, size_t *len)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *c;
	bool done;

	*len = KEY_SIGNATURE_MAX;
	done = md != NULL && EVP_DigestSignInit_ex(md, &c, s->digest, NULL,
	    NULL, k->pair, NULL) == 1 && set_padding(c, s) &&
	    EVP_DigestSign(md, out, len, (const unsigned char *)text.ptr,
	    text.len) == 1;
	EVP_MD_CTX_free(md);
	ERR_clear_error();
	return done ? OK : ERR_SYS;
}
