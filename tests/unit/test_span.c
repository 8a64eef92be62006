/* The small verbs of a run of bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/ascii.h"
#include "base/span.h"

static const struct span none = { NULL, 0 };

static void
empty_spans_may_be_null(void **state)
{
	(void)state;
	assert_int_equal(span_of(NULL).len, 0);
	assert_true(span_eq(none, SPAN("")));
	assert_true(span_eq_nocase(none, SPAN("")));
	assert_true(span_begins(none, none));
	assert_int_equal(span_find(none, 'a'), 0);
	assert_int_equal(span_trim(none).len, 0);
	assert_int_equal(span_tail(none, 3).len, 0);
	assert_int_equal(span_head(none, 3).len, 0);
}

static void
comparing_folds_ascii_letters_only(void **state)
{
	(void)state;
	assert_true(span_eq(SPAN("aB"), SPAN("aB")));
	assert_false(span_eq(SPAN("aB"), SPAN("ab")));
	assert_false(span_eq(SPAN("ab"), SPAN("abc")));
	assert_true(span_eq_nocase(SPAN("aZ@["), SPAN("Az@[")));
	assert_false(span_eq_nocase(SPAN("@["), SPAN("`{")));
	assert_false(span_eq_nocase(SPAN("\xc0"), SPAN("\xe0")));
	assert_true(span_begins(SPAN("abc"), SPAN("ab")));
	assert_false(span_begins(SPAN("Abc"), SPAN("ab")));
	assert_false(span_begins(SPAN("a"), SPAN("ab")));
	assert_true(span_begins_nocase(SPAN("ABC"), SPAN("ab")));
	assert_false(span_begins_nocase(SPAN("A"), SPAN("ab")));
}

static void
head_and_tail_are_clamped(void **state)
{
	(void)state;
	assert_true(span_eq(span_head(SPAN("abc"), 2), SPAN("ab")));
	assert_true(span_eq(span_head(SPAN("abc"), 9), SPAN("abc")));
	assert_true(span_eq(span_tail(SPAN("abc"), 2), SPAN("c")));
	assert_int_equal(span_tail(SPAN("abc"), 9).len, 0);
	assert_int_equal(span_find(SPAN("abc"), 'c'), 2);
	assert_int_equal(span_find(SPAN("abc"), 'x'), 3);
	assert_true(span_eq(span_trim(SPAN("\t a b \t")), SPAN("a b")));
	assert_int_equal(span_trim(SPAN(" \t")).len, 0);
	assert_true(span_eq(span_strip(SPAN("\n a \n"), " \n"), SPAN("a")));
	assert_int_equal(span_strip((struct span){ "\0", 1 }, " ").len, 1);
}

static void
words_are_taken_off_and_found(void **state)
{
	struct span s = SPAN("ab,,c");

	(void)state;
	assert_true(span_eq(span_cut(&s, ','), SPAN("ab")));
	assert_int_equal(span_cut(&s, ',').len, 0);
	assert_true(span_eq(span_cut(&s, ','), SPAN("c")));
	assert_int_equal(s.len, 0);
	assert_true(span_has(SPAN("ro,nosuid"), ',', SPAN("nosuid")));
	assert_false(span_has(SPAN("ro,nosuid"), ',', SPAN("suid")));
	assert_false(span_has(SPAN(""), ',', SPAN("ro")));
}

static void
a_c_string_fits_or_is_empty(void **state)
{
	char buf[4];

	(void)state;
	assert_true(span_cstr(SPAN("abc"), buf, sizeof(buf)));
	assert_string_equal(buf, "abc");
	assert_false(span_cstr(SPAN("abcd"), buf, sizeof(buf)));
	assert_string_equal(buf, "");
	assert_false(span_cstr(SPAN("a\0b"), buf, sizeof(buf)));
	assert_string_equal(buf, "");
	assert_true(span_cstr(none, buf, 1));
	assert_false(span_cstr(none, buf, 0));
}

static void
numbers_are_digits_up_to_the_maximum(void **state)
{
	unsigned long long n;

	(void)state;
	assert_true(span_number(SPAN("18446744073709551615"), UINT64_MAX, &n));
	assert_true(n == UINT64_MAX);
	assert_false(span_number(SPAN("18446744073709551616"), UINT64_MAX, &n));
	assert_true(span_number(SPAN("007"), 7, &n));
	assert_int_equal(n, 7);
	assert_false(span_number(SPAN("8"), 7, &n));
	assert_false(span_number(SPAN("10"), 7, &n));
	assert_true(span_number(SPAN("0"), 0, &n));
	assert_false(span_number(SPAN(""), 7, &n));
	assert_false(span_number(SPAN("-1"), 7, &n));
	assert_false(span_number(SPAN(" 1"), 7, &n));
	assert_false(span_number(SPAN("1a"), 99, &n));
}

static void
bytes_are_what_ascii_says(void **state)
{
	const char hex[] = "0123456789abcdef";

	for (int i = -128; i < 128; i++) {
		char c = (char)i;
		const char *at = memchr(hex, c, 16);

		assert_true(ascii_is_digit(c) == (c >= 48 && c <= 57));
		assert_true(ascii_is_letter(c) == ((c >= 65 && c <= 90) ||
		    (c >= 97 && c <= 122)));
		assert_true(ascii_is_alnum(c) ==
		    (ascii_is_letter(c) || ascii_is_digit(c)));
		if (c >= 'A' && c <= 'F')
			at = memchr(hex, c + 32, 16);
		assert_int_equal(ascii_hex(c), at == NULL ? -1 : at - hex);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_spans_may_be_null),
		cmocka_unit_test(comparing_folds_ascii_letters_only),
		cmocka_unit_test(head_and_tail_are_clamped),
		cmocka_unit_test(words_are_taken_off_and_found),
		cmocka_unit_test(a_c_string_fits_or_is_empty),
		cmocka_unit_test(numbers_are_digits_up_to_the_maximum),
		cmocka_unit_test(bytes_are_what_ascii_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
