/*
 * test_vault_purpose - what the vault takes for a TLS server's handshake.
 *
 * room: vault
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "keys_text.h"
#include "vault/purpose.h"

#define RSA_PSS_256	0x0804
#define RSA_PKCS1_256	0x0401
#define ECDSA_256	0x0403

static enum purpose
ask(struct text t, enum key_kind kind, unsigned scheme)
{
	return purpose_of(text_span(&t), kind, scheme_find(scheme));
}

static void
a_server_s_verify_is_signed_with_the_scheme_of_its_key(void **state)
{
	static const struct {
		unsigned	 scheme;
		enum key_kind	 kind;
	} good[] = {
		{ 0x0804, KEY_RSA }, { 0x0805, KEY_RSA }, { 0x0806, KEY_RSA },
		{ 0x0403, KEY_P256 }, { 0x0503, KEY_P384 },
	};
	struct text t;

	for (unsigned scheme = 0; scheme < 0x10000; scheme++)
		for (unsigned kind = 0; kind < KEY__COUNT; kind++) {
			enum purpose want = PURPOSE_NONE;

			for (size_t i = 0; i < 5; i++)
				if (good[i].scheme == scheme &&
				    good[i].kind == kind)
					want = PURPOSE_VERIFY;
			t = text_verify("server", 32);
			assert_int_equal(ask(t, kind, scheme), want);
			t = text_verify("server", 48);
			assert_int_equal(ask(t, kind, scheme), want);
		}
}

static void
an_exchange_is_signed_with_what_tls_1_2_allows(void **state)
{
	static const struct {
		unsigned	 scheme;
		bool		 is_rsa;
	} good[] = {
		{ 0x0401, true }, { 0x0501, true }, { 0x0601, true },
		{ 0x0804, true }, { 0x0805, true }, { 0x0806, true },
		{ 0x0403, false }, { 0x0503, false }, { 0x0603, false },
	};
	struct text t = text_exchange(29, 32, 9);

	for (unsigned scheme = 0; scheme < 0x10000; scheme++)
		for (unsigned kind = 0; kind < KEY__COUNT; kind++) {
			enum purpose want = PURPOSE_NONE;

			for (size_t i = 0; i < 9; i++)
				if (good[i].scheme == scheme &&
				    good[i].is_rsa == (kind == KEY_RSA))
					want = PURPOSE_EXCHANGE;
			assert_int_equal(ask(t, kind, scheme), want);
		}
}

static void
three_curves_have_points_of_exactly_their_size(void **state)
{
	for (unsigned curve = 0; curve < 300; curve++)
		for (size_t len = 1; len < 140; len++)
			for (int first = 0; first < 8; first++) {
				bool good = (curve == 29 && len == 32) ||
				    (curve == 23 && len == 65 && first == 4) ||
				    (curve == 24 && len == 97 && first == 4);

				assert_int_equal(ask(text_exchange(curve, len,
				    first), KEY_P256, ECDSA_256), good ?
				    PURPOSE_EXCHANGE : PURPOSE_NONE);
			}
}

static void
every_truncation_and_every_lengthening_is_refused(void **state)
{
	const struct text whole[] = {
		text_verify("server", 32), text_verify("server", 48),
		text_exchange(29, 32, 1), text_exchange(23, 65, 4),
		text_exchange(24, 97, 4),
	};
	struct text t;

	for (size_t i = 0; i < sizeof(whole) / sizeof(whole[0]); i++)
		for (size_t len = 0; len < 300; len++) {
			t = whole[i];
			if (len > t.len)
				text_fill(&t, 0, len - t.len);
			t.len = len;
			/* One hash with 16 bytes more is the other hash. */
			if (len == whole[i].len || (i < 2 &&
			    (len == whole[0].len || len == whole[1].len)))
				continue;
			assert_int_equal(ask(t, KEY_RSA, RSA_PSS_256),
			    PURPOSE_NONE);
		}
}

/* All but the hash, and all but randoms and the point's coordinates. */
static void
every_other_byte_of_the_frame_is_refused(void **state)
{
	const struct text verify = text_verify("server", 32);
	const struct text exchange = text_exchange(23, 65, 4);
	struct text t;

	for (size_t i = 0; i < verify.len - 32; i++)
		for (int bit = 0; bit < 8; bit++) {
			t = verify;
			t.bytes[i] ^= (char)(1 << bit);
			assert_int_equal(ask(t, KEY_RSA, RSA_PSS_256),
			    PURPOSE_NONE);
		}
	for (size_t i = 64; i < 69; i++)
		for (int bit = 0; bit < 8; bit++) {
			t = exchange;
			t.bytes[i] ^= (char)(1 << bit);
			assert_int_equal(ask(t, KEY_RSA, RSA_PSS_256),
			    PURPOSE_NONE);
		}
}

static void
what_else_a_key_may_be_asked_to_sign_is_refused(void **state)
{
	static const char dkim[] =
	    "from:a@b.example\r\nsubject:hello\r\ndkim-signature:v=1; "
	    "a=rsa-sha256; d=b.example; s=x; h=from:subject; bh=aaaa; b=";
	static const char der[] = "\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01"
	    "\x65\x03\x04\x02\x01\x05\x00\x04\x20";
	struct text cases[5] = { 0 };

	text_fill(&cases[0], 0x5a, 32);			/* a bare digest */
	cases[1] = text_verify("client", 32);
	text_add(&cases[2], dkim, sizeof(dkim) - 1);
	text_add(&cases[3], der, sizeof(der) - 1);
	text_fill(&cases[3], 0x5a, 32);
	cases[4].len = 0;
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(ask(cases[i], KEY_RSA, RSA_PSS_256),
		    PURPOSE_NONE);
		assert_int_equal(ask(cases[i], KEY_RSA, RSA_PKCS1_256),
		    PURPOSE_NONE);
		assert_int_equal(ask(cases[i], KEY_P256, ECDSA_256),
		    PURPOSE_NONE);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_server_s_verify_is_signed_with_the_scheme_of_its_key),
		cmocka_unit_test(
		    an_exchange_is_signed_with_what_tls_1_2_allows),
		cmocka_unit_test(
		    three_curves_have_points_of_exactly_their_size),
		cmocka_unit_test(
		    every_truncation_and_every_lengthening_is_refused),
		cmocka_unit_test(every_other_byte_of_the_frame_is_refused),
		cmocka_unit_test(
		    what_else_a_key_may_be_asked_to_sign_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
