/*
 * Silence and trickling within a message, with the time as a number.
 *
 * room: edge
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "edge/client/pace.h"

/* Say len bytes each gap_ms; the time at which it is too slow, 0 never. */
static int64_t
too_slow_at(size_t len, int64_t gap_ms, uint64_t min_rate, int64_t until_ms)
{
	struct pace p;

	pace_begin(&p, 5000);
	for (int64_t now = gap_ms; now <= until_ms; now += gap_ms)
		if (!pace_took(&p, len, min_rate, 5000 + now))
			return now;
	return 0;
}

static void
who_sends_enough_may_take_as_long_as_it_wants(void **state)
{
	assert_int_equal(too_slow_at(16000, 1000, 1024, 4000000), 0);
	assert_int_equal(too_slow_at(1024, 1000, 1024, 4000000), 0);
	assert_int_equal(too_slow_at(60 * 1024, 59000, 1024, 4000000), 0);
	assert_int_equal(too_slow_at(1, 1000, 0, 4000000), 0);
}

static void
who_trickles_is_told_after_a_minute(void **state)
{
	assert_int_equal(too_slow_at(1000, 1000, 1024, 4000000), 60000);
	assert_int_equal(too_slow_at(1, 1, 1024, 4000000), 60000);
	assert_int_equal(too_slow_at(1, 9000, 1024, 4000000), 63000);
}

/* Six silences are a minute of sending, however long they are. */
static void
a_silence_counts_ten_seconds(void **state)
{
	assert_int_equal(too_slow_at(1, 500000, 1024, 4000000), 3000000);
	assert_int_equal(too_slow_at(60 * 1024, 500000, 1024, 4000000), 0);
}

static void
what_came_ahead_is_no_credit(void **state)
{
	struct pace p;

	pace_begin(&p, 0);
	assert_true(pace_took(&p, 50u << 20, 1024, 1));
	for (int64_t now = 1001; now < 60000; now += 1000)
		assert_true(pace_took(&p, 1, 1024, now));
	assert_false(pace_took(&p, 1, 1024, 60001));
}

static void
time_in_which_nobody_read_does_not_count(void **state)
{
	struct pace p;

	pace_begin(&p, 0);
	for (int64_t now = 9000; now < 4000000; now += 9000) {
		pace_skip(&p, now);
		assert_true(pace_took(&p, 1, 1024, now));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_sends_enough_may_take_as_long_as_it_wants),
		cmocka_unit_test(who_trickles_is_told_after_a_minute),
		cmocka_unit_test(a_silence_counts_ten_seconds),
		cmocka_unit_test(what_came_ahead_is_no_credit),
		cmocka_unit_test(time_in_which_nobody_read_does_not_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
