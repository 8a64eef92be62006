/* Base64 as AUTH has it: the vectors of RFC 4648 10, and one spelling only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "mail/base64.h"

static const struct {
	const char *bytes, *text;
} vectors[] = {
	{ "", "" }, { "f", "Zg==" }, { "fo", "Zm8=" }, { "foo", "Zm9v" },
	{ "foob", "Zm9vYg==" }, { "fooba", "Zm9vYmE=" },
	{ "foobar", "Zm9vYmFy" }, { "\xfb\xff\xbf", "+/+/" },
};

static void
the_vectors_of_the_standard_hold_both_ways(void **state)
{
	char buf[16];
	size_t len;

	for (size_t i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
		struct span bytes = span_of(vectors[i].bytes);
		struct span text = span_of(vectors[i].text);

		assert_true(base64_encode(bytes, buf, sizeof(buf), &len));
		assert_true(span_eq((struct span){ buf, len }, text));
		assert_true(base64_decode(text, buf, sizeof(buf), &len));
		assert_true(span_eq((struct span){ buf, len }, bytes));
	}
}

static void
every_run_of_bytes_comes_back(void **state)
{
	char bytes[64], text[BASE64_LEN(64)], back[64];
	size_t n, m;

	for (size_t len = 0; len <= sizeof(bytes); len++) {
		for (size_t i = 0; i < len; i++)
			bytes[i] = (char)(i * 37 + len * 101);
		assert_true(base64_encode((struct span){ bytes, len }, text,
		    sizeof(text), &n));
		assert_int_equal(n, BASE64_LEN(len));
		assert_true(base64_decode((struct span){ text, n }, back,
		    sizeof(back), &m));
		assert_int_equal(m, len);
		assert_memory_equal(back, bytes, len);
	}
}

static void
what_is_not_strictly_base64_is_refused(void **state)
{
	static const char *const rows[] = {
		"=AAA", "AAA=BBB", "AAA=BBB=", "A", "AA", "AAA", "A===",
		"AA=A", "====", "=", "==", "AA A", " AAAA", "AAAA ", "AA\nA",
		"AA-_", "Zh==", "Zm9=", "Zg==Zg==", "AAAA=", "A\303\244A",
		"*", "Zg=", "Zm8",
	};
	char buf[64];
	size_t len;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (base64_decode(span_of(rows[i]), buf, sizeof(buf), &len))
			fail_msg("taken: %s", rows[i]);
}

static void
what_does_not_fit_is_refused(void **state)
{
	char buf[8];
	size_t len;

	assert_true(base64_decode(SPAN("Zm9vYg=="), buf, 4, &len));
	assert_false(base64_decode(SPAN("Zm9vYg=="), buf, 3, &len));
	assert_true(base64_encode(SPAN("foob"), buf, 8, &len));
	assert_false(base64_encode(SPAN("foob"), buf, 7, &len));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_the_standard_hold_both_ways),
		cmocka_unit_test(every_run_of_bytes_comes_back),
		cmocka_unit_test(what_is_not_strictly_base64_is_refused),
		cmocka_unit_test(what_does_not_fit_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
