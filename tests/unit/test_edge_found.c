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
#include "edge/drop/odd.h"

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
what_is_odd_is_known_until_it_changes(void **state)
{
	struct stat st = { .st_ino = 7, .st_ctim = { 100, 5 } };
	struct odd o = { 0 };

	assert_false(odd_is_known(&o, &st));
	assert_true(odd_add(&o, &st));
	assert_true(odd_add(&o, &st));
	assert_int_equal(o.cnt, 1);
	assert_true(odd_is_known(&o, &st));
	st.st_ctim.tv_nsec++;
	assert_false(odd_is_known(&o, &st));
	st.st_ctim.tv_nsec--;
	for (uint64_t i = 0; i < 1000000; i++) {
		const struct stat one = { .st_ino = i + 100,
		    .st_ctim = { 100, 5 } };

		assert_int_equal(odd_add(&o, &one), !odd_is_full(&o) ||
		    odd_is_known(&o, &one));
	}
	assert_true(odd_is_full(&o) && o.cnt < ODD_MAX);
	assert_true(odd_is_known(&o, &st));
	odd_free(&o);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_hundred_thousand_of_one_user_hold_up_nobody),
		cmocka_unit_test(what_many_users_have_is_bounded),
		cmocka_unit_test(what_is_odd_is_known_until_it_changes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
