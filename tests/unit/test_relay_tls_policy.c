/*
 * What is known of a next hop decides what TLS it must have, and whether two
 * deliveries may share a connection.
 *
 * room: relay
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "relay/hop/tls_policy.h"

static const enum tls_security all[] = {
	TLS_OFF, TLS_OPPORTUNISTIC, TLS_REQUIRED, TLS_VERIFIED,
};

#define ALL	(sizeof(all) / sizeof(all[0]))

static struct tls_policy
policy(enum tls_security wanted, bool immediately, bool is_named)
{
	return tls_policy_of(&(struct tls_policy_known){ .wanted = wanted,
	    .immediately = immediately, .is_named = is_named });
}

static void
the_block_decides_for_a_host_of_the_network(void **state)
{
	for (size_t i = 0; i < ALL; i++) {
		struct tls_policy p = policy(all[i], false, false);

		assert_int_equal(p.security, all[i]);
		assert_int_equal(tls_policy_starts(&p), all[i] != TLS_OFF);
		assert_int_equal(tls_policy_requires(&p),
		    all[i] == TLS_REQUIRED || all[i] == TLS_VERIFIED);
		assert_int_equal(tls_policy_verifies(&p),
		    all[i] == TLS_VERIFIED);
	}
}

static void
a_unix_socket_needs_tls_only_where_it_is_demanded(void **state)
{
	for (size_t i = 0; i < ALL; i++) {
		struct tls_policy p = tls_policy_of(
		    &(struct tls_policy_known){ .wanted = all[i],
		    .is_unix = true });

		assert_int_equal(p.security, all[i] == TLS_OPPORTUNISTIC ?
		    TLS_OFF : all[i]);
	}
}

static void
clear_text_follows_a_failure_only_where_nothing_is_given_away(void **state)
{
	for (size_t i = 0; i < ALL; i++)
		for (int bits = 0; bits < 8; bits++) {
			struct tls_policy p = policy(all[i], bits & 1, false);
			bool login = bits & 2, is_local = bits & 4;

			assert_int_equal(tls_policy_may_go_clear(&p, login,
			    is_local), all[i] == TLS_OPPORTUNISTIC &&
			    !(bits & 1) && (!login || is_local));
		}
}

static void
only_equal_policies_share_a_connection(void **state)
{
	for (size_t i = 0; i < ALL * 4; i++)
		for (size_t j = 0; j < ALL * 4; j++) {
			struct tls_policy a = policy(all[i / 4], i & 1, i & 2),
			    b = policy(all[j / 4], j & 1, j & 2);
			int ab = tls_policy_compare(&a, &b),
			    ba = tls_policy_compare(&b, &a);

			assert_int_equal(ab == 0, i == j);
			assert_true((ab > 0) == (ba < 0));
		}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_block_decides_for_a_host_of_the_network),
		cmocka_unit_test(
		    a_unix_socket_needs_tls_only_where_it_is_demanded),
		cmocka_unit_test(
		clear_text_follows_a_failure_only_where_nothing_is_given_away),
		cmocka_unit_test(only_equal_policies_share_a_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
