/*
 * Keys against certificates, as `postern -n' compares them: with real ones,
 * made here.
 *
 * room: master
 */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "master/check_keys.h"

static char	 dir[] = "/tmp/postern-keys-XXXXXX";

static const char *
in_dir(const char *name)
{
	static char paths[4][64];
	static unsigned next;
	char *path = paths[next++ % 4];

	(void)snprintf(path, 64, "%s/%s", dir, name);
	return path;
}

static FILE *
create(const char *name)
{
	FILE *f = fopen(in_dir(name), "w");

	assert_non_null(f);
	return f;
}

/*
 * NAME.key and NAME.crt, which belong together.  use: what it is for, as
 * extendedKeyUsage says it, or NULL.
 */
static void
make_pair_for(const char *name, EVP_PKEY *key, const EVP_MD *digest,
    const char *use)
{
	X509 *cert = X509_new();
	char file[32];
	FILE *f;

	assert_non_null(key);
	assert_non_null(cert);
	assert_int_equal(X509_set_pubkey(cert, key), 1);
	assert_non_null(X509_gmtime_adj(X509_getm_notBefore(cert), 0));
	assert_non_null(X509_gmtime_adj(X509_getm_notAfter(cert), 3600));
	if (use != NULL) {
		X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL,
		    NID_ext_key_usage, use);

		assert_non_null(e);
		assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
		assert_int_equal(X509_add_ext(cert, e, -1), 1);
		X509_EXTENSION_free(e);
	}
	assert_true(X509_sign(cert, key, digest) > 0);
	(void)snprintf(file, sizeof(file), "%s.crt", name);
	f = create(file);
	assert_int_equal(PEM_write_X509(f, cert), 1);
	assert_int_equal(fclose(f), 0);
	(void)snprintf(file, sizeof(file), "%s.key", name);
	f = create(file);
	assert_int_equal(PEM_write_PrivateKey(f, key, NULL, NULL, 0, NULL,
	    NULL), 1);
	assert_int_equal(fclose(f), 0);
	X509_free(cert);
	EVP_PKEY_free(key);
}

static void
make_pair(const char *name, EVP_PKEY *key, const EVP_MD *digest)
{
	make_pair_for(name, key, digest, NULL);
}

static int
make_all(void **state)
{
	EVP_PKEY *key;
	FILE *f;

	if (mkdtemp(dir) == NULL || !check_keys_start())
		return -1;
	make_pair("rsa", EVP_RSA_gen(2048), EVP_sha256());
	make_pair("other", EVP_RSA_gen(2048), EVP_sha256());
	make_pair("weak", EVP_RSA_gen(1024), EVP_sha256());
	make_pair("ec", EVP_EC_gen("P-256"), EVP_sha256());
	make_pair("ec384", EVP_EC_gen("P-384"), EVP_sha256());
	make_pair("ec521", EVP_EC_gen("P-521"), EVP_sha256());
	make_pair("koblitz", EVP_EC_gen("secp256k1"), EVP_sha256());
	make_pair("ed", EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), NULL);
	make_pair_for("server", EVP_EC_gen("P-256"), EVP_sha256(),
	    "serverAuth");
	make_pair_for("client", EVP_EC_gen("P-256"), EVP_sha256(),
	    "clientAuth");
	make_pair_for("both", EVP_EC_gen("P-256"), EVP_sha256(),
	    "serverAuth,clientAuth");
	key = EVP_EC_gen("P-256");
	f = create("locked.key");
	if (PEM_write_PrivateKey(f, key, EVP_aes_128_cbc(),
	    (const unsigned char *)"word", 4, NULL, NULL) != 1)
		return -1;
	EVP_PKEY_free(key);
	if (fclose(f) != 0)
		return -1;
	f = create("junk");
	fputs("nothing to see\n", f);
	return fclose(f) + fclose(create("empty"));
}

static int
remove_all(void **state)
{
	static const char *const names[] = { "rsa.key", "rsa.crt",
	    "other.key", "other.crt", "weak.key", "weak.crt", "ec.key",
	    "ec.crt", "ec384.key", "ec384.crt", "koblitz.key", "koblitz.crt",
	    "server.key", "server.crt", "client.key", "client.crt",
	    "both.key", "both.crt", "ec521.key", "ec521.crt", "ed.key",
	    "ed.crt", "locked.key", "junk", "empty", "chain.crt" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		(void)unlink(in_dir(names[i]));
	return rmdir(dir);
}

static enum conf_pair
pair(const char *cert, const char *key)
{
	return check_keys_pair(NULL, in_dir(cert), in_dir(key));
}

static void
what_was_made_together_fits(void **state)
{
	assert_int_equal(pair("rsa.crt", "rsa.key"), PAIR_FITS);
	assert_int_equal(pair("ec.crt", "ec.key"), PAIR_FITS);
	assert_int_equal(pair("ec384.crt", "ec384.key"), PAIR_FITS);
}

static void
another_key_differs(void **state)
{
	assert_int_equal(pair("rsa.crt", "other.key"), PAIR_DIFFERS);
	assert_int_equal(pair("rsa.crt", "ec.key"), PAIR_DIFFERS);
	assert_int_equal(pair("ec.crt", "ec384.key"), PAIR_DIFFERS);
}

/* The first certificate is the server's own: RFC 8446 4.4.2. */
static void
the_first_of_a_chain_counts(void **state)
{
	FILE *out = create("chain.crt"), *in;
	const char *const parts[] = { "ec.crt", "rsa.crt" };
	int c;

	for (unsigned i = 0; i < 2; i++) {
		in = fopen(in_dir(parts[i]), "r");
		assert_non_null(in);
		while ((c = getc(in)) != EOF)
			putc(c, out);
		assert_int_equal(fclose(in), 0);
	}
	assert_int_equal(fclose(out), 0);
	assert_int_equal(pair("chain.crt", "ec.key"), PAIR_FITS);
	assert_int_equal(pair("chain.crt", "rsa.key"), PAIR_DIFFERS);
}

static void
what_is_no_key_or_certificate_is_told_so(void **state)
{
	assert_int_equal(pair("rsa.key", "rsa.key"), PAIR_NO_CERT);
	assert_int_equal(pair("junk", "rsa.key"), PAIR_NO_CERT);
	assert_int_equal(pair("empty", "rsa.key"), PAIR_NO_CERT);
	assert_int_equal(pair("rsa.crt", "rsa.crt"), PAIR_NO_KEY);
	assert_int_equal(pair("rsa.crt", "junk"), PAIR_NO_KEY);
	assert_int_equal(pair("rsa.crt", "empty"), PAIR_NO_KEY);
	assert_int_equal(pair("rsa.crt", "gone"), PAIR_UNKNOWN);
	assert_int_equal(pair("ec.crt", "locked.key"), PAIR_LOCKED);
}

static void
keys_that_are_not_served_are_strange(void **state)
{
	assert_int_equal(pair("ed.crt", "ed.key"), PAIR_STRANGE);
	assert_int_equal(pair("weak.crt", "weak.key"), PAIR_STRANGE);
	assert_int_equal(pair("koblitz.crt", "koblitz.key"), PAIR_STRANGE);
	assert_int_equal(pair("ec521.crt", "ec521.key"), PAIR_STRANGE);
}

static void
a_certificate_is_for_whom_it_says(void **state)
{
	static const struct {
		const char	*file;
		bool		 client, server;
	} rows[] = {
		{ "server.crt", false, true }, { "client.crt", true, false },
		{ "both.crt", true, true }, { "ec.crt", true, true },
		{ "junk", true, true }, { "gone", true, true },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		assert_int_equal(check_keys_suits(NULL, in_dir(rows[i].file),
		    true), rows[i].client);
		assert_int_equal(check_keys_suits(NULL, in_dir(rows[i].file),
		    false), rows[i].server);
	}
}

/* It was made for an hour, and names nobody. */
static void
how_long_and_for_whom_it_is_is_read(void **state)
{
	int64_t left_s = check_keys_left(NULL, in_dir("server.crt"));

	assert_in_range(left_s, 1, 3600);
	assert_true(check_keys_left(NULL, in_dir("junk")) == INT64_MAX);
	assert_false(check_keys_names(NULL, in_dir("server.crt"),
	    "mx.example.org"));
	assert_true(check_keys_names(NULL, in_dir("gone"), "mx.example.org"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_made_together_fits),
		cmocka_unit_test(another_key_differs),
		cmocka_unit_test(the_first_of_a_chain_counts),
		cmocka_unit_test(what_is_no_key_or_certificate_is_told_so),
		cmocka_unit_test(keys_that_are_not_served_are_strange),
		cmocka_unit_test(a_certificate_is_for_whom_it_says),
		cmocka_unit_test(how_long_and_for_whom_it_is_is_read),
	};

	return cmocka_run_group_tests(tests, make_all, remove_all);
}
