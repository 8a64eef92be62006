/*
 * test_vault_keys - which files the vault takes for keys, and whom it signs
 * what for, over a link as an edge has it.
 *
 * room: vault
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/log.h"
#include "keys_kit.h"
#include "keys_text.h"
#include "sys/clock.h"
#include "sys/counters.h"

enum { RSA2K, P256, P384, KINDS };

static struct pair pairs[KINDS];

/* Files. */

static void
assert_refused(struct pair *p, const char *why)
{
	struct key *k = NULL;

	assert_int_equal(key_open(&k, p->key_fd, p->cert_fd), ERR_PEER);
	assert_null(k);
	assert_string_equal(key_why(), why);
}

static void
good_keys_are_known_by_their_public_half(void **state)
{
	static const enum key_kind kinds[] = { KEY_RSA, KEY_P256, KEY_P384 };
	uint8_t id[KEY_ID_LEN];
	struct key *k;

	for (int i = 0; i < KINDS; i++) {
		assert_int_equal(key_open(&k, pairs[i].key_fd,
		    pairs[i].cert_fd), OK);
		assert_int_equal(key_kind(k), kinds[i]);
		pair_id(&pairs[i], id);
		assert_memory_equal(key_id(k), id, sizeof(id));
		key_free(&k);
		assert_null(k);
	}
}

static void
keys_of_other_kinds_are_refused(void **state)
{
	static const struct {
		const char	*kind, *why;
	} cases[] = {
		{ "RSA1024", "an RSA key must have 2048 to 8192 bits" },
		{ "P-521", "a key must be RSA, or ECDSA on P-256 or P-384" },
		{ "secp256k1",
		    "a key must be RSA, or ECDSA on P-256 or P-384" },
		{ "ED25519", "a key must be RSA, or ECDSA on P-256 or P-384" },
	};
	struct pair p;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		p = pair_make(cases[i].kind);
		assert_refused(&p, cases[i].why);
		pair_free(&p);
	}
}

static void
a_key_with_a_passphrase_is_refused(void **state)
{
	struct pair p = pair_make("P-256");

	pair_write_key(&p, "secret", false);
	assert_refused(&p,
	    "the key has a passphrase, and nobody to give it");
	pair_write_key(&p, "secret", true);
	assert_refused(&p,
	    "the key has a passphrase, and nobody to give it");
	pair_free(&p);
}

static void
the_older_forms_of_key_files_are_read(void **state)
{
	struct key *k;

	for (int i = 0; i < KINDS; i++) {
		pair_write_key(&pairs[i], NULL, true);
		assert_int_equal(key_open(&k, pairs[i].key_fd,
		    pairs[i].cert_fd), OK);
		key_free(&k);
		pair_write(&pairs[i]);
	}
}

static void
a_key_that_is_not_its_certificate_s_is_refused(void **state)
{
	struct pair p = pairs[P256], other = pair_make("P-256");

	p.cert_fd = other.cert_fd;
	assert_refused(&p, "the key does not belong to its certificate");
	p.cert_fd = pairs[RSA2K].cert_fd;
	assert_refused(&p, "the key does not belong to its certificate");
	p.cert_fd = p.key_fd;
	assert_refused(&p, "the file holds no certificate (PEM)");
	p.key_fd = other.cert_fd;
	assert_refused(&p, "the file holds no private key (PEM)");
	p.key_fd = -1;
	assert_refused(&p, "the key file cannot be read");
	pair_free(&other);
}

static void
every_truncation_of_a_key_file_is_refused(void **state)
{
	struct pair p = pair_make("P-256");
	off_t len = lseek(p.key_fd, 0, SEEK_END);
	struct key *k = NULL;

	assert_true(len > 100);
	while (--len >= 0) {
		enum err e;

		assert_int_equal(ftruncate(p.key_fd, len), 0);
		e = key_open(&k, p.key_fd, p.cert_fd);
		/* The last line is whole without its newline. */
		if (e == OK)
			assert_int_equal(k != NULL, true);
		key_free(&k);
		if (e == OK)
			continue;
		assert_int_equal(e, ERR_PEER);
	}
	assert_refused(&p, "the file holds no private key (PEM)");
	pair_free(&p);
}

/* A prime that is off by two gives a public half that fits all the same. */
static void
a_damaged_rsa_key_is_found_out(void **state)
{
	struct pair p = pairs[RSA2K];
	EVP_PKEY_CTX *making = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	OSSL_PARAM *params = NULL;
	EVP_PKEY *bad = NULL;

	assert_int_equal(EVP_PKEY_todata(p.key, EVP_PKEY_KEYPAIR, &params), 1);
	for (OSSL_PARAM *o = params; o->key != NULL; o++)
		if (o->key[0] == 'd' || strncmp(o->key, "rsa-exp", 7) == 0)
			((unsigned char *)o->data)[4] ^= 2;
	assert_int_equal(EVP_PKEY_fromdata_init(making), 1);
	assert_int_equal(EVP_PKEY_fromdata(making, &bad, EVP_PKEY_KEYPAIR,
	    params), 1);
	p.key = bad;
	p.key_fd = pair_file();
	p.cert_fd = pair_file();
	pair_write(&p);
	assert_refused(&p, "the key signs wrongly: it is damaged");
	close(p.key_fd);
	close(p.cert_fd);
	OSSL_PARAM_free(params);
	EVP_PKEY_free(bad);
	EVP_PKEY_CTX_free(making);
}

/* Rings. */

static void
a_ring_is_whole_or_not_at_all(void **state)
{
	struct pair small = pair_make("RSA1024");
	struct kit_edges k = {
		.names = { "in", "out" },
		.pairs = { &pairs[RSA2K], &small }, .cnt = 2,
	};
	struct keyring *r = NULL;

	assert_int_equal(keyring_open(&r, kit_slice(&k), kit_file, &k),
	    ERR_PEER);
	assert_null(r);
	k.pairs[1] = &pairs[P256];
	assert_int_equal(keyring_open(&r, kit_slice(&k), kit_file, &k), OK);
	assert_int_equal(keyring_cnt(r), 2);
	keyring_release(&r);
	assert_int_equal(keyring_open(&r, SPAN("no slice"), kit_file, &k),
	    ERR_PEER);
	pair_free(&small);
}

/* Links.  Edges speak raw messages, as one that was taken over may. */

struct desk {
	struct ev_loop	*loop;
	struct signer	*signer;
	struct link	*edges[3];
	unsigned	 lost_cnt;
	enum err	 lost_why;
	unsigned	 answer_cnt, wanted, done_cnt, busy_cnt;
	enum sign_status last;
	uint8_t		 signature[KEY_SIGNATURE_MAX];
	size_t		 len;
};

static void
lost(const struct link_peer *p, enum err why, void *arg)
{
	struct desk *d = arg;

	d->lost_cnt++;
	d->lost_why = why;
}

static enum err
on_answer(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	struct desk *d = arg;

	assert_int_equal(type, MSG_sign_answer);
	d->last = m->sign_answer.status;
	d->done_cnt += d->last == SIGN_DONE;
	d->busy_cnt += d->last == SIGN_BUSY;
	d->len = m->sign_answer.signature.len;
	assert_true(d->len <= sizeof(d->signature));
	if (d->len > 0)
		memcpy(d->signature, m->sign_answer.signature.ptr, d->len);
	assert_int_equal(d->last == SIGN_DONE, d->len > 0);
	if (++d->answer_cnt == d->wanted)
		ev_stop(d->loop);
	return OK;
}

static void
edge_gone(struct link *l, enum err why, void *arg)
{
	struct desk *d = arg;

	for (int i = 0; i < 3; i++)
		if (d->edges[i] == l)
			link_close(&d->edges[i]);
}

static void
end_now(struct timer *t, void *arg)
{
	ev_stop(arg);
}

static void
turn(struct desk *d, unsigned answers, int64_t ms)
{
	struct timer t;

	d->wanted = d->answer_cnt + answers;
	timer_init(&t, d->loop, end_now, d->loop);
	timer_set(&t, ms);
	assert_int_equal(ev_run(d->loop), OK);
	timer_stop(&t);
}

static void
add_asker(struct desk *d, int no, enum role role, const char *name)
{
	struct link_peer peer = { .role = role, .no = (uint32_t)no };
	static const struct link_peer vault = { .role = ROLE_KEYS };
	int ends[2];

	kit_pair(ends);
	assert_true(span_cstr(span_of(name), peer.block, sizeof(peer.block)));
	assert_int_equal(signer_add(d->signer, ends[0], &peer), OK);
	assert_int_equal(link_open(&d->edges[no], d->loop, ends[1], role,
	    &vault, on_answer, edge_gone, d), OK);
}

static void
add_edge(struct desk *d, int no, const char *name)
{
	add_asker(d, no, ROLE_EDGE, name);
}

static void
open_desk(struct desk *d, struct kit_edges *k)
{
	*d = (struct desk){ 0 };
	assert_int_equal(ev_open(&d->loop), OK);
	assert_int_equal(signer_open(&d->signer, d->loop, kit_ring(k), lost,
	    d), OK);
}

static void
close_desk(struct desk *d)
{
	for (int i = 0; i < 3; i++)
		link_close(&d->edges[i]);
	signer_close(&d->signer);
	ev_close(&d->loop);
}

static void
send_ask(struct desk *d, int edge, const struct pair *p, unsigned scheme,
    struct span text)
{
	uint8_t id[KEY_ID_LEN];
	static uint64_t no;

	pair_id(p, id);
	assert_int_equal(link_send_sign_ask(d->edges[edge],
	    &(struct msg_sign_ask){ .request = ++no,
	    .scheme = (uint16_t)scheme,
	    .key = { (const char *)id, sizeof(id) } }, text), OK);
}

static enum sign_status
ask(struct desk *d, int edge, const struct pair *p, unsigned scheme,
    struct text t)
{
	unsigned before = d->answer_cnt;

	send_ask(d, edge, p, scheme, text_span(&t));
	turn(d, 1, 5000);
	assert_int_equal(d->answer_cnt, before + 1);
	return d->last;
}

static void
signatures_verify_under_the_certificate(void **state)
{
	static const struct {
		int		 kind;
		unsigned	 scheme;
		const char	*digest;
		int		 padding;
		bool		 only_12;
	} cases[] = {
		{ RSA2K, 0x0401, "SHA256", RSA_PKCS1_PADDING, true },
		{ RSA2K, 0x0501, "SHA384", RSA_PKCS1_PADDING, true },
		{ RSA2K, 0x0601, "SHA512", RSA_PKCS1_PADDING, true },
		{ RSA2K, 0x0804, "SHA256", RSA_PKCS1_PSS_PADDING, false },
		{ RSA2K, 0x0805, "SHA384", RSA_PKCS1_PSS_PADDING, false },
		{ RSA2K, 0x0806, "SHA512", RSA_PKCS1_PSS_PADDING, false },
		{ P256, 0x0403, "SHA256", 0, false },
		{ P256, 0x0503, "SHA384", 0, true },
		{ P384, 0x0503, "SHA384", 0, false },
		{ P384, 0x0603, "SHA512", 0, true },
	};
	struct kit_edges k = {
		.names = { "in", "in", "in" },
		.pairs = { &pairs[0], &pairs[1], &pairs[2] }, .cnt = 3,
	};
	struct text t;
	struct desk d;

	open_desk(&d, &k);
	add_edge(&d, 0, "in");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct pair *p = &pairs[cases[i].kind];
		EVP_MD_CTX *md = EVP_MD_CTX_new();
		EVP_PKEY_CTX *c;

		t = cases[i].only_12 ? text_exchange(24, 97, 4) :
		    text_verify("server", 48);
		assert_int_equal(ask(&d, 0, p, cases[i].scheme, t),
		    SIGN_DONE);
		assert_int_equal(EVP_DigestVerifyInit_ex(md, &c,
		    cases[i].digest, NULL, NULL, p->key, NULL), 1);
		if (cases[i].padding != 0)
			assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(c,
			    cases[i].padding), 1);
		if (cases[i].padding == RSA_PKCS1_PSS_PADDING)
			assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(c,
			    RSA_PSS_SALTLEN_DIGEST), 1);
		assert_int_equal(EVP_DigestVerify(md, d.signature, d.len,
		    (unsigned char *)t.bytes, t.len), 1);
		EVP_MD_CTX_free(md);
	}
	close_desk(&d);
}

static unsigned	 denied_cnt;
static char	 denied[LOG_LINE_MAX];

static void
catch_denied(enum log_level level, const char *line, size_t len)
{
	if (strstr(line, "event=denied") == NULL)
		return;
	denied_cnt++;
	(void)snprintf(denied, sizeof(denied), "%.*s", (int)len, line);
}

static uint64_t
counted(enum counter c, int page_fd)
{
	const void *page = counters_map(page_fd);
	uint64_t all[COUNTER__COUNT];

	assert_non_null(page);
	counters_read(page, all);
	counters_unmap(page);
	return all[c];
}

static void
all_else_is_refused_counted_and_logged_once(void **state)
{
	struct kit_edges k = {
		.names = { "in" }, .pairs = { &pairs[RSA2K] }, .cnt = 1,
	};
	struct text cases[6] = { 0 };
	int page = memfd_create("counters", MFD_CLOEXEC);
	struct desk d;

	text_fill(&cases[0], 0x5a, 32);			/* a bare digest */
	cases[1] = text_verify("client", 32);
	text_add(&cases[2], "from:a@b.example\r\ndkim-signature:v=1; b=", 41);
	text_add(&cases[3], "\x30\x31\x30\x0d\x06\x09\x60\x86\x48", 9);
	cases[4] = text_verify("server", 47);
	cases[5] = text_exchange(29, 33, 1);
	assert_int_equal(ftruncate(page, COUNTERS_PAGE), 0);
	assert_int_equal(counters_open(page), OK);
	log_setup("keys", catch_denied, false);
	denied_cnt = 0;
	open_desk(&d, &k);
	add_edge(&d, 0, "in");
	for (int i = 0; i < 6; i++)
		assert_int_equal(ask(&d, 0, &pairs[RSA2K], 0x0804, cases[i]),
		    SIGN_REFUSED);
	/* Good texts, and schemes that are not this key's. */
	assert_int_equal(ask(&d, 0, &pairs[RSA2K], 0x0401,
	    text_verify("server", 32)), SIGN_REFUSED);
	assert_int_equal(ask(&d, 0, &pairs[RSA2K], 0x0403,
	    text_exchange(29, 32, 1)), SIGN_REFUSED);
	assert_int_equal(ask(&d, 0, &pairs[RSA2K], 0x0201,
	    text_exchange(29, 32, 1)), SIGN_REFUSED);
	assert_int_equal(counted(COUNTER_not_signed, page), 9);
	assert_int_equal(counted(COUNTER_signatures, page), 0);
	assert_int_equal(denied_cnt, 1);
	assert_non_null(strstr(denied, "peer=\"edge in\""));
	assert_int_equal(ask(&d, 0, &pairs[RSA2K], 0x0804,
	    text_verify("server", 32)), SIGN_DONE);
	assert_int_equal(counted(COUNTER_signatures, page), 1);
	close_desk(&d);
	assert_int_equal(denied_cnt, 2);
	assert_non_null(strstr(denied, "count=8"));
	log_setup("", NULL, false);
	close(page);
}

static void
an_edge_has_its_own_keys_only(void **state)
{
	struct kit_edges k = {
		.names = { "in", "out" },
		.pairs = { &pairs[P256], &pairs[P384] }, .cnt = 2,
	};
	struct text t = text_exchange(29, 32, 1);
	struct desk d;

	open_desk(&d, &k);
	add_edge(&d, 0, "in");
	add_edge(&d, 1, "out");
	add_edge(&d, 2, "third");
	for (int edge = 0; edge < 3; edge++)
		for (int kind = P256; kind <= P384; kind++)
			assert_int_equal(ask(&d, edge, &pairs[kind], 0x0403,
			    t), edge + P256 == kind ? SIGN_DONE :
			    SIGN_NO_KEY);
	close_desk(&d);
}

/* An edge and a relay of one name; each as if it had been taken over. */
static void
each_role_has_its_own_side_signed_with_its_own_key(void **state)
{
	struct kit_edges k = {
		.names = { "out", "out" }, .is_relay = { false, true },
		.pairs = { &pairs[P256], &pairs[P384] }, .cnt = 2,
	};
	const struct text texts[] = {
		text_verify("server", 32), text_exchange(29, 32, 1),
		text_verify("client", 32), text_transcript(),
	};
	static const unsigned schemes[] = { [P256] = 0x0403, [P384] = 0x0503 };
	struct desk d;

	open_desk(&d, &k);
	add_edge(&d, 0, "out");
	add_asker(&d, 1, ROLE_RELAY, "out");
	add_asker(&d, 2, ROLE_RELAY, "other");
	for (int who = 0; who < 3; who++)
		for (int kind = P256; kind <= P384; kind++)
			for (size_t i = 0; i < 4; i++)
				assert_int_equal(ask(&d, who, &pairs[kind],
				    schemes[kind], texts[i]),
				    who + P256 != kind ? SIGN_NO_KEY :
				    (who == 0) == (i < 2) ? SIGN_DONE :
				    SIGN_REFUSED);
	close_desk(&d);
}

static void
old_keys_stay_for_those_who_came_before_the_reload(void **state)
{
	struct kit_edges was = {
		.names = { "in" }, .pairs = { &pairs[P256] }, .cnt = 1,
	};
	struct kit_edges is = {
		.names = { "in" }, .pairs = { &pairs[P384] }, .cnt = 1,
	};
	struct text t = text_exchange(29, 32, 1);
	struct desk d;

	open_desk(&d, &was);
	add_edge(&d, 0, "in");
	signer_set_keyring(d.signer, kit_ring(&is));
	add_edge(&d, 1, "in");
	assert_int_equal(ask(&d, 0, &pairs[P256], 0x0403, t), SIGN_DONE);
	assert_int_equal(ask(&d, 0, &pairs[P384], 0x0403, t), SIGN_DONE);
	assert_int_equal(ask(&d, 1, &pairs[P256], 0x0403, t), SIGN_NO_KEY);
	assert_int_equal(ask(&d, 1, &pairs[P384], 0x0403, t), SIGN_DONE);
	/* The same process on a new link is one that comes now. */
	link_close(&d.edges[0]);
	add_edge(&d, 0, "in");
	assert_int_equal(ask(&d, 0, &pairs[P256], 0x0403, t), SIGN_NO_KEY);
	signer_drop(d.signer, 1);
	turn(&d, 1, 50);
	assert_null(d.edges[1]);
	assert_int_equal(d.lost_cnt, 0);
	close_desk(&d);
}

static void
one_link_gets_so_many_signatures_a_second(void **state)
{
	struct kit_edges k = {
		.names = { "in", "in" },
		.pairs = { &pairs[P256], &pairs[P256] }, .cnt = 1,
	};
	struct text t = text_exchange(29, 32, 1);
	int64_t begun_ms;
	struct desk d;

	open_desk(&d, &k);
	add_edge(&d, 0, "in");
	add_edge(&d, 1, "in");
	turn(&d, 1, 20);
	begun_ms = clock_mono_ms();
	for (unsigned i = 0; i < SIGNER_RATE + 500; i++)
		send_ask(&d, 0, &pairs[P256], 0x0403, text_span(&t));
	turn(&d, SIGNER_RATE + 500, 20000);
	assert_int_equal(d.answer_cnt, SIGNER_RATE + 500);
	assert_int_equal(d.done_cnt + d.busy_cnt, SIGNER_RATE + 500);
	/* A machine too slow for the ceiling does not come to it. */
	assert_true(d.done_cnt >= SIGNER_RATE);
	if (clock_mono_ms() - begun_ms < 1000)
		assert_int_equal(d.busy_cnt, 500);
	assert_int_equal(ask(&d, 1, &pairs[P256], 0x0403, t), SIGN_DONE);
	turn(&d, 1, 1100);
	assert_int_equal(ask(&d, 0, &pairs[P256], 0x0403, t), SIGN_DONE);
	close_desk(&d);
}

static void
nonsense_costs_its_own_link_only(void **state)
{
	struct kit_edges k = {
		.names = { "in" }, .pairs = { &pairs[P256] }, .cnt = 1,
	};
	struct text t = text_exchange(29, 32, 1);
	struct desk d;

	open_desk(&d, &k);
	add_edge(&d, 0, "in");
	add_edge(&d, 1, "in");
	assert_int_equal(link_send_sign_ask(d.edges[0],
	    &(struct msg_sign_ask){ .scheme = 0x0403, .key = SPAN("short") },
	    text_span(&t)), OK);
	turn(&d, 1, 50);
	assert_null(d.edges[0]);
	assert_int_equal(d.lost_cnt, 1);
	assert_int_equal(d.lost_why, ERR_PEER);
	assert_int_equal(ask(&d, 1, &pairs[P256], 0x0403, t), SIGN_DONE);
	close_desk(&d);
}

static int
make_pairs(void **state)
{
	/* After this all that OpenSSL frees is wiped, in the tests too. */
	(void)key_memory();
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
		cmocka_unit_test(good_keys_are_known_by_their_public_half),
		cmocka_unit_test(keys_of_other_kinds_are_refused),
		cmocka_unit_test(a_key_with_a_passphrase_is_refused),
		cmocka_unit_test(the_older_forms_of_key_files_are_read),
		cmocka_unit_test(
		    a_key_that_is_not_its_certificate_s_is_refused),
		cmocka_unit_test(every_truncation_of_a_key_file_is_refused),
		cmocka_unit_test(a_damaged_rsa_key_is_found_out),
		cmocka_unit_test(a_ring_is_whole_or_not_at_all),
		cmocka_unit_test(signatures_verify_under_the_certificate),
		cmocka_unit_test(all_else_is_refused_counted_and_logged_once),
		cmocka_unit_test(an_edge_has_its_own_keys_only),
		cmocka_unit_test(
		    each_role_has_its_own_side_signed_with_its_own_key),
		cmocka_unit_test(
		    old_keys_stay_for_those_who_came_before_the_reload),
		cmocka_unit_test(one_link_gets_so_many_signatures_a_second),
		cmocka_unit_test(nonsense_costs_its_own_link_only),
	};

	return cmocka_run_group_tests(tests, make_pairs, free_pairs);
}
