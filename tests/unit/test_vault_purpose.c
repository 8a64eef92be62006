/*
 * test_vault_purpose - what the vault takes for one side's handshake of TLS.
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
ask_as(enum purpose_side side, struct text t, enum key_kind kind,
    unsigned scheme)
{
	return purpose_of(text_span(&t), side, kind, scheme_find(scheme));
}

static enum purpose
ask(struct text t, enum key_kind kind, unsigned scheme)
{
	return ask_as(PURPOSE_SERVER, t, kind, scheme);
}

static enum purpose
ask_client(struct text t)
{
	return ask_as(PURPOSE_CLIENT, t, KEY_P256, ECDSA_256);
}

static void
a_verify_is_signed_for_its_side_with_the_scheme_of_the_key(void **state)
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
			for (size_t len = 32; len <= 48; len += 16) {
				t = text_verify("server", len);
				assert_int_equal(ask(t, kind, scheme), want);
				t = text_verify("client", len);
				assert_int_equal(ask_as(PURPOSE_CLIENT, t,
				    kind, scheme), want);
			}
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
	struct text cases[6] = { 0 };

	text_fill(&cases[0], 0x5a, 32);			/* a bare digest */
	cases[1] = text_verify("client", 32);
	text_add(&cases[2], dkim, sizeof(dkim) - 1);
	text_add(&cases[3], der, sizeof(der) - 1);
	text_fill(&cases[3], 0x5a, 32);
	cases[4].len = 0;
	cases[5] = text_transcript();
	for (size_t i = 0; i < 6; i++) {
		assert_int_equal(ask(cases[i], KEY_RSA, RSA_PSS_256),
		    PURPOSE_NONE);
		assert_int_equal(ask(cases[i], KEY_RSA, RSA_PKCS1_256),
		    PURPOSE_NONE);
		assert_int_equal(ask(cases[i], KEY_P256, ECDSA_256),
		    PURPOSE_NONE);
	}
}

/* A relay that was taken over: nothing of a server's, nor of anybody else's. */
static void
a_client_has_nothing_signed_that_is_not_a_client_s(void **state)
{
	struct text cases[] = {
		text_verify("server", 32), text_verify("server", 48),
		text_verify("client", 47), text_exchange(29, 32, 1),
		text_exchange(23, 65, 4), text_exchange(24, 97, 4),
		text_transcript(), { .len = 0 },
	};

	cases[6].bytes[0] = 11;
	for (unsigned scheme = 0; scheme < 0x10000; scheme++)
		for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
			for (unsigned kind = 0; kind < KEY__COUNT; kind++)
				assert_int_equal(ask_as(PURPOSE_CLIENT,
				    cases[i], kind, scheme), PURPOSE_NONE);
}

static void
a_transcript_is_whole_and_nothing_is_behind_it(void **state)
{
	const struct text whole = text_transcript();
	struct text t;

	assert_int_equal(ask_client(whole), PURPOSE_TRANSCRIPT);
	for (size_t len = 0; len < whole.len; len++) {
		t = whole;
		t.len = len;
		assert_int_equal(ask_client(t), PURPOSE_NONE);
	}
	t = whole;
	text_fill(&t, 0, 1);
	assert_int_equal(ask_client(t), PURPOSE_NONE);
	t = whole;
	text_message(&t, 16, 33);
	assert_int_equal(ask_client(t), PURPOSE_NONE);
}

/* Each message in turn left out, put twice, of another kind, or too short. */
static void
a_transcript_has_each_message_once_and_in_its_place(void **state)
{
	static const struct {
		int	 type;
		size_t	 len, least;
	} rows[] = {
		{ 1, 60, 34 }, { 2, 50, 34 }, { 11, 200, 106 }, { 12, 70, 1 },
		{ 13, 9, 1 }, { 14, 0, 0 }, { 11, 150, 106 }, { 16, 33, 1 },
	};
	const size_t cnt = sizeof(rows) / sizeof(rows[0]);

	for (size_t no = 0; no < cnt; no++)
		for (int how = 0; how < 260; how++) {
			struct text t = { .len = 0 };
			bool is_good = (how == 0 && rows[no].type == 12) ||
			    how == 2 || how - 4 == rows[no].type;

			for (size_t i = 0; i < cnt; i++) {
				if (i != no || how == 1)
					text_message(&t, rows[i].type,
					    rows[i].len);
				if (i == no && how > 0 && how < 4)
					text_message(&t, rows[i].type, how ==
					    3 && rows[i].least > 0 ?
					    rows[i].least - 1 :
					    rows[i].least);
				else if (i == no && how >= 4)
					text_message(&t, how - 4,
					    rows[i].len);
			}
			if (how == 3 && rows[no].least == 0)
				is_good = true;
			assert_int_equal(ask_client(t), is_good ?
			    PURPOSE_TRANSCRIPT : PURPOSE_NONE);
		}
}

static void
both_hellos_are_of_tls_1_2(void **state)
{
	const size_t hellos[] = { 4, 64 + 4 };
	struct text t;

	for (int i = 0; i < 2; i++)
		for (size_t k = 0; k < 2; k++)
			for (int byte = 0; byte < 256; byte++) {
				t = text_transcript();
				t.bytes[hellos[i] + k] = (char)byte;
				assert_int_equal(ask_client(t), byte == 3 ?
				    PURPOSE_TRANSCRIPT : PURPOSE_NONE);
			}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_verify_is_signed_for_its_side_with_the_scheme_of_the_key),
		cmocka_unit_test(
		    an_exchange_is_signed_with_what_tls_1_2_allows),
		cmocka_unit_test(
		    three_curves_have_points_of_exactly_their_size),
		cmocka_unit_test(
		    every_truncation_and_every_lengthening_is_refused),
		cmocka_unit_test(every_other_byte_of_the_frame_is_refused),
		cmocka_unit_test(
		    what_else_a_key_may_be_asked_to_sign_is_refused),
		cmocka_unit_test(
		    a_client_has_nothing_signed_that_is_not_a_client_s),
		cmocka_unit_test(
		    a_transcript_is_whole_and_nothing_is_behind_it),
		cmocka_unit_test(
		    a_transcript_has_each_message_once_and_in_its_place),
		cmocka_unit_test(both_hellos_are_of_tls_1_2),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
