/* Ids sort by age, and read back what they write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/id.h"

static const uint8_t chance[8] = { 255, 255, 255, 255, 255, 255, 255, 255 };

static void
an_id_is_a_uuid_of_version_7(void **state)
{
	struct id last = { { 0 } }, id;
	char text[ID_TEXT_LEN + 1];

	(void)state;
	id = id_next(&last, 0x0123456789ab, chance);
	id_text(id, text);
	assert_string_equal(text, "01234567-89ab-7000-bfff-ffffffffffff");
	assert_int_equal(id_cmp(id, last), 0);
}

static void
ids_grow_though_the_clock_stands_or_goes_back(void **state)
{
	struct id last = { { 0 } }, before, id;

	(void)state;
	before = id_next(&last, 1000000, chance);
	for (int i = 0; i < 20000; i++) {
		id = id_next(&last, i % 3 == 0 ? -5 : 1000000 - i % 2, chance);
		assert_true(id_cmp(before, id) < 0);
		assert_int_equal(id.b[6] >> 4, 7);
		assert_int_equal(id.b[8] >> 6, 2);
		before = id;
	}
	id = id_next(&last, 2000000, chance);
	assert_true(id_cmp(before, id) < 0);
}

/* The same time, count and chance on two hosts. */
static void
no_two_nodes_mint_the_same(void **state)
{
	static const uint16_t nodes[] = { 0, 1, 2, 258, 65535 };
	static const char *const ends[] = { "ffff", "0001", "0002", "0102",
	    "ffff" };

	(void)state;
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		uint8_t random8[8];
		struct id last = { { 0 } };
		char text[ID_TEXT_LEN + 1];

		memcpy(random8, chance, sizeof(random8));
		id_set_node(random8, nodes[i]);
		id_text(id_next(&last, 0x0123456789ab, random8), text);
		assert_string_equal(text + ID_TEXT_LEN - 4, ends[i]);
		text[ID_TEXT_LEN - 4] = '\0';
		assert_string_equal(text, "01234567-89ab-7000-bfff-ffffffff");
	}
}

static void
text_reads_back_in_either_case(void **state)
{
	struct id id = { { 0x01, 0xff, 0xab, 4, 5, 6, 7, 8, 9, 10 } }, again;
	char text[ID_TEXT_LEN + 1];

	(void)state;
	id_text(id, text);
	assert_true(id_parse(span_of(text), &again));
	assert_int_equal(id_cmp(id, again), 0);
	text[2] = 'F';
	assert_true(id_parse(span_of(text), &again));
	assert_int_equal(id_cmp(id, again), 0);
}

static void
every_truncation_and_foreign_byte_is_refused(void **state)
{
	const char *good = "01234567-89ab-7000-bfff-ffffffffffff";
	char text[ID_TEXT_LEN + 2];
	struct id id;

	(void)state;
	for (size_t i = 0; i < ID_TEXT_LEN; i++) {
		assert_false(id_parse(span_head(span_of(good), i), &id));
		memcpy(text, good, ID_TEXT_LEN + 1);
		text[i] = 'g';
		assert_false(id_parse(span_of(text), &id));
	}
	assert_false(id_parse(SPAN("01234567-89ab-7000-bfff-fffffffffffff"),
	    &id));
}

static void
what_begins_an_id_is_the_first_and_the_last_of_them(void **state)
{
	const char *whole = "01234567-89ab-7000-bfff-0123456789ab";
	struct id first, last, id;
	char text[ID_TEXT_LEN + 1];

	(void)state;
	assert_true(id_parse(span_of(whole), &id));
	for (size_t i = 0; i <= ID_TEXT_LEN; i++) {
		struct span s = span_head(span_of(whole), i);

		assert_true(id_range(s, &first, &last));
		assert_true(id_cmp(first, id) <= 0 && id_cmp(id, last) <= 0);
		id_text(first, text);
		assert_memory_equal(text, whole, i);
		id_text(last, text);
		assert_memory_equal(text, whole, i);
	}
	assert_int_equal(id_cmp(first, last), 0);
	assert_true(id_range(SPAN("0123F"), &first, &last));
	id_text(last, text);
	assert_string_equal(text, "0123ffff-ffff-ffff-ffff-ffffffffffff");
	assert_false(id_range(SPAN("0123456789"), &first, &last));
	assert_false(id_range(SPAN("0123g"), &first, &last));
	assert_false(id_range(SPAN("ann@here.example"), &first, &last));
	assert_false(id_range(SPAN("01234567-89ab-7000-bfff-0123456789ab0"),
	    &first, &last));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_id_is_a_uuid_of_version_7),
		cmocka_unit_test(ids_grow_though_the_clock_stands_or_goes_back),
		cmocka_unit_test(no_two_nodes_mint_the_same),
		cmocka_unit_test(text_reads_back_in_either_case),
		cmocka_unit_test(
		    what_begins_an_id_is_the_first_and_the_last_of_them),
		cmocka_unit_test(every_truncation_and_foreign_byte_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
