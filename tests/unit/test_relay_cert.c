/*
 * test_relay_cert - a certificate of the relay's own: shown to a next hop that
 * asks, its key in a vault in a process of its own.
 *
 * room: relay
 * room: vault
 */
#include "relay_kit.h"
#include "relay/smtp/smtp_inside.h"	/* looks into the client */
#include "keys_kit.h"
#include "relay_certs.h"
#include "sys/seccomp.h"

#define EHLO_TLS	"250-hop.example\r\n250 STARTTLS"
#define OURS		"4.3.0 TLS cannot be set up here"

enum { RSA2K, P256, KINDS };

static struct certs certs;	/* of the next hop			*/
static struct pair pairs[KINDS];
static struct keys *keys;
static struct kit_edges blocks;
static pid_t vault;

static int
begin(void **state)
{
	(void)key_memory();
	certs_init(&certs);
	pairs[RSA2K] = pair_make("RSA2048");
	pairs[P256] = pair_make("P-256");
	return 0;
}

static int
end(void **state)
{
	certs_fini(&certs);
	for (int i = 0; i < KINDS; i++)
		pair_free(&pairs[i]);
	return 0;
}

static void
vault_lost(const struct link_peer *p, enum err why, void *arg)
{
}

/* With the vault, and a client that has the certificate of that kind. */
static void
open_vault(struct bench *b, int kind)
{
	const struct link_peer peer = { .role = ROLE_KEYS, .block = "keys" };
	int fd;

	blocks = (struct kit_edges){ .names = { "out" }, .is_relay = { true },
	    .pairs = { &pairs[kind] }, .cnt = 1 };
	vault = kit_vault(&blocks, &fd);
	assert_int_equal(keys_open(&keys, b->loop, vault_lost, b), OK);
	assert_int_equal(keys_set_link(keys, fd, ROLE_RELAY, &peer), OK);
	tls_client_free(&b->target.tls.client);
	assert_int_equal(tls_client_open_certified(&b->target.tls.client, -1,
	    keys, pairs[kind].cert_fd), OK);
	b->target.tls.is_certified = true;
}

/* The next hop asks, and believes this certificate. */
static void
ask_for(struct bench *b, X509 *believed, int version)
{
	SSL_CTX_set_verify(b->hop.tls, SSL_VERIFY_PEER |
	    SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	assert_int_equal(X509_STORE_add_cert(SSL_CTX_get_cert_store(
	    b->hop.tls), believed), 1);
	assert_int_equal(SSL_CTX_set_max_proto_version(b->hop.tls, version),
	    1);
}

static int
set_up_tls(void **state)
{
	struct bench *b;

	if (set_up(state) != 0)
		return -1;
	b = *state;
	b->hop.ehlo = EHLO_TLS;
	b->hop.tls = certs_server(&certs, "DNS:hop.example");
	b->target.dial.host = SPAN("hop.example");
	b->target.tls.policy.security = TLS_REQUIRED;
	return tls_client_open(&b->target.tls.client, -1) == OK ? 0 : -1;
}

static int
tear_down_tls(void **state)
{
	struct bench *b = *state;
	struct tls_client *client = b->target.tls.client;
	SSL_CTX *tls = b->hop.tls;

	smtp_client_free(&b->client);
	tls_client_free(&client);
	keys_close(&keys);
	kit_vault_end(&vault);
	(void)tear_down(state);
	SSL_CTX_free(tls);
	return 0;
}

static void
renew(void **state)
{
	tear_down_tls(state);
	assert_int_equal(set_up_tls(state), 0);
}

static void
go(struct bench *b)
{
	(void)add_delivery(0, "s@a.example", "r@b.example");
	connect_client(b);
	b->client->was_started = true;	/* the clear would be a way */
	run(b);
}

static void
want_reason(const struct bench *b, const char *text, enum outcome_scope scope)
{
	assert_true(b->has_why);
	assert_string_equal(b->why_text, text);
	assert_int_equal(b->why.class, CLASS_LATER);
	assert_int_equal(b->why.scope, scope);
	assert_null(strstr(b->hop.seen, "MAIL"));
	assert_null(strstr(b->hop.seen, "<AGAIN>"));
}

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

static void
a_next_hop_that_asks_is_shown_it(void **state)
{
	for (int i = 0; i < 2 * KINDS; i++) {
		struct bench *b;
		X509 *shown;

		renew(state);
		b = *state;
		open_vault(b, i / 2);
		ask_for(b, pairs[i / 2].cert, versions[i % 2]);
		go(b);
		want_done(b->deliveries[0], 0);
		assert_int_equal(SSL_version(b->hop.ssl), versions[i % 2]);
		shown = SSL_get0_peer_certificate(b->hop.ssl);
		assert_non_null(shown);
		assert_int_equal(X509_cmp(shown, pairs[i / 2].cert), 0);
	}
}

static void
one_that_does_not_ask_sees_none(void **state)
{
	struct bench *b = *state;

	open_vault(b, P256);
	kit_vault_end(&vault);		/* nothing is signed, either */
	go(b);
	want_done(b->deliveries[0], 0);
	assert_null(SSL_get0_peer_certificate(b->hop.ssl));
}

static void
a_refusal_is_told_as_one_in_each_version(void **state)
{
	for (int i = 0; i < 4; i++) {
		struct bench *b;

		renew(state);
		b = *state;
		if (i / 2 == 0)
			open_vault(b, P256);
		ask_for(b, pairs[RSA2K].cert, versions[i % 2]);
		go(b);
		want_reason(b, i / 2 == 0 ?
		    "4.7.0 The next hop refused our certificate" :
		    "4.7.0 The next hop requires a certificate of ours",
		    SCOPE_HOST);
	}
}

/* As servers do that believe everybody: a list of all their authorities. */
static void
add_authorities(struct bench *b, size_t bytes)
{
	char word[96];

	for (size_t sum = 0; sum + 120 < bytes; ) {
		X509_NAME *n = X509_NAME_new();
		X509 *x = X509_new();

		(void)snprintf(word, sizeof(word), "%076zu", sum);
		assert_int_equal(X509_set_pubkey(x, certs.key), 1);
		assert_int_equal(X509_NAME_add_entry_by_txt(n, "DC",
		    MBSTRING_ASC, (const unsigned char *)word, -1, -1, 0), 1);
		sum += (size_t)i2d_X509_NAME(n, NULL) + 2;
		assert_int_equal(X509_set_subject_name(x, n), 1);
		assert_int_equal(SSL_CTX_add_client_CA(b->hop.tls, x), 1);
		X509_NAME_free(n);
		X509_free(x);
	}
}

static void
a_next_hop_may_believe_many(void **state)
{
	for (int i = 0; i < 4; i++) {
		struct bench *b;

		renew(state);
		b = *state;
		open_vault(b, P256);
		ask_for(b, pairs[P256].cert, versions[i % 2]);
		add_authorities(b, i / 2 == 0 ? 50000 : 64800);
		/* Sanitizers on a busy machine take seconds for so many. */
		b->target.dial.connect_ms = b->target.command_ms = 30000;
		go(b);
		if (i == 2)	/* TLS 1.2 and too long to be signed */
			want_reason(b, "4.7.0 The TLS handshake failed",
			    SCOPE_HOST);
		else
			want_done(b->deliveries[0], 0);
	}
}

/* Opportunistic: what our vault breaks is not what a hop cannot do. */
static void
without_the_vault_mail_waits_and_stays_out_of_the_clear(void **state)
{
	for (int i = 0; i < 2; i++) {
		struct bench *b;

		renew(state);
		b = *state;
		open_vault(b, P256);
		kit_vault_end(&vault);
		ask_for(b, pairs[P256].cert, versions[i]);
		b->target.tls.policy.security = TLS_OPPORTUNISTIC;
		go(b);
		want_reason(b, OURS, SCOPE_OURS);
	}
}

/* From here on: not in sanitizer builds, which wait within the call. */

static void
stop_vault(void)
{
	siginfo_t si;

	assert_int_equal(kill(vault, SIGSTOP), 0);
	assert_int_equal(waitid(P_PID, (id_t)vault, &si, WSTOPPED), 0);
}

static void
a_vault_that_hangs_is_waited_for_as_a_command_is(void **state)
{
	struct bench *b = *state;

	if (!seccomp_is_on())
		return;
	open_vault(b, P256);
	stop_vault();
	ask_for(b, pairs[P256].cert, TLS1_3_VERSION);
	b->target.tls.policy.security = TLS_OPPORTUNISTIC;
	b->target.command_ms = 200;
	go(b);
	want_reason(b, OURS, SCOPE_OURS);
}

/* Until the signature is awaited; then the rest of the loop stands still. */
static void
until_it_waits(struct bench *b)
{
	struct timer t;

	connect_client(b);
	while (b->client != NULL && !b->client->channel.is_waiting) {
		timer_init(&t, b->loop, too_late, b);
		timer_set(&t, 1);
		assert_int_equal(ev_run(b->loop), OK);
	}
	b->is_late = false;
	assert_non_null(b->client);
}

static void
a_next_hop_may_hang_up_meanwhile(void **state)
{
	struct bench *b = *state;

	if (!seccomp_is_on())
		return;
	open_vault(b, P256);
	stop_vault();
	ask_for(b, pairs[P256].cert, TLS1_3_VERSION);
	until_it_waits(b);
	hop_hang_up(&b->hop);
	run(b);
	want_reason(b, "4.7.0 The TLS handshake failed", SCOPE_HOST);
}

static void
a_client_may_be_given_up_meanwhile(void **state)
{
	struct bench *b = *state;

	if (!seccomp_is_on())
		return;
	open_vault(b, P256);
	stop_vault();
	ask_for(b, pairs[P256].cert, TLS1_3_VERSION);
	until_it_waits(b);
	smtp_client_free(&b->client);
	hop_hang_up(&b->hop);
	assert_int_equal(kill(vault, SIGCONT), 0);
	go(b);
	want_done(b->deliveries[0], 0);
}

#define TEST(name)							\
	cmocka_unit_test_setup_teardown(name, set_up_tls, tear_down_tls)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_next_hop_that_asks_is_shown_it),
		TEST(one_that_does_not_ask_sees_none),
		TEST(a_refusal_is_told_as_one_in_each_version),
		TEST(a_next_hop_may_believe_many),
		TEST(without_the_vault_mail_waits_and_stays_out_of_the_clear),
		TEST(a_vault_that_hangs_is_waited_for_as_a_command_is),
		TEST(a_next_hop_may_hang_up_meanwhile),
		TEST(a_client_may_be_given_up_meanwhile),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
