/*
 * test_tls_server - handshakes whose every signature comes from the vault.
 *
 * room: vault
 */
#include <sys/ioctl.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tls_kit.h"

enum { RSA2K, P256, P384, KINDS };

static struct pair pairs[KINDS];

struct wish {
	int		 kind, version;
	const char	*groups, *signatures;
};

/* All that the two versions can do with three kinds of key and of group. */
static const struct wish wishes[] = {
	{ RSA2K, TLS1_3_VERSION, NULL, NULL },
	{ RSA2K, TLS1_3_VERSION, "X25519", "rsa_pss_rsae_sha256" },
	{ RSA2K, TLS1_3_VERSION, "P-256", "rsa_pss_rsae_sha384" },
	{ RSA2K, TLS1_3_VERSION, "P-384", "rsa_pss_rsae_sha512" },
	{ P256, TLS1_3_VERSION, NULL, NULL },
	{ P256, TLS1_3_VERSION, "X25519", "ecdsa_secp256r1_sha256" },
	{ P256, TLS1_3_VERSION, "P-384", "ECDSA+SHA256" },
	{ P384, TLS1_3_VERSION, NULL, NULL },
	{ P384, TLS1_3_VERSION, "P-256", "ecdsa_secp384r1_sha384" },
	{ RSA2K, TLS1_2_VERSION, NULL, NULL },
	{ RSA2K, TLS1_2_VERSION, "X25519", "RSA+SHA256" },
	{ RSA2K, TLS1_2_VERSION, "P-256", "RSA+SHA384" },
	{ RSA2K, TLS1_2_VERSION, "P-384", "RSA+SHA512" },
	{ RSA2K, TLS1_2_VERSION, "X25519", "rsa_pss_rsae_sha256" },
	{ RSA2K, TLS1_2_VERSION, "P-256", "rsa_pss_rsae_sha384" },
	{ RSA2K, TLS1_2_VERSION, "P-384", "rsa_pss_rsae_sha512" },
	{ P256, TLS1_2_VERSION, NULL, NULL },
	{ P256, TLS1_2_VERSION, "X25519:P-256", "ECDSA+SHA256" },
	{ P256, TLS1_2_VERSION, "P-256", "ECDSA+SHA384" },
	{ P256, TLS1_2_VERSION, "P-384:P-256", "ECDSA+SHA512" },
	{ P384, TLS1_2_VERSION, NULL, NULL },
	{ P384, TLS1_2_VERSION, "P-384", "ECDSA+SHA384" },
	{ P384, TLS1_2_VERSION, "P-384", "ECDSA+SHA512" },
};

static void
open_wish(struct call *c, struct shop *s, const struct wish *w)
{
	call_open(c, s);
	SSL_CTX_set_min_proto_version(c->context, w->version);
	SSL_CTX_set_max_proto_version(c->context, w->version);
	if (w->groups != NULL)
		assert_int_equal(SSL_CTX_set1_groups_list(c->context,
		    w->groups), 1);
	if (w->signatures != NULL)
		assert_int_equal(SSL_CTX_set1_sigalgs_list(c->context,
		    w->signatures), 1);
	call_dial(c);
}

static void
every_version_key_and_scheme_shakes_hands(void **state)
{
	struct tls_facts facts;
	struct shop shop;
	struct call c;

	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
		const struct wish *w = &wishes[i];

		shop_open(&shop, &pairs[w->kind]);
		open_wish(&c, &shop, w);
		if (!call_shake(&c))
			fail_msg("wish %zu: %s", i, tls_why(c.tls));
		tls_facts(c.tls, &facts);
		assert_string_equal(facts.version, w->version ==
		    TLS1_3_VERSION ? "TLSv1.3" : "TLSv1.2");
		assert_int_equal(facts.bits, 256);
		assert_false(facts.is_verified);
		assert_int_equal(EVP_PKEY_eq(pairs[w->kind].key,
		    X509_get0_pubkey(SSL_get0_peer_certificate(c.client))), 1);
		assert_int_equal(c.wakes, seccomp_is_on() ? 1 : 0);
		call_close(&c);
		shop_close(&shop);
	}
}

static void
the_edge_s_key_has_no_private_half(void **state)
{
	unsigned char *der = NULL;
	struct shop shop;
	struct call c;
	EVP_PKEY *key;

	for (int kind = 0; kind < KINDS; kind++) {
		BIGNUM *secret = NULL;

		shop_open(&shop, &pairs[kind]);
		call_open(&c, &shop);
		call_dial(&c);
		assert_true(call_shake(&c));
		key = SSL_get_privatekey(tls_ssl(c.tls));
		assert_non_null(key);
		assert_int_equal(EVP_PKEY_get_bn_param(key, kind == RSA2K ?
		    "d" : "priv", &secret), 0);
		assert_true(i2d_PrivateKey(key, &der) <= 0);
		call_close(&c);
		shop_close(&shop);
	}
}

/* What a client offers, with which there must be no handshake. */
static void
old_and_weak_ways_are_not_offered(void **state)
{
	static const struct {
		int		 min, max;
		const char	*ciphers, *groups;
	} cases[] = {
		{ TLS1_VERSION, TLS1_1_VERSION, NULL, NULL },
		{ TLS1_2_VERSION, TLS1_2_VERSION, "AES128-GCM-SHA256", NULL },
		{ TLS1_2_VERSION, TLS1_2_VERSION, "AES256-SHA", NULL },
		{ TLS1_2_VERSION, TLS1_2_VERSION, "DHE-RSA-AES128-GCM-SHA256",
		    NULL },
		{ TLS1_2_VERSION, TLS1_2_VERSION, "ECDHE-RSA-AES128-SHA256",
		    NULL },
		{ TLS1_2_VERSION, TLS1_2_VERSION, NULL, "P-521" },
		{ TLS1_3_VERSION, TLS1_3_VERSION, NULL, "P-521:X448" },
		{ TLS1_3_VERSION, TLS1_3_VERSION, NULL, "ffdhe2048" },
	};
	struct shop shop;
	struct call c;

	shop_open(&shop, &pairs[RSA2K]);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		call_open(&c, &shop);
		SSL_CTX_set_min_proto_version(c.context, cases[i].min);
		SSL_CTX_set_max_proto_version(c.context, cases[i].max);
		if (cases[i].ciphers != NULL)
			assert_int_equal(SSL_CTX_set_cipher_list(c.context,
			    cases[i].ciphers), 1);
		if (cases[i].groups != NULL)
			assert_int_equal(SSL_CTX_set1_groups_list(c.context,
			    cases[i].groups), 1);
		call_dial(&c);
		assert_false(call_shake(&c));
		assert_int_equal(c.step, TLS_ERROR);
		assert_string_not_equal(tls_why(c.tls), "");
		call_close(&c);
	}
	shop_close(&shop);
}

static int
count_ticket(SSL *ssl, SSL_SESSION *session)
{
	unsigned *cnt = SSL_get_app_data(ssl);

	*cnt += SSL_SESSION_has_ticket(session) != 0 ||
	    SSL_SESSION_is_resumable(session);
	return 0;
}

static void
no_session_can_be_taken_up_again(void **state)
{
	unsigned tickets = 0, id_len;
	struct shop shop;
	struct call c;
	char byte;

	shop_open(&shop, &pairs[P256]);
	for (int version = TLS1_2_VERSION; version <= TLS1_3_VERSION;
	    version++) {
		call_open(&c, &shop);
		SSL_CTX_set_max_proto_version(c.context, version);
		SSL_CTX_set_session_cache_mode(c.context, SSL_SESS_CACHE_CLIENT
		    | SSL_SESS_CACHE_NO_INTERNAL);
		SSL_CTX_sess_set_new_cb(c.context, count_ticket);
		call_dial(&c);
		SSL_set_app_data(c.client, &tickets);
		assert_true(call_shake(&c));
		assert_int_equal(SSL_read(c.client, &byte, 1), -1);
		(void)SSL_SESSION_get_id(SSL_get_session(c.client), &id_len);
		if (version == TLS1_2_VERSION)
			assert_int_equal(id_len, 0);
		call_close(&c);
	}
	assert_int_equal(tickets, 0);
	shop_close(&shop);
}

/* The name of our protocol, and others that make it so long. */
static void
offer_bytes(struct call *c, unsigned len)
{
	static unsigned char names[60000] = "\4smtp";
	unsigned at = 5;

	while (at < len) {
		unsigned char n = len - at > 100 ? 99 :
		    (unsigned char)(len - at - 1);

		names[at] = n;
		memset(names + at + 1, 'x', n);
		at += n + 1u;
	}
	assert_int_equal(SSL_set_alpn_protos(c->client, names, len), 0);
}

static void
a_client_hello_has_its_length(void **state)
{
	static const struct {
		unsigned	 len;
		int		 version;
		const char	*groups;
		bool		 is_good;
	} cases[] = {
		{ 15000, TLS1_2_VERSION, NULL, true },
		{ 15000, TLS1_3_VERSION, NULL, true },
		{ 15000, TLS1_3_VERSION, "P-521:P-384", true }, /* twice */
		{ 17000, TLS1_2_VERSION, NULL, false },
		{ 17000, TLS1_3_VERSION, NULL, false },
		{ 60000, TLS1_3_VERSION, NULL, false },
	};
	struct shop shop;
	struct call c;

	shop_open(&shop, &pairs[P256]);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		open_wish(&c, &shop, &(struct wish){ P256, cases[i].version,
		    cases[i].groups, NULL });
		offer_bytes(&c, cases[i].len);
		if (!cases[i].is_good)
			call_until_wait(&c);
		else
			assert_true(call_shake(&c));
		assert_int_equal(c.step, cases[i].is_good ? TLS_OK :
		    TLS_ERROR);
		if (!cases[i].is_good)
			assert_string_equal(tls_why(c.tls),
			    "the ClientHello is too long");
		call_close(&c);
	}
	shop_close(&shop);
}

static void
a_step_of_the_handshake_is_told_once(void **state)
{
	struct shop shop;
	struct call c;
	bool has_waited;

	shop_open(&shop, &pairs[P256]);
	call_open(&c, &shop);
	call_dial(&c);
	call_server_step(&c);
	(void)tls_has_moved(c.tls);
	assert_false(tls_has_moved(c.tls));
	call_until_wait(&c);
	assert_true(tls_has_moved(c.tls));
	has_waited = c.step == TLS_WAIT;	/* not with signer_now.c */
	call_server_step(&c);
	assert_false(tls_has_moved(c.tls));
	assert_true(call_shake(&c));
	assert_int_equal(tls_has_moved(c.tls), has_waited);
	call_close(&c);
	shop_close(&shop);
}

/* The client's call until the server has read what it sent. */
static void
a_client_cannot_negotiate_anew(void **state)
{
	struct shop shop;
	struct call c;
	char buf[16];
	size_t got;

	shop_open(&shop, &pairs[P256]);
	open_wish(&c, &shop, &(struct wish){ P256, TLS1_2_VERSION, NULL,
	    NULL });
	assert_true(call_shake(&c));
	assert_int_equal(SSL_renegotiate(c.client), 1);
	for (int i = 0; i < 5; i++) {
		(void)SSL_do_handshake(c.client);
		c.step = tls_read(c.tls, buf, sizeof(buf), &got);
	}
	assert_true(c.step == TLS_WANT_READ || c.step == TLS_ERROR);
	assert_int_equal(c.wakes, seccomp_is_on() ? 1 : 0);
	call_close(&c);
	shop_close(&shop);
}

/*
 * Whoever sends nothing but messages of TLS's own is heard a bit a turn, or he
 * alone would keep the loop.
 */
static void
a_flood_of_key_updates_holds_nobody_up(void **state)
{
	int cnt = 0, left = 0, before, most = 0;
	struct shop shop;
	struct call c;
	char buf[16];
	size_t got;

	shop_open(&shop, &pairs[P256]);
	open_wish(&c, &shop, &(struct wish){ P256, TLS1_3_VERSION, NULL,
	    NULL });
	assert_true(call_shake(&c));
	while (cnt < 1000 && SSL_key_update(c.client,
	    SSL_KEY_UPDATE_NOT_REQUESTED) == 1 &&
	    SSL_do_handshake(c.client) == 1)
		cnt++;
	assert_true(cnt > 50);
	assert_int_equal(ioctl(c.ends[0], FIONREAD, &left), 0);
	while (left > 0) {
		before = left;
		c.step = tls_read(c.tls, buf, sizeof(buf), &got);
		assert_int_equal(c.step, TLS_WANT_READ);
		assert_int_equal(ioctl(c.ends[0], FIONREAD, &left), 0);
		assert_true(left < before);
		if (before - left > most)
			most = before - left;
	}
	assert_in_range(most, 1, 1000);
	call_close(&c);
	shop_close(&shop);
}

/* Sessions. */

static void
a_megabyte_goes_both_ways(void **state)
{
	static char out[1 << 20], in[sizeof(out)];
	size_t sent = 0, back = 0, got = 0, put;
	struct shop shop;
	struct call c;
	int rc;

	for (size_t i = 0; i < sizeof(out); i++)
		out[i] = (char)(i * 31 + i / 977);
	shop_open(&shop, &pairs[P256]);
	call_open(&c, &shop);
	call_dial(&c);
	assert_true(call_shake(&c));
	while (got < sizeof(out)) {
		if (sent < sizeof(out) && (rc = SSL_write(c.client,
		    out + sent, sizeof(out) - sent > 5000 ? 5000 :
		    (int)(sizeof(out) - sent))) > 0)
			sent += (size_t)rc;
		c.step = tls_read(c.tls, in + got, sizeof(in) - got, &put);
		assert_true(c.step == TLS_OK || c.step == TLS_WANT_READ);
		got += put;
	}
	assert_memory_equal(in, out, sizeof(out));
	memset(in, 0, sizeof(in));
	for (sent = 0; back < sizeof(out);) {
		c.step = tls_write(c.tls, (struct span){ out + sent,
		    sizeof(out) - sent }, &put);
		assert_true(c.step == TLS_OK || c.step == TLS_WANT_WRITE);
		sent += put;
		if ((rc = SSL_read(c.client, in + back, 70000)) > 0)
			back += (size_t)rc;
	}
	assert_memory_equal(in, out, sizeof(out));
	call_close(&c);
	shop_close(&shop);
}

static void
what_is_pending_is_told(void **state)
{
	struct shop shop;
	struct call c;
	char buf[4];
	size_t got;

	shop_open(&shop, &pairs[P256]);
	call_open(&c, &shop);
	call_dial(&c);
	assert_true(call_shake(&c));
	assert_int_equal(SSL_write(c.client, "0123456789", 10), 10);
	assert_int_equal(tls_pending(c.tls), 0);
	assert_int_equal(tls_read(c.tls, buf, 4, &got), TLS_OK);
	assert_int_equal(got, 4);
	assert_int_equal(tls_pending(c.tls), 6);
	assert_int_equal(tls_read(c.tls, buf, 4, &got), TLS_OK);
	assert_int_equal(tls_read(c.tls, buf, 4, &got), TLS_OK);
	assert_int_equal(got, 2);
	assert_int_equal(tls_read(c.tls, buf, 4, &got), TLS_WANT_READ);
	call_close(&c);
	shop_close(&shop);
}

static void
an_end_without_goodbye_is_an_end_that_was_cut(void **state)
{
	struct shop shop;
	struct call c;
	char buf[16];
	size_t got;

	shop_open(&shop, &pairs[P256]);
	for (int says_goodbye = 0; says_goodbye < 2; says_goodbye++) {
		call_open(&c, &shop);
		call_dial(&c);
		assert_true(call_shake(&c));
		if (says_goodbye)
			assert_int_equal(SSL_shutdown(c.client), 0);
		call_hang_up(&c);
		assert_int_equal(tls_read(c.tls, buf, sizeof(buf), &got),
		    TLS_EOF);
		assert_int_equal(tls_was_cut(c.tls), !says_goodbye);
		call_close(&c);
	}
	call_open(&c, &shop);
	call_dial(&c);
	assert_true(call_shake(&c));
	assert_int_equal(tls_shutdown(c.tls), TLS_OK);
	assert_int_equal(SSL_read(c.client, buf, sizeof(buf)), 0);
	assert_int_equal(SSL_get_shutdown(c.client), SSL_RECEIVED_SHUTDOWN);
	call_close(&c);
	shop_close(&shop);
}

static void
what_was_said_before_the_end_is_read_when_writing_fails(void **state)
{
	struct shop shop;
	struct call c;
	char buf[16];
	size_t n;

	shop_open(&shop, &pairs[P256]);
	call_open(&c, &shop);
	call_dial(&c);
	assert_true(call_shake(&c));
	assert_int_equal(SSL_write(c.client, "0123456789", 10), 10);
	call_hang_up(&c);
	for (int i = 0; i < 2; i++)
		assert_int_equal(tls_write(c.tls, SPAN("x"), &n), TLS_ERROR);
	assert_int_equal(tls_shutdown(c.tls), TLS_ERROR);
	assert_int_equal(tls_read(c.tls, buf, sizeof(buf), &n), TLS_OK);
	assert_int_equal(n, 10);
	assert_int_equal(tls_read(c.tls, buf, sizeof(buf), &n), TLS_EOF);
	call_close(&c);
	shop_close(&shop);
}

static void
a_client_that_speaks_no_tls_fails_with_words(void **state)
{
	static const char line[] = "EHLO plain.example\r\n";
	struct shop shop;
	struct call c;

	shop_open(&shop, &pairs[P256]);
	call_open(&c, &shop);
	assert_int_equal(write(c.ends[1], line, sizeof(line) - 1),
	    (ssize_t)sizeof(line) - 1);
	assert_int_equal(tls_handshake(c.tls), TLS_ERROR);
	assert_string_not_equal(tls_why(c.tls), "");
	assert_int_equal(tls_handshake(c.tls), TLS_ERROR);
	call_close(&c);
	call_open(&c, &shop);
	call_hang_up(&c);
	assert_int_equal(tls_handshake(c.tls), TLS_ERROR);
	assert_string_equal(tls_why(c.tls),
	    "the peer hung up in the handshake");
	call_close(&c);
	shop_close(&shop);
}

/* Certificates. */

static void
a_new_certificate_leaves_sessions_under_way_alone(void **state)
{
	struct call before, under, after;
	struct tls_server *old;
	struct shop shop;
	char buf[4];
	size_t got;

	shop_open(&shop, &pairs[RSA2K]);
	shop.edges.names[1] = "in";
	shop.edges.pairs[1] = &pairs[P256];
	shop.edges.cnt = 2;
	kit_vault_end(&shop.vault);
	shop_link(&shop);
	call_open(&before, &shop);
	call_dial(&before);
	assert_true(call_shake(&before));
	call_open(&under, &shop);
	call_dial(&under);
	call_until_wait(&under);
	old = shop.server;
	assert_int_equal(tls_server_open(&shop.server, shop.keys,
	    pairs[P256].cert_fd), OK);
	tls_server_free(&old);
	assert_true(call_shake(&under));
	call_open(&after, &shop);
	call_dial(&after);
	assert_true(call_shake(&after));
	assert_true(EVP_PKEY_is_a(X509_get0_pubkey(
	    SSL_get0_peer_certificate(under.client)), "RSA"));
	assert_true(EVP_PKEY_is_a(X509_get0_pubkey(
	    SSL_get0_peer_certificate(after.client)), "EC"));
	assert_int_equal(SSL_write(before.client, "hi", 2), 2);
	assert_int_equal(tls_read(before.tls, buf, 4, &got), TLS_OK);
	call_close(&before);
	call_close(&under);
	call_close(&after);
	shop_close(&shop);
}

static void
files_that_are_no_certificate_of_ours_are_refused(void **state)
{
	static const char *const kinds[] = { "RSA1024", "P-521", "ED25519" };
	struct tls_server *server = NULL;
	struct shop shop;
	struct pair p;

	shop_open(&shop, &pairs[P256]);
	for (size_t i = 0; i < 3; i++) {
		p = pair_make(kinds[i]);
		assert_int_equal(tls_server_open(&server, shop.keys,
		    p.cert_fd), ERR_PEER);
		pair_free(&p);
	}
	p = pair_make("P-256");
	assert_int_equal(tls_server_open(&server, shop.keys, p.key_fd),
	    ERR_PEER);
	assert_int_equal(ftruncate(p.cert_fd, 100), 0);
	assert_int_equal(tls_server_open(&server, shop.keys, p.cert_fd),
	    ERR_PEER);
	assert_int_equal(ftruncate(p.cert_fd, 0), 0);
	assert_int_equal(tls_server_open(&server, shop.keys, p.cert_fd),
	    ERR_PEER);
	assert_int_equal(tls_server_open(&server, shop.keys, -1), ERR_SYS);
	assert_null(server);
	pair_free(&p);
	shop_close(&shop);
}

static void
the_whole_chain_is_sent(void **state)
{
	struct shop shop;
	struct call c;
	FILE *f = fdopen(dup(pairs[P256].cert_fd), "a");

	assert_non_null(f);
	assert_int_equal(PEM_write_X509(f, pairs[P384].cert), 1);
	assert_int_equal(PEM_write_X509(f, pairs[RSA2K].cert), 1);
	assert_int_equal(fclose(f), 0);
	shop_open(&shop, &pairs[P256]);
	call_open(&c, &shop);
	call_dial(&c);
	assert_true(call_shake(&c));
	assert_int_equal(sk_X509_num(SSL_get_peer_cert_chain(c.client)), 3);
	call_close(&c);
	shop_close(&shop);
	pair_write(&pairs[P256]);
}

static int
make_pairs(void **state)
{
	(void)signal(SIGPIPE, SIG_IGN);
	pairs[RSA2K] = pair_make("RSA2048");
	pairs[P256] = pair_make("P-256");
	pairs[P384] = pair_make("P-384");
	return 0;
}

static int
free_pairs(void **state)
{
	for (int i = 0; i < KINDS; i++)
		pair_free(&pairs[i]);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_version_key_and_scheme_shakes_hands),
		cmocka_unit_test(the_edge_s_key_has_no_private_half),
		cmocka_unit_test(old_and_weak_ways_are_not_offered),
		cmocka_unit_test(no_session_can_be_taken_up_again),
		cmocka_unit_test(a_client_hello_has_its_length),
		cmocka_unit_test(a_step_of_the_handshake_is_told_once),
		cmocka_unit_test(a_client_cannot_negotiate_anew),
		cmocka_unit_test(a_flood_of_key_updates_holds_nobody_up),
		cmocka_unit_test(a_megabyte_goes_both_ways),
		cmocka_unit_test(what_is_pending_is_told),
		cmocka_unit_test(
		    an_end_without_goodbye_is_an_end_that_was_cut),
		cmocka_unit_test(
		    what_was_said_before_the_end_is_read_when_writing_fails),
		cmocka_unit_test(a_client_that_speaks_no_tls_fails_with_words),
		cmocka_unit_test(
		    a_new_certificate_leaves_sessions_under_way_alone),
		cmocka_unit_test(
		    files_that_are_no_certificate_of_ours_are_refused),
		cmocka_unit_test(the_whole_chain_is_sent),
	};

	return cmocka_run_group_tests(tests, make_pairs, free_pairs);
}
