/*
 * MX records in, hosts in their order out.
 *
 * room: relay
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "relay/mx/mx_choose.h"
#include "wire_records.h"

static struct wire_records records;
static struct mx_hosts got;
static uint32_t seed;

static bool
is_ours(struct span name, const void *arg)
{
	return arg != NULL && span_eq(name, span_of(arg));
}

static int
set_up(void **state)
{
	seed = 4711;
	wire_records_begin(&records);
	return 0;
}

static void
mx(uint16_t preference, const char *name)
{
	wire_records_mx(&records, preference, name);
}

static enum mx_chosen
choose(const char *ourselves)
{
	return mx_choose(&got, wire_records_span(&records), is_ours, ourselves,
	    &seed);
}

/* The hosts are these, a blank between. */
static void
want(const char *names)
{
	char text[2000] = "";

	for (unsigned i = 0; i < got.cnt; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text),
		    "%s%s", i > 0 ? " " : "", got.hosts[i].name);
	assert_string_equal(text, names);
}

static void
the_lower_number_comes_first(void **state)
{
	mx(300, "c.example");
	mx(5, "a.example");
	mx(256, "B.Example");
	assert_int_equal(choose(NULL), MX_HOSTS);
	want("a.example b.example c.example");
	assert_int_equal(got.hosts[1].preference, 256);
}

static void
equals_are_shuffled_for_each_attempt_and_fairly(void **state)
{
	unsigned first[4] = { 0 };

	mx(20, "e.example");
	for (int i = 0; i < 4; i++) {
		char name[] = "a.example";

		name[0] = (char)('a' + i);
		mx(10, name);
	}
	for (int i = 0; i < 4000; i++) {
		assert_int_equal(choose(NULL), MX_HOSTS);
		assert_int_equal(got.cnt, 5);
		assert_string_equal(got.hosts[4].name, "e.example");
		first[got.hosts[0].name[0] - 'a']++;
	}
	for (int i = 0; i < 4; i++)
		assert_in_range(first[i], 850, 1150);
}

static void
the_root_alone_takes_no_mail(void **state)
{
	mx(0, ".");
	assert_int_equal(choose(NULL), MX_NULL);
}

static void
the_root_among_others_is_passed_over(void **state)
{
	mx(0, ".");
	mx(10, "a.example");
	assert_int_equal(choose(NULL), MX_HOSTS);
	want("a.example");
}

static void
what_names_no_host_is_passed_over(void **state)
{
	mx(1, "192.0.2.1");
	mx(2, "a b.example");
	mx(3, "a.example");
	mx(4, "b\303\244.example");
	assert_int_equal(choose(NULL), MX_HOSTS);
	want("a.example");
	set_up(NULL);
	mx(1, "192.0.2.1");
	mx(1, "c d");
	assert_int_equal(choose(NULL), MX_UNUSABLE);
	set_up(NULL);
	assert_int_equal(choose(NULL), MX_UNUSABLE);
}

static void
our_own_place_and_all_behind_it_are_left_out(void **state)
{
	mx(10, "a.example");
	mx(20, "us.example");
	mx(20, "equal.example");
	mx(30, "worse.example");
	mx(15, "b.example");
	assert_int_equal(choose("us.example"), MX_HOSTS);
	want("a.example b.example");
	assert_int_equal(choose("a.example"), MX_OURSELVES);
	assert_int_equal(choose("other.example"), MX_HOSTS);
	assert_int_equal(got.cnt, 5);
}

static void
our_best_place_counts(void **state)
{
	mx(65535, "us.example");
	mx(5, "US.example");
	mx(7, "a.example");
	assert_int_equal(choose("us.example"), MX_OURSELVES);
}

static void
a_host_that_stands_twice_is_tried_once(void **state)
{
	mx(30, "a.example");
	mx(10, "a.example");
	mx(20, "b.example");
	mx(20, "b.example");
	mx(40, "a.example");
	assert_int_equal(choose(NULL), MX_HOSTS);
	want("a.example b.example");
}

static void
of_many_the_best_and_some_others_are_taken(void **state)
{
	bool seen[601] = { false };
	unsigned missing = 0, no;

	for (int i = 600; i > 0; i--) {
		char name[32];

		snprintf(name, sizeof(name), "h%d.example", i);
		mx((uint16_t)i, name);
	}
	assert_false(records.out.bad);
	for (int turn = 0; turn < 2000; turn++) {
		assert_int_equal(choose(NULL), MX_HOSTS);
		assert_int_equal(got.cnt, MX_CHOOSE_MAX);
		assert_true(got.left_out);
		for (unsigned i = 0; i < got.cnt; i++) {
			assert_int_equal(sscanf(got.hosts[i].name, "h%u.",
			    &no), 1);
			assert_int_equal(got.hosts[i].preference, no);
			assert_true(i >= 5 ? no > 5 : no == i + 1);
			assert_true(i == 0 ||
			    no > got.hosts[i - 1].preference);
			seen[no] = true;
		}
	}
	for (no = 1; no <= 600; no++)
		missing += !seen[no];
	assert_int_equal(missing, 0);
}

static void
we_are_found_behind_the_tenth_place_too(void **state)
{
	for (int i = 0; i < 20; i++) {
		char name[32];

		snprintf(name, sizeof(name), "h%d.example", i);
		mx(10, name);
	}
	mx(10, "us.example");
	assert_int_equal(choose("us.example"), MX_OURSELVES);
}

/* The longest name, and what is one byte too long for one. */
static void
the_longest_name_is_taken_and_no_longer_one(void **state)
{
	char name[300];
	size_t len = 0;

	while (len < 192)
		len += (size_t)snprintf(name + len, sizeof(name) - len,
		    "%063d.", 0);
	snprintf(name + len, sizeof(name) - len, "%061d", 0);
	assert_int_equal(strlen(name), 253);
	mx(1, name);
	assert_int_equal(choose(NULL), MX_HOSTS);
	want(name);
	set_up(NULL);
	snprintf(name + len, sizeof(name) - len, "%062d", 0);
	mx(1, name);
	assert_int_equal(choose(NULL), MX_UNUSABLE);
}

static void
odd_bytes_are_no_record(void **state)
{
	static const struct span odd[] = {
		{ "", 0 }, { "\0", 1 }, { "\0\1", 2 }, { "\0\1\1", 3 },
		{ "\0\1\1a", 4 }, { "\0\1\1a\1", 5 }, { "\0\1\1a\0\0", 6 },
		{ "\0\1\300\14", 4 }, { "\0\1\3a.b\0", 7 },
		{ "\0\1\3a\0b\0", 7 }, { "\0\1\100a\0", 5 },
		{ "\0\1\0\0", 4 },
	};

	for (size_t i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		set_up(NULL);
		wire_records_add(&records, odd[i].ptr, odd[i].len);
		assert_int_equal(choose(NULL), MX_UNUSABLE);
		mx(9, "a.example");
		assert_int_equal(choose(NULL), MX_HOSTS);
		want("a.example");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_lower_number_comes_first, set_up),
		cmocka_unit_test_setup(
		    equals_are_shuffled_for_each_attempt_and_fairly, set_up),
		cmocka_unit_test_setup(the_root_alone_takes_no_mail, set_up),
		cmocka_unit_test_setup(the_root_among_others_is_passed_over,
		    set_up),
		cmocka_unit_test_setup(what_names_no_host_is_passed_over,
		    set_up),
		cmocka_unit_test_setup(
		    our_own_place_and_all_behind_it_are_left_out, set_up),
		cmocka_unit_test_setup(our_best_place_counts, set_up),
		cmocka_unit_test_setup(a_host_that_stands_twice_is_tried_once,
		    set_up),
		cmocka_unit_test_setup(
		    of_many_the_best_and_some_others_are_taken, set_up),
		cmocka_unit_test_setup(
		    we_are_found_behind_the_tenth_place_too, set_up),
		cmocka_unit_test_setup(
		    the_longest_name_is_taken_and_no_longer_one, set_up),
		cmocka_unit_test_setup(odd_bytes_are_no_record, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
