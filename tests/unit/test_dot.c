/* Text on its way out, OUT-01 to 17: every case at every split point. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "mail/dot.h"

static const struct {
	const char	*text, *wire;
} cases[] = {
	{ "",			".\r\n" },
	{ "\r\n",		"\r\n.\r\n" },
	{ "a",			"a\r\n.\r\n" },
	{ "a\r\n",		"a\r\n.\r\n" },
	{ ".",			"..\r\n.\r\n" },
	{ ".\r\n",		"..\r\n.\r\n" },
	{ "..\r\n..",		"...\r\n...\r\n.\r\n" },
	{ "a.\r\n.b\r\n",	"a.\r\n..b\r\n.\r\n" },
	{ "a\r\n.\r\n.\r\n",	"a\r\n..\r\n..\r\n.\r\n" },
	{ "a\r\n\r\n\t.\r\n",	"a\r\n\r\n\t.\r\n.\r\n" },
	{ "abcdefgh\r\n.bcdefghijklmnop.\r\n.\xff",
	    "abcdefgh\r\n..bcdefghijklmnop.\r\n..\xff\r\n.\r\n" },
	{ "a\r",		"a\r\n.\r\n" },
};

/* The wire form of text cut at the two places; false when it is bad. */
static bool
write_cut(struct span text, size_t cut1, size_t cut2, char *wire, size_t *len)
{
	const size_t to[] = { cut1, cut2, text.len };
	struct span run, end;
	struct dot d;
	size_t at = 0;

	dot_init(&d);
	*len = 0;
	for (int i = 0; i < 3; at = to[i++]) {
		struct span part = { text.ptr + at, to[i] - at };

		while (dot_next(&d, &part, &run)) {
			assert_true(run.len > 0);
			memcpy(wire + *len, run.ptr, run.len);
			*len += run.len;
		}
		assert_true(d.bad || part.len == 0);
	}
	end = dot_end(&d);
	memcpy(wire + *len, end.ptr, end.len);
	*len += end.len;
	return !d.bad;
}

static void
dots_are_stuffed_once_at_every_split(void **state)
{
	char wire[128];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span text = span_of(cases[i].text);

		for (size_t a = 0; a <= text.len; a++)
			for (size_t b = a; b <= text.len; b++) {
				assert_true(write_cut(text, a, b, wire, &len));
				if (!span_eq((struct span){ wire, len },
				    span_of(cases[i].wire)))
					fail_msg("row %zu at %zu %zu", i, a, b);
			}
	}
}

static void
bare_and_nul_are_bad_at_every_split(void **state)
{
	static const struct span bad[] = {
		{ "a\nb", 3 }, { "a\rb", 3 }, { "\n", 1 }, { "a\r\r\n", 4 },
		{ "a\0", 2 }, { "a\r\n.\n", 5 }, { "a\n.\n", 4 },
		{ "a\r.\r", 4 }, { "a\r\n\0.\r\n", 7 }, { "a\r\n.\r\r\n", 7 },
	};
	char wire[128];
	size_t len;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		for (size_t a = 0; a <= bad[i].len; a++)
			if (write_cut(bad[i], a, bad[i].len, wire, &len))
				fail_msg("row %zu at %zu", i, a);
}

static void
bad_sticks(void **state)
{
	struct span in = SPAN("a\nb"), more = SPAN("fine\r\n"), run;
	struct dot d;

	(void)state;
	dot_init(&d);
	assert_false(dot_next(&d, &in, &run));
	assert_true(d.bad);
	assert_false(dot_next(&d, &more, &run));
	assert_true(d.bad);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dots_are_stuffed_once_at_every_split),
		cmocka_unit_test(bare_and_nul_are_bad_at_every_split),
		cmocka_unit_test(bad_sticks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
