/*
 * test_slack - what a flood has left is given back, and nothing else is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/slack.h"

#define BLOCKS		8000
#define BLOCK_LEN	8000	/* below what malloc maps by itself */
#define FLOOD		((size_t)BLOCKS * BLOCK_LEN)

static char	*blocks[BLOCKS];

static size_t
resident(void)
{
	FILE *f = fopen("/proc/self/statm", "r");
	unsigned long all = 0, here = 0;

	assert_non_null(f);
	assert_int_equal(fscanf(f, "%lu %lu", &all, &here), 2);
	fclose(f);
	return here * (size_t)sysconf(_SC_PAGESIZE);
}

/* Something lasts on top of it, as a session of another client would. */
static void *
flood(void)
{
	void *last;

	for (size_t i = 0; i < BLOCKS; i++) {
		assert_non_null(blocks[i] = malloc(BLOCK_LEN));
		memset(blocks[i], 1, BLOCK_LEN);
	}
	assert_non_null(last = malloc(100));
	return last;
}

static void
ebb(void)
{
	for (size_t i = 0; i < BLOCKS; i++)
		free(blocks[i]);
}

static void
what_a_flood_left_is_given_back_each_time(void **state)
{
	void *last[3];

	(void)slack_look();
	for (unsigned i = 0; i < 3; i++) {
		size_t before = resident();

		last[i] = flood();
		assert_true(resident() > before + FLOOD / 2);
		ebb();
		assert_true(resident() > before + FLOOD / 2);
		assert_true(slack_look() > FLOOD / 2);
		assert_true(resident() < before + FLOOD / 4);
	}
	for (unsigned i = 0; i < 3; i++)
		free(last[i]);
}

/* The first look comes in the midst of the ebb. */
static void
what_is_freed_after_a_look_is_given_back_too(void **state)
{
	size_t before = resident();
	void *last = flood();

	for (size_t i = 0; i < BLOCKS / 2; i++)
		free(blocks[i]);
	(void)slack_look();
	for (size_t i = BLOCKS / 2; i < BLOCKS; i++)
		free(blocks[i]);
	assert_true(slack_look() > FLOOD / 4);
	assert_true(resident() < before + FLOOD / 4);
	free(last);
}

static void
what_was_given_back_is_not_given_twice(void **state)
{
	void *last = flood();

	ebb();
	assert_true(slack_look() > 0);
	for (unsigned i = 0; i < 100; i++)
		assert_int_equal(slack_look(), 0);
	free(last);
}

static void
what_is_in_use_stays(void **state)
{
	void *last = flood();

	assert_int_equal(slack_look(), 0);
	for (size_t i = 0; i < BLOCKS; i++)
		assert_int_equal(blocks[i][BLOCK_LEN - 1], 1);
	ebb();
	free(last);
	(void)slack_look();
}

#define TEST(t)	cmocka_unit_test(t)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_a_flood_left_is_given_back_each_time),
		TEST(what_is_freed_after_a_look_is_given_back_too),
		TEST(what_was_given_back_is_not_given_twice),
		TEST(what_is_in_use_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
