/* How long a ClientHello says it is, however it is cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "ask/hello.h"

struct bytes {
	uint8_t		 at[4 * HELLO_MAX];
	size_t		 len;
};

static void
add(struct bytes *b, const void *s, size_t len)
{
	assert_true(len <= sizeof(b->at) - b->len);
	memcpy(b->at + b->len, s, len);
	b->len += len;
}

/* In records of so many bytes. */
static void
add_records(struct bytes *b, uint8_t type, const uint8_t *s, size_t len,
    size_t each)
{
	while (len > 0) {
		size_t n = len < each ? len : each;
		uint8_t head[5] = { type, 3, 1, (uint8_t)(n >> 8),
		    (uint8_t)n };

		add(b, head, sizeof(head));
		add(b, s, n);
		s += n;
		len -= n;
	}
}

/* A message that says it has `says' bytes, of which `has' are there. */
static void
add_message(struct bytes *b, uint32_t says, size_t has, size_t each)
{
	static uint8_t message[4 + HELLO_MAX];

	assert_true(has <= HELLO_MAX);
	memset(message, 22, sizeof(message));
	message[0] = 1;
	message[1] = (uint8_t)(says >> 16);
	message[2] = (uint8_t)(says >> 8);
	message[3] = (uint8_t)says;
	add_records(b, 22, message, 4 + has, each);
}

/* What comes of it in pieces of that size. */
static bool
take(struct hello *h, const struct bytes *b, size_t piece)
{
	struct span s = { (const char *)b->at, b->len };

	*h = (struct hello){ .cnt = 0 };
	for (; s.len > 0; s = span_tail(s, piece))
		if (!hello_take(h, span_head(s, piece)))
			return false;
	return true;
}

static const size_t cuts[] = { 1, 2, 3, 4, 5, 9, 100, 16384 };
#define CUTS	(sizeof(cuts) / sizeof(cuts[0]))

static void
one_of_the_usual_length_is_taken(void **state)
{
	static struct bytes b;
	struct hello h;

	for (size_t each = 0; each < CUTS; each++)
		for (size_t piece = 0; piece < CUTS; piece++) {
			b.len = 0;
			add_message(&b, 1500, 1500, cuts[each]);
			assert_true(take(&h, &b, cuts[piece]));
			assert_int_equal(h.cnt, 1);
		}
}

static void
one_that_is_too_long_is_known_by_its_head(void **state)
{
	static const uint32_t lens[] = { HELLO_MAX + 1, 0x10000, 0xffffff };
	static struct bytes b;
	struct hello h;

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		for (size_t each = 0; each < CUTS; each++)
			for (size_t piece = 0; piece < CUTS; piece++) {
				b.len = 0;
				add_message(&b, lens[i], 0, cuts[each]);
				assert_false(take(&h, &b, cuts[piece]));
			}
}

static void
the_longest_is_taken(void **state)
{
	static struct bytes b;
	struct hello h;

	b.len = 0;
	add_message(&b, HELLO_MAX, HELLO_MAX, 16384);
	assert_true(take(&h, &b, 1000));
	assert_int_equal(h.cnt, 1);
}

static void
a_second_one_is_looked_at_too(void **state)
{
	static const uint8_t change[] = { 1, 0xff, 0xff, 0xff };
	static struct bytes b;
	struct hello h;

	b.len = 0;
	add_message(&b, 300, 300, 100);
	add_records(&b, 20, change, sizeof(change), 4);
	add_message(&b, 0, 0, 3);
	add_message(&b, HELLO_MAX, 100, 100);
	assert_true(take(&h, &b, 7));
	assert_int_equal(h.cnt, 2);
	b.len = 0;
	add_message(&b, 300, 300, 100);
	add_records(&b, 20, change, sizeof(change), 4);
	add_message(&b, HELLO_MAX + 1, 100, 2);
	assert_false(take(&h, &b, 7));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_of_the_usual_length_is_taken),
		cmocka_unit_test(one_that_is_too_long_is_known_by_its_head),
		cmocka_unit_test(the_longest_is_taken),
		cmocka_unit_test(a_second_one_is_looked_at_too),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
