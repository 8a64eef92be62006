/*
 * test_master_fault - what deaths in a row come to.
 *
 * room: master
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "bus/boot.h"
#include "conf/slice/plan.h"
#include "master/fault.h"

#define STORE		"/spool/main"
#define EXITED(n)	((n) << 8)	/* as waitpid() has it */
#define SHORT_MS	200

static const int of_damage[] = {
	SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL, EXITED(BOOT_DAMAGED),
};
static const int of_else[] = {
	SIGKILL, SIGTERM, SIGSYS, EXITED(0), EXITED(1), EXITED(127),
	FAULT_NOT_STARTED,
};
#define CNT(a)	(sizeof(a) / sizeof((a)[0]))

static void
the_second_end_that_damage_explains_is_the_last(void **state)
{
	for (size_t i = 0; i < CNT(of_damage); i++)
		for (size_t j = 0; j < CNT(of_damage); j++) {
			struct fault f = { 0 };

			assert_false(fault_died(&f, of_damage[i], SHORT_MS,
			    j % 2, STORE));
			assert_false(f.is_over);
			assert_true(fault_died(&f, of_damage[j], SHORT_MS,
			    i % 2, STORE));
			assert_true(f.is_over);
			assert_non_null(strstr(f.why, "may be damaged"));
			assert_non_null(strstr(f.why,
			    "posternctl queue check " STORE));
		}
}

static void
no_other_end_is_evidence_of_damage(void **state)
{
	struct fault f = { 0 };

	for (unsigned i = 0; i < 1000; i++) {
		(void)fault_died(&f, of_else[i % CNT(of_else)], SHORT_MS, true,
		    STORE);
		assert_false(f.is_over);
	}
}

/* Nor does one such end make the row another. */
static void
a_kill_between_two_does_not_break_the_row(void **state)
{
	struct fault f = { 0 };

	(void)fault_died(&f, SIGBUS, 3600000, true, STORE);
	(void)fault_died(&f, SIGKILL, SHORT_MS, true, STORE);
	(void)fault_died(&f, SIGSEGV, SHORT_MS, true, STORE);
	assert_true(f.is_over);
}

static void
a_life_that_shows_it_sound_breaks_the_row(void **state)
{
	struct fault f = { 0 };

	for (unsigned i = 0; i < 100; i++) {
		(void)fault_died(&f, SIGBUS, FAULT_SOUND_MS, true, STORE);
		assert_false(f.is_over);
	}
	(void)fault_died(&f, SIGBUS, FAULT_SOUND_MS - 1, true, STORE);
	assert_true(f.is_over);
}

static void
what_has_no_store_is_started_for_ever(void **state)
{
	struct fault f = { 0 };

	for (unsigned i = 0; i < 1000; i++)
		(void)fault_died(&f, of_damage[i % CNT(of_damage)], SHORT_MS,
		    i % 3 > 0, "");
	assert_false(f.is_over);
}

static void
waits_double_up_to_five_seconds(void **state)
{
	static const int64_t want[] = {
		0, 100, 200, 400, 800, 1600, 3200, 5000, 5000, 5000,
	};
	struct fault f = { 0 };

	for (size_t i = 0; i < CNT(want); i++) {
		(void)fault_died(&f, SIGKILL, SHORT_MS, true, "");
		assert_int_equal(fault_wait_ms(&f), want[i]);
	}
	(void)fault_died(&f, SIGKILL, FAULT_FORGET_MS, true, "");
	assert_int_equal(fault_wait_ms(&f), 0);
}

static void
starts_that_fail_are_named_once_and_made_seldom(void **state)
{
	struct fault f = { 0 };
	unsigned named = 0;

	for (unsigned i = 0; i < 1000; i++)
		named += fault_died(&f, i % 2 ? EXITED(1) : FAULT_NOT_STARTED,
		    SHORT_MS, false, i % 5 ? "" : STORE);
	assert_int_equal(named, 1);
	assert_true(fault_is_named(&f));
	assert_false(f.is_over);
	assert_int_equal(fault_wait_ms(&f), FAULT_SLOW_MS);
	fault_works(&f);
	assert_false(fault_is_named(&f));
	for (unsigned i = 0; i < FAULT_STARTS - 1; i++)
		assert_false(fault_died(&f, EXITED(1), SHORT_MS, false, ""));
	assert_true(fault_died(&f, EXITED(1), SHORT_MS, false, ""));
}

static void
one_start_that_works_is_no_failure(void **state)
{
	struct fault f = { 0 };

	for (unsigned i = 0; i < 1000; i++)
		assert_false(fault_died(&f, SIGKILL, SHORT_MS,
		    i % (FAULT_STARTS - 1) == 0, ""));
}

static void
what_was_mended_has_both_chances_again(void **state)
{
	struct fault f = { 0 };

	for (unsigned i = 0; i < 3; i++) {
		assert_false(fault_died(&f, SIGBUS, 10, false, STORE));
		assert_true(fault_died(&f, SIGBUS, 10, false, STORE));
		assert_true(f.is_over);
		fault_clear(&f);
		assert_false(f.is_over);
		assert_false(fault_is_named(&f));
	}
}

static void
the_longest_path_leaves_the_sentence_whole(void **state)
{
	char path[PLAN_PATH_MAX];
	struct fault f = { 0 };

	memset(path, 'p', sizeof(path) - 1);
	path[0] = '/';
	path[sizeof(path) - 1] = '\0';
	(void)fault_died(&f, SIGBUS, 10, false, path);
	(void)fault_died(&f, SIGBUS, 10, false, path);
	assert_non_null(strstr(f.why, "run posternctl queue check /p"));
	assert_true(strlen(f.why) <= BUS_STR_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_second_end_that_damage_explains_is_the_last),
		cmocka_unit_test(no_other_end_is_evidence_of_damage),
		cmocka_unit_test(a_kill_between_two_does_not_break_the_row),
		cmocka_unit_test(a_life_that_shows_it_sound_breaks_the_row),
		cmocka_unit_test(what_has_no_store_is_started_for_ever),
		cmocka_unit_test(waits_double_up_to_five_seconds),
		cmocka_unit_test(
		    starts_that_fail_are_named_once_and_made_seldom),
		cmocka_unit_test(one_start_that_works_is_no_failure),
		cmocka_unit_test(what_was_mended_has_both_chances_again),
		cmocka_unit_test(the_longest_path_leaves_the_sentence_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
