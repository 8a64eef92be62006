/*
 * test_vault_hash - passwords checked on threads: right and wrong ones, in
 * what order, and how many at a time.
 *
 * room: vault
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <crypt.h>
#include <stdio.h>
#include <string.h>

#include "deaf.h"
#include "sys/clock.h"
#include "vault/hash.h"

#define MAX	600

struct world {
	struct ev_loop	*loop;
	struct hash_pool *pool;
	struct timer	 patience;
	unsigned	 cnt, wanted;
	struct { uint64_t asker, request; bool good;
	    enum hash_verdict verdict; } told[MAX];
};

static void
told(uint64_t asker, uint64_t request, enum hash_verdict verdict,
    const struct hash_question *q, void *arg)
{
	struct world *w = arg;

	assert_true(w->cnt < MAX);
	w->told[w->cnt].asker = asker;
	w->told[w->cnt].request = request;
	w->told[w->cnt].verdict = verdict;
	w->told[w->cnt++].good = verdict == HASH_GOOD;
	if (w->cnt == w->wanted)
		ev_stop(w->loop);
}

static void
out_of_patience(struct timer *t, void *arg)
{
	fail_msg("no answer came");
}

static int
begin(void **state)
{
	static struct world w;

	memset(&w, 0, sizeof(w));
	if (ev_open(&w.loop) != OK ||
	    hash_open(&w.pool, w.loop, told, &w) != OK)
		return -1;
	timer_init(&w.patience, w.loop, out_of_patience, &w);
	*state = &w;
	return 0;
}

static int
end(void **state)
{
	struct world *w = *state;

	timer_stop(&w->patience);
	hash_close(&w->pool);
	ev_close(&w->loop);
	return 0;
}

/* Wait until so many have been told in all. */
static void
await(struct world *w, unsigned cnt)
{
	w->wanted = cnt;
	timer_set(&w->patience, 60000);
	while (w->cnt < cnt)
		assert_int_equal(ev_run(w->loop), OK);
	timer_stop(&w->patience);
}

static void
stop(struct timer *t, void *arg)
{
	ev_stop(arg);
}

static void
pause_ms(struct world *w, int64_t ms)
{
	struct timer t;

	timer_init(&t, w->loop, stop, w->loop);
	timer_set(&t, ms);
	assert_int_equal(ev_run(w->loop), OK);
	timer_stop(&t);
}

static const char *
hash_of(const char *password, const char *prefix, unsigned long cost)
{
	static struct crypt_data room;
	char setting[CRYPT_GENSALT_OUTPUT_SIZE];

	assert_non_null(crypt_gensalt_rn(prefix, cost, NULL, 0, setting,
	    sizeof(setting)));
	memset(&room, 0, sizeof(room));
	assert_non_null(crypt_rn(password, setting, &room, sizeof(room)));
	return room.output;
}

static enum err
ask(struct world *w, const char *user, const char *client,
    const char *password, const char *setting, uint64_t request)
{
	return hash_check(w->pool, &(struct hash_question){
	    .user = span_of(user), .client = span_of(client),
	    .password = span_of(password), .setting = span_of(setting) },
	    1, request);
}

static void
every_method_tells_right_from_wrong(void **state)
{
	static const char *const methods[] = {
		"$y$", "$gy$", "$7$", "$2b$", "$6$", "$5$", "$1$",
	};
	struct world *w = *state;

	for (unsigned i = 0; i < sizeof(methods) / sizeof(methods[0]); i++) {
		char stored[256];

		snprintf(stored, sizeof(stored), "%s",
		    hash_of("wheel barrow", methods[i], 0));
		assert_int_equal(ask(w, "a", "c", "wheel barrow", stored, 1),
		    OK);
		await(w, 2 * i + 1);
		assert_true(w->told[2 * i].good);
		assert_int_equal(ask(w, "a", "c", "wheel barroW", stored, 2),
		    OK);
		await(w, 2 * i + 2);
		assert_false(w->told[2 * i + 1].good);
	}
}

/* Neither "no such user" nor an account that is locked lets anybody in. */
static void
nothing_is_the_password_of_nobody(void **state)
{
	static const char *const stored[] = {
		"", "!", "*", "*0", "*1", "x", "$y$", "$6$salt$", "secret",
	};
	struct world *w = *state;
	unsigned cnt = 0;

	for (size_t i = 0; i < sizeof(stored) / sizeof(stored[0]); i++) {
		assert_int_equal(ask(w, "a", "c", "secret", stored[i], 1),
		    OK);
		await(w, ++cnt);
		assert_int_equal(ask(w, "a", "c", stored[i], stored[i], 1),
		    OK);
		await(w, ++cnt);
	}
	for (unsigned i = 0; i < cnt; i++)
		assert_false(w->told[i].good);
}

/* 256 TiB: no machine has it, and the password may be right. */
static void
a_hash_that_does_not_fit_into_memory_is_nobodys_fault(void **state)
{
#define HASH43	"U4SOHmDd8SvW5vCUKSMR6N835VPwFAtgYNhQ9mFFeL5"
	static const char *const dear[] = {
		"$y$jXT$F5Jx5fExrKuPp53xLKQ..1$" HASH43,
		"$gy$jXT$F5Jx5fExrKuPp53xLKQ..1$" HASH43,
		"$7$YU..../....F5Jx5fExrKuPp53xLKQ$" HASH43,
	};
	struct world *w = *state;
	struct hash_question q = { SPAN("a"), SPAN("c"), SPAN("secret"),
	    span_of(dear[0]), true, 0, false };

	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(ask(w, "a", "c", "secret", dear[i], 1), OK);
		await(w, i + 1);
		assert_int_equal(w->told[i].verdict, HASH_CANNOT);
	}
	assert_int_equal(hash_check(w->pool, &q, 1, 1), OK);
	assert_int_equal(ask(w, "a", "c", "secret",
	    "$y$jXT$F5Jx5fExrKuPp53xLKQ..1$", 1), OK);
	await(w, 5);
	assert_int_equal(w->told[3].verdict, HASH_BAD);
	assert_int_equal(w->told[4].verdict, HASH_BAD);
}

/* The right password for the hash does not help whose hash it is not. */
static void
a_stand_in_lets_nobody_in(void **state)
{
	struct world *w = *state;
	struct hash_question q = { SPAN("a"), SPAN("c"), SPAN("secret"),
	    span_of(hash_of("secret", "$6$", 1000)), false, 0, false };

	assert_int_equal(hash_check(w->pool, &q, 1, 1), OK);
	await(w, 1);
	assert_true(w->told[0].good);
	q.is_stand_in = true;
	assert_int_equal(hash_check(w->pool, &q, 1, 2), OK);
	await(w, 2);
	assert_false(w->told[1].good);
}

/* crypt(3) would stop at the NUL, and find the rest in order. */
static void
a_password_does_not_end_at_a_nul(void **state)
{
	struct world *w = *state;
	struct hash_question q = { SPAN("a"), SPAN("c"), SPAN("secret\0x"),
	    span_of(hash_of("secret", "$6$", 1000)), false, 0, false };

	assert_int_equal(hash_check(w->pool, &q, 1, 1), OK);
	q.password = SPAN("secret\0");
	assert_int_equal(hash_check(w->pool, &q, 1, 2), OK);
	await(w, 2);
	assert_false(w->told[0].good || w->told[1].good);
}

static void
one_client_cannot_keep_a_user_out(void **state)
{
	struct world *w = *state;
	char dear[256];
	unsigned taken = 0;

	snprintf(dear, sizeof(dear), "%s", hash_of("a", "$2b$", 8));
	for (unsigned i = 0; i < 100; i++)
		taken += ask(w, "ann", "evil", "x", dear, i) == OK;
	assert_true(taken < HASH_WAITING_SAME);
	assert_int_equal(ask(w, "ann", "home", "a", dear, 999), OK);
	await(w, taken + 1);
}

static void
a_missing_user_takes_as_long_as_one_that_exists(void **state)
{
	struct world *w = *state;
	char stored[256];
	int64_t ms[2];

	snprintf(stored, sizeof(stored), "%s", hash_of("a", "$y$", 0));
	for (unsigned i = 0; i < 2; i++) {
		int64_t start = clock_mono_ms();

		for (unsigned k = 0; k < 10; k++) {
			assert_int_equal(ask(w, "u", "c", "b",
			    i == 0 ? stored : "", k), OK);
			await(w, w->cnt + 1);
		}
		ms[i] = clock_mono_ms() - start;
	}
	assert_in_range(ms[1], ms[0] / 4, ms[0] * 4 + 10);
}

/* Four dear checks of one user leave threads for the cheap one of another. */
static void
dear_hashes_do_not_hold_up_others(void **state)
{
	struct world *w = *state;
	char dear[256], cheap[256];

	snprintf(dear, sizeof(dear), "%s", hash_of("a", "$2b$", 11));
	snprintf(cheap, sizeof(cheap), "%s", hash_of("a", "$1$", 0));
	for (unsigned i = 0; i < HASH_THREADS; i++)
		assert_int_equal(ask(w, "dear", "c", "a", dear, i), OK);
	/* Of the same client even: many sit behind one address. */
	assert_int_equal(ask(w, "cheap", "c", "a", cheap, 77), OK);
	await(w, 1);
	assert_int_equal(w->told[0].request, 77);
	assert_true(w->told[0].good);
	await(w, 1 + HASH_THREADS);
}

/* One check of a crowd: the i-th client of a network tries a user. */
static enum err
ask_over(struct world *w, uint64_t asker, unsigned network, unsigned client,
    bool is_good, const char *user, const char *setting, uint64_t request)
{
	char text[32];

	snprintf(text, sizeof(text), "%u.%u", network, client);
	return hash_check(w->pool, &(struct hash_question){
	    .user = span_of(user), .client = span_of(text),
	    .password = SPAN("x"), .setting = span_of(setting),
	    .network = network, .is_good = is_good }, asker, request);
}

static enum err
ask_from(struct world *w, unsigned network, unsigned client, bool is_good,
    const char *user, const char *setting, uint64_t request)
{
	return ask_over(w, 1, network, client, is_good, user, setting,
	    request);
}

/* When, of all that were looked at, it was its turn; 0: it gave way. */
static unsigned
turn_of(const struct world *w, uint64_t request)
{
	unsigned turn = 0;

	for (unsigned i = 0; i < w->cnt; i++) {
		turn += w->told[i].verdict != HASH_GAVE_WAY;
		if (w->told[i].request == request)
			return w->told[i].verdict == HASH_GAVE_WAY ? 0 : turn;
	}
	fail_msg("no word of %u", (unsigned)request);
	return 0;
}

/* Give every thread so much to do that all that follows waits together. */
static void
keep_busy(struct world *w)
{
	char user[16], dear[256];

	snprintf(dear, sizeof(dear), "%s", hash_of("a", "$2b$", 13));
	for (unsigned i = 0; i < HASH_THREADS; i++) {
		snprintf(user, sizeof(user), "busy%u", i);
		assert_int_equal(ask_from(w, 900 + i, 0, true, user, dear,
		    5000 + i), OK);
	}
	pause_ms(w, 20);
}

/* Whatever the others are, by address, by network, or by the user's name. */
static void
a_crowd_that_guesses_keeps_nobody_out(void **state)
{
	struct world *w = *state;
	char user[16], cheap[256];
	unsigned taken = HASH_THREADS;

	snprintf(cheap, sizeof(cheap), "%s", hash_of("a", "$1$", 0));
	keep_busy(w);
	for (unsigned i = 0; i < 30 * 16; i++) {
		snprintf(user, sizeof(user), "u%u", i);
		taken += ask_from(w, 1 + i % 16 / 8, i % 16, false,
		    i % 2 == 0 ? "ann" : user, cheap, i) == OK;
	}
	assert_int_equal(ask_from(w, 7, 0, false, "ann", cheap, 1001), OK);
	assert_int_equal(ask_from(w, 1, 99, false, "bob", cheap, 1002), OK);
	assert_int_equal(ask_from(w, 1, 0, true, "carl", cheap, 1003), OK);
	await(w, taken + 3);
	for (uint64_t r = 1001; r <= 1003; r++)
		assert_true(turn_of(w, r) > 0);
}

/* Twenty wait of one network, and each of these comes among the first. */
static void
turns_go_to_whom_they_went_longest_ago(void **state)
{
	struct world *w = *state;
	char user[16], cheap[256];

	snprintf(cheap, sizeof(cheap), "%s", hash_of("a", "$1$", 0));
	keep_busy(w);
	for (unsigned i = 0; i < 20; i++) {
		snprintf(user, sizeof(user), "u%u", i);
		assert_int_equal(ask_from(w, 1, i % 3, false, user, cheap, i),
		    OK);
	}
	assert_int_equal(ask_from(w, 1, 9, false, "bob", cheap, 1002), OK);
	assert_int_equal(ask_from(w, 2, 0, false, "ann", cheap, 1001), OK);
	assert_int_equal(ask_from(w, 1, 1, true, "carl", cheap, 1003), OK);
	await(w, HASH_THREADS + 23);
	for (uint64_t r = 1001; r <= 1003; r++)
		assert_in_range(turn_of(w, r), 1, 2 * HASH_THREADS + 7);
}

/* One edge lies about its clients: all from elsewhere, a quarter are good. */
static void
an_asker_that_floods_costs_itself_alone(void **state)
{
	struct world *w = *state;
	char user[16], cheap[256];
	unsigned taken = HASH_THREADS;

	snprintf(cheap, sizeof(cheap), "%s", hash_of("a", "$1$", 0));
	keep_busy(w);
	for (unsigned i = 0; i < 2 * HASH_WAITING_MAX; i++) {
		snprintf(user, sizeof(user), "u%u", i);
		taken += ask_over(w, 1, i, 0, i % 4 == 0, user, cheap, i) ==
		    OK;
	}
	assert_int_equal(ask_over(w, 2, 8000, 0, false, "ann", cheap, 1001),
	    OK);
	assert_int_equal(ask_over(w, 2, 8000, 0, false, "bob", cheap, 1002),
	    OK);
	await(w, taken + 2);
	for (uint64_t r = 1001; r <= 1002; r++)
		assert_in_range(turn_of(w, r), 1, 2 * HASH_THREADS + 7);
}

static void
all_that_wait_are_bounded(void **state)
{
	struct world *w = *state;
	char user[16], dear[256];
	unsigned taken = 0;

	snprintf(dear, sizeof(dear), "%s", hash_of("a", "$2b$", 8));
	for (unsigned i = 0; i < 2 * HASH_WAITING_MAX; i++) {
		snprintf(user, sizeof(user), "u%u", i);
		taken += ask_from(w, i, 0, false, user, dear, i) == OK;
	}
	assert_in_range(taken, HASH_WAITING_MAX, HASH_WAITING_MAX + 40);
	hash_forget(w->pool, 1);
	assert_true(hash_cnt(w->pool) <= taken);
}

static void
nobody_hears_what_was_forgotten(void **state)
{
	struct world *w = *state;
	char dear[256];

	snprintf(dear, sizeof(dear), "%s", hash_of("a", "$2b$", 8));
	for (unsigned i = 0; i < 6; i++)
		assert_int_equal(ask(w, "u", "c", "a", dear, i), OK);
	hash_forget(w->pool, 1);
	assert_int_equal(hash_check(w->pool, &(struct hash_question){
	    SPAN("v"), SPAN("d"), SPAN("a"), span_of(dear), false, 0, false },
	    2, 5), OK);
	await(w, 1);
	while (hash_cnt(w->pool) > 0)
		pause_ms(w, 5);
	assert_int_equal(w->cnt, 1);
	assert_int_equal(w->told[0].asker, 2);
	assert_true(w->told[0].good);
}

static void
a_lost_wake_up_keeps_no_answer_back(void **state)
{
	struct world *w = *state;
	char good[256];

	snprintf(good, sizeof(good), "%s", hash_of("a", "$1$", 0));
	assert_true(deaf_make() > 0);
	for (unsigned i = 0; i < 5; i++) {
		assert_int_equal(ask(w, "u", "c", "a", good, i), OK);
		await(w, i + 1);
		assert_true(w->told[i].good);
	}
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_method_tells_right_from_wrong),
		TEST(nothing_is_the_password_of_nobody),
		TEST(a_hash_that_does_not_fit_into_memory_is_nobodys_fault),
		TEST(a_stand_in_lets_nobody_in),
		TEST(a_password_does_not_end_at_a_nul),
		TEST(one_client_cannot_keep_a_user_out),
		TEST(a_missing_user_takes_as_long_as_one_that_exists),
		TEST(dear_hashes_do_not_hold_up_others),
		TEST(a_crowd_that_guesses_keeps_nobody_out),
		TEST(turns_go_to_whom_they_went_longest_ago),
		TEST(an_asker_that_floods_costs_itself_alone),
		TEST(all_that_wait_are_bounded),
		TEST(nobody_hears_what_was_forgotten),
		TEST(a_lost_wake_up_keeps_no_answer_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
