/*
 * What is remembered of those who guess, with the time as a number.
 *
 * room: vault
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>

#include "vault/sip.h"
#include "vault/standing.h"

static struct standing *s;

static int
begin(void **state)
{
	return standing_new(&s) == OK ? 0 : -1;
}

static int
end(void **state)
{
	standing_free(&s);
	return 0;
}

static int64_t
bad(const char *client, const char *user, const char *password, int64_t now)
{
	return standing_bad(s, span_of(client), span_of(user),
	    span_of(password), now);
}

static void
the_hash_is_siphash(void **state)
{
	static const struct sip_key k = {
		0x0706050403020100u, 0x0f0e0d0c0b0a0908u
	};
	char text[15];

	for (unsigned i = 0; i < sizeof(text); i++)
		text[i] = (char)i;
	assert_true(sip_hash(&k, (struct span){ text, 15 }) ==
	    0xa129ca6149be45e5u);
	assert_true(sip_hash(&k, SPAN("")) == 0x726fdb47dd0e0e31u);
}

static void
each_failure_costs_the_next_one_time(void **state)
{
	char password[16];
	int64_t ms = 0, before = -1;

	for (int i = 0; i < 10; i++) {
		snprintf(password, sizeof(password), "p%d", i);
		ms = bad("192.0.2.1", "ann", password, 1000);
		assert_true(i == 0 ? ms == 0 : ms > before);
		before = ms;
	}
	for (int i = 10; i < 100; i++) {
		snprintf(password, sizeof(password), "p%d", i);
		ms = bad("192.0.2.1", "ann", password, 1000);
	}
	assert_int_equal(ms, STANDING_DELAY_MAX_MS);
}

static void
failures_go_with_the_user_and_the_network(void **state)
{
	char user[16];

	(void)bad("192.0.2.1", "ann", "a", 0);
	for (int i = 0; i < 3; i++) {
		snprintf(user, sizeof(user), "v4-%d", i);
		assert_int_equal(bad("192.0.2.8", user, "a", 0), 0);
		snprintf(user, sizeof(user), "v6-%d", i);
		assert_int_equal(bad("2001:db8:1:1::/64", user, "a", 0), 0);
	}
	assert_true(bad("192.0.2.99", "bob", "b", 0) > 0);
	assert_true(bad("198.51.100.1", "ann", "c", 0) > 0);
	assert_int_equal(bad("198.51.101.1", "carl", "d", 0), 0);
	(void)bad("2001:db8:1:2::/64", "x", "a", 0);
	assert_true(bad("2001:db8:1:ffff::/64", "y", "b", 0) > 0);
	assert_int_equal(bad("2001:db8:2::/64", "z", "b", 0), 0);
	(void)bad("uid:1000", "v", "a", 0);
	assert_int_equal(bad("uid:1001", "w", "b", 0), 0);
}

static void
the_same_password_again_counts_once(void **state)
{
	for (int i = 0; i < 50; i++)
		assert_int_equal(bad("192.0.2.1", "ann", "old", i), 0);
	assert_true(bad("192.0.2.1", "ann", "new", 60) > 0);
	/* It is another's with another. */
	(void)bad("192.0.2.1", "bob", "x", 70);
	assert_true(bad("192.0.2.1", "bob", "old", 80) > 0);
}

static void
failures_fade(void **state)
{
	char password[16];

	for (int i = 0; i < 16; i++) {
		snprintf(password, sizeof(password), "p%d", i);
		(void)bad("192.0.2.1", "ann", password, 0);
	}
	assert_true(bad("192.0.2.1", "ann", "x", STANDING_FADE_MS) > 0);
	assert_int_equal(bad("192.0.2.1", "ann", "y", 10 * STANDING_FADE_MS),
	    0);
}

static void
who_logged_in_well_is_good_for_a_day_unless_he_strikes(void **state)
{
	const struct span home = SPAN("192.0.2.1");
	char password[16];

	assert_false(standing_is_good(s, home, 0));
	standing_good(s, home, 0);
	assert_true(standing_is_good(s, home, STANDING_GOOD_MS - 1));
	assert_false(standing_is_good(s, SPAN("192.0.2.2"), 0));
	assert_false(standing_is_good(s, home, STANDING_GOOD_MS));
	for (int i = 0; i < STANDING_STRIKES; i++) {
		assert_true(standing_is_good(s, home, 0));
		snprintf(password, sizeof(password), "p%d", i);
		(void)bad("192.0.2.1", "ann", password, 0);
	}
	assert_false(standing_is_good(s, home, 0));
}

/* A flood of names pushes out none that means something. */
static void
who_is_good_outlasts_a_flood(void **state)
{
	char user[32];

	standing_good(s, SPAN("192.0.2.1"), 0);
	for (int i = 0; i < 100000; i++) {
		snprintf(user, sizeof(user), "u%d", i);
		(void)bad("203.0.113.1", user, "x", 1);
	}
	assert_true(standing_is_good(s, SPAN("192.0.2.1"), 2));
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_hash_is_siphash),
		TEST(each_failure_costs_the_next_one_time),
		TEST(failures_go_with_the_user_and_the_network),
		TEST(the_same_password_again_counts_once),
		TEST(failures_fade),
		TEST(who_logged_in_well_is_good_for_a_day_unless_he_strikes),
		TEST(who_is_good_outlasts_a_flood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
