/* Bytes as they cross the bus. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc.h"
#include "base/wire.h"
#include "dice.h"

static size_t
write_all(uint8_t *buf, size_t cap, bool *bad)
{
	struct wire_out w = { .buf = buf, .cap = cap };

	wire_u8(&w, 0x12);
	wire_u16(&w, 0x3456);
	wire_u32(&w, 0x789abcde);
	wire_u64(&w, 0x0102030405060708);
	wire_str(&w, SPAN("abc"), 3);
	wire_str(&w, SPAN(""), 0);
	*bad = w.bad;
	return w.len;
}

static const uint8_t want[] = {
	0x12, 0x56, 0x34, 0xde, 0xbc, 0x9a, 0x78,
	8, 7, 6, 5, 4, 3, 2, 1, 3, 0, 'a', 'b', 'c', 0, 0,
};

static void
integers_are_little_endian(void **state)
{
	uint8_t buf[64];
	bool bad;

	(void)state;
	assert_int_equal(write_all(buf, sizeof(buf), &bad), sizeof(want));
	assert_false(bad);
	assert_memory_equal(buf, want, sizeof(want));
}

static void
a_short_buffer_is_bad_and_never_overrun(void **state)
{
	uint8_t buf[64];
	bool bad;

	(void)state;
	for (size_t cap = 0; cap < sizeof(want); cap++) {
		memset(buf, 0xee, sizeof(buf));
		assert_true(write_all(buf, cap, &bad) <= cap);
		assert_true(bad);
		assert_int_equal(buf[cap], 0xee);
	}
}

static bool
read_all(const uint8_t *p, size_t len)
{
	struct wire_in r = { .pos = p, .end = p + len };
	bool same;

	same = wire_get_u8(&r) == 0x12;
	same &= wire_get_u16(&r) == 0x3456;
	same &= wire_get_u32(&r) == 0x789abcde;
	same &= wire_get_u64(&r) == 0x0102030405060708;
	same &= span_eq(wire_get_str(&r, 3), SPAN("abc"));
	same &= wire_get_str(&r, 3).len == 0;
	return wire_done(&r) && same;
}

static void
every_truncation_is_refused(void **state)
{
	uint8_t longer[sizeof(want) + 1] = { 0 };

	(void)state;
	assert_true(read_all(want, sizeof(want)));
	for (size_t len = 0; len < sizeof(want); len++)
		assert_false(read_all(want, len));
	memcpy(longer, want, sizeof(want));
	assert_false(read_all(longer, sizeof(longer)));
}

static void
a_bad_reader_gives_zeros_from_then_on(void **state)
{
	const uint8_t bytes[] = { 9, 0, 'a', 'b' };
	struct wire_in r = { .pos = bytes, .end = bytes + sizeof(bytes) };

	(void)state;
	assert_int_equal(wire_get_str(&r, 100).len, 0);
	assert_true(r.bad);
	assert_int_equal(wire_get_u8(&r), 0);
	assert_false(wire_done(&r));
}

static void
a_string_over_its_maximum_is_bad(void **state)
{
	const uint8_t bytes[] = { 2, 0, 'a', 'b' };
	struct wire_in r = { .pos = bytes, .end = bytes + sizeof(bytes) };
	uint8_t buf[8];
	struct wire_out w = { .buf = buf, .cap = sizeof(buf) };

	(void)state;
	assert_int_equal(wire_get_str(&r, 1).len, 0);
	assert_true(r.bad);
	wire_str(&w, SPAN("ab"), 1);
	assert_true(w.bad);
}

/* Of any length, from any address on, and gone on with. */
static void
the_instruction_and_the_table_agree(void **state)
{
	static uint8_t bytes[4096];

	(void)state;
	dice_begin();
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)random();
	for (size_t len = 0; len < 1000; len++) {
		const uint8_t *at = bytes + len % 9;
		uint32_t sum = crc_by_table(0, at, len);

		assert_int_equal(crc_of(0, at, len), sum);
		if (crc_has_cpu())
			assert_int_equal(crc_by_cpu(crc_by_cpu(0, at, len / 3),
			    at + len / 3, len - len / 3), sum);
	}
}

static void
the_checksum_is_crc32c_and_goes_on(void **state)
{
	(void)state;
	assert_int_equal(crc_of(0, "123456789", 9), 0xe3069283);
	assert_int_equal(crc_by_table(0, "123456789", 9), 0xe3069283);
	assert_int_equal(crc_of(crc_of(0, "1234", 4), "56789", 5),
	    0xe3069283);
	assert_int_equal(crc_of(0, "", 0), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_are_little_endian),
		cmocka_unit_test(a_short_buffer_is_bad_and_never_overrun),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(a_bad_reader_gives_zeros_from_then_on),
		cmocka_unit_test(a_string_over_its_maximum_is_bad),
		cmocka_unit_test(the_checksum_is_crc32c_and_goes_on),
		cmocka_unit_test(the_instruction_and_the_table_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
