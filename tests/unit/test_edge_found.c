/*
 * test_edge_found - whose file comes next, and which are known to be odd.
 *
 * room: edge
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "edge/drop/found.h"
#include "edge/drop/leftovers.h"

static void
a_hundred_thousand_of_one_user_hold_up_nobody(void **state)
{
	char name[FOUND_NAME_MAX + 1];
	struct found f;
	unsigned kept = 0;

	found_init(&f);
	for (unsigned i = 0; i < 100000; i++) {
		snprintf(name, sizeof(name), "new.%u", i);
		kept += found_add(&f, 1000, name) == OK;
	}
	assert_int_equal(kept, FOUND_USER_MAX);
	assert_int_equal(found_add(&f, 1001, "new.ann"), OK);
	assert_int_equal(found_take(&f, name), OK);
	assert_string_equal(name, "new.0");
	assert_int_equal(found_take(&f, name), OK);
	assert_string_equal(name, "new.ann");
	assert_int_equal(found_take(&f, name), OK);
	assert_string_equal(name, "new.1");
	found_clear(&f);
	assert_int_equal(f.cnt, 0);
	assert_int_equal(f.user_cnt, 0);
}

static void
what_many_users_have_is_bounded(void **state)
{
	char name[FOUND_NAME_MAX + 1];
	unsigned kept = 0;
	struct found f;

	found_init(&f);
	for (uint32_t uid = 0; uid < 2 * FOUND_USERS_MAX; uid++)
		for (unsigned i = 0; i < 100; i++) {
			snprintf(name, sizeof(name), "new.%u.%u", uid, i);
			kept += found_add(&f, uid, name) == OK;
		}
	assert_int_equal(kept, FOUND_MAX);
	assert_true(f.user_cnt <= FOUND_USERS_MAX);
	for (unsigned i = 0; i < FOUND_MAX; i++)
		assert_int_equal(found_take(&f, name), OK);
	assert_int_equal(found_take(&f, name), ERR_NONE);
}

static void
a_file_is_known_until_something_is_done_to_it(void **state)
{
	struct stat st = { .st_ino = 7, .st_ctim = { 100, 5 } };
	struct leftover *f;
	struct leftovers k = { 0 };

	assert_null(leftovers_find(&k, &st));
	assert_non_null(f = leftovers_add(&k, &st));
	f->tries = 3;
	f->due_ms = LEFTOVERS_ODD;
	assert_ptr_equal(leftovers_add(&k, &st), f);
	assert_int_equal(k.cnt, 1);
	st.st_ctim.tv_nsec++;
	assert_null(leftovers_find(&k, &st));
	st.st_ctim.tv_nsec--;
	assert_non_null(f = leftovers_find(&k, &st));
	assert_int_equal(f->tries, 3);
	leftovers_free(&k);
}

/* Files with numbers from first on. */
static unsigned
add_many(struct leftovers *k, uint64_t first, unsigned cnt)
{
	unsigned added = 0;

	for (uint64_t i = first; i < first + cnt; i++)
		added += leftovers_add(k, &(struct stat){ .st_ino = i,
		    .st_ctim = { 100, 5 } }) != NULL;
	return added;
}

static void
a_million_files_take_eight_mebibytes_at_most(void **state)
{
	struct leftovers k = { 0 };

	assert_int_equal(add_many(&k, 1, 1000000), LEFTOVERS_MAX / 4 * 3);
	assert_true(leftovers_is_full(&k));
	assert_int_equal(k.place_cnt, LEFTOVERS_MAX);
	assert_true(k.place_cnt * sizeof(*k.files) <= 8u << 20);
	assert_int_equal(add_many(&k, 1, 100000), 100000);
	leftovers_free(&k);
}

static void
what_a_round_has_not_seen_is_forgotten(void **state)
{
	const struct stat st = { .st_ino = 7, .st_ctim = { 100, 5 } };
	struct leftovers k = { 0 };

	assert_int_equal(add_many(&k, 1, 100000), 100000);
	leftovers_find(&k, &st)->tries = 9;
	leftovers_end_round(&k);
	assert_int_equal(add_many(&k, 1, 500), 500);
	leftovers_end_round(&k);
	assert_int_equal(k.cnt, 500);
	assert_true(k.place_cnt <= 1024);
	assert_int_equal(leftovers_find(&k, &st)->tries, 9);
	leftovers_end_round(&k);
	leftovers_end_round(&k);
	assert_int_equal(k.cnt, 0);
	assert_null(k.files);
}

static void
hurry_is_for_those_that_wait_alone(void **state)
{
	const struct stat waits = { .st_ino = 1, .st_ctim = { 1, 0 } };
	const struct stat odd = { .st_ino = 2, .st_ctim = { 1, 0 } };
	struct leftovers k = { 0 };

	leftovers_hurry(&k);
	leftovers_add(&k, &waits)->due_ms = 5000;
	leftovers_add(&k, &odd)->due_ms = LEFTOVERS_ODD;
	leftovers_hurry(&k);
	assert_true(leftovers_find(&k, &waits)->due_ms == 0);
	assert_true(leftovers_find(&k, &odd)->due_ms == LEFTOVERS_ODD);
	leftovers_free(&k);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_hundred_thousand_of_one_user_hold_up_nobody),
		cmocka_unit_test(what_many_users_have_is_bounded),
		cmocka_unit_test(a_file_is_known_until_something_is_done_to_it),
		cmocka_unit_test(
		    a_million_files_take_eight_mebibytes_at_most),
		cmocka_unit_test(what_a_round_has_not_seen_is_forgotten),
		cmocka_unit_test(hurry_is_for_those_that_wait_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
