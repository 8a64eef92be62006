/* The end of data, EOD-01 to 22: every case at every split point. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "mail/eod.h"

struct outcome {
	char	 text[4096];
	size_t	 len, used;
	bool	 is_over, bare, nul, is_8bit;
	size_t	 longest;
};

/* Read in with cuts at the two places; used: bytes of it that were consumed. */
static struct outcome
read_cut(struct span in, size_t cut1, size_t cut2)
{
	const size_t to[] = { cut1, cut2, in.len };
	struct outcome o = { .len = 0 };
	enum eod_step step = EOD_MORE;
	struct eod e;
	size_t at = 0;

	eod_init(&e);
	for (int i = 0; i < 3 && step != EOD_END; i++) {
		struct span part = { in.ptr + at, to[i] - at }, run;

		while ((step = eod_next(&e, &part, &run)) == EOD_RUN) {
			assert_true(run.len > 0);
			memcpy(o.text + o.len, run.ptr, run.len);
			o.len += run.len;
		}
		at = to[i] - part.len;
	}
	o.used = at;
	o.is_over = step == EOD_END;
	o.bare = e.bare;
	o.nul = e.nul;
	o.is_8bit = e.is_8bit;
	o.longest = e.longest;
	if (o.bare || o.nul)
		o.len = 0;
	return o;
}

static void
assert_same(const struct outcome *a, const struct outcome *b)
{
	assert_int_equal(a->len, b->len);
	assert_memory_equal(a->text, b->text, a->len);
	assert_int_equal(a->used, b->used);
	assert_int_equal(a->is_over, b->is_over);
	assert_int_equal(a->bare, b->bare);
	assert_int_equal(a->nul, b->nul);
	assert_int_equal(a->is_8bit, b->is_8bit);
}

static const struct {
	struct span	 in;
	struct span	 text;
	size_t		 left;		/* bytes behind the end		*/
	bool		 is_over, bare, nul;
} cases[] = {
#define CASE(in, text, left, over, bare, nul)				\
	{ { in, sizeof(in) - 1 }, { text, sizeof(text) - 1 }, left, over, \
	    bare, nul }
	CASE("a\r\n.\r\n", "a\r\n", 0, true, false, false),
	CASE(".\r\n", "", 0, true, false, false),
	CASE(".\r\nMAIL", "", 4, true, false, false),
	CASE("\r\n.\r\n", "\r\n", 0, true, false, false),
	CASE("a\r\n.\r\nQUIT\r\n", "a\r\n", 6, true, false, false),
	CASE("a\r\n..\r\n.\r\n", "a\r\n.\r\n", 0, true, false, false),
	CASE("a\r\n.x\r\n.\r\n", "a\r\nx\r\n", 0, true, false, false),
	CASE("..\r\n.\r\n", ".\r\n", 0, true, false, false),
	CASE("...a\r\n..\r\n.\r\n", "..a\r\n.\r\n", 0, true, false, false),
	CASE("a.\r\n.\r\n", "a.\r\n", 0, true, false, false),
	CASE("\t\x0b\x0c.\r\n\xe2\x80\xa8.\r\n.\r\n",
	    "\t\x0b\x0c.\r\n\xe2\x80\xa8.\r\n", 0, true, false, false),
	CASE("a\r\n", "a\r\n", 0, false, false, false),
	CASE("a\r\n.", "a\r\n", 0, false, false, false),
	CASE("a\r\n.\r", "a\r\n", 0, false, false, false),
	CASE("a\n.\nx\r\n.\r\nQ", "", 1, true, true, false),
	CASE("a\n.\r\nx\r\n.\r\n", "", 0, true, true, false),
	CASE("a\r\n.\nx\r\n.\r\n", "", 0, true, true, false),
	CASE("a\r.\rx\r\n.\r\n", "", 0, true, true, false),
	CASE("a\r.\nx\r\n.\r\n", "", 0, true, true, false),
	CASE("a\n.\rx\r\n.\r\n", "", 0, true, true, false),
	CASE("a\r.\r\nx\r\n.\r\n", "", 0, true, true, false),
	CASE("a\r\n.\rx\r\n.\r\n", "", 0, true, true, false),
	CASE("a\r\n\0.\r\nx\r\n.\r\n", "", 0, true, false, true),
	CASE("a\r\n.\0\r\nx\r\n.\r\n", "", 0, true, false, true),
	CASE("a\r\r\n.\r\r\nx\r\n.\r\n", "", 0, true, true, false),
	CASE("a\r\n.\r\r\nx\r\n.\r\n", "", 0, true, true, false),
	CASE("a\r\n.\r\r\n.\r\nQ", "", 1, true, true, false),
	CASE("\n\r\n.\r\n", "", 0, true, true, false),
	CASE("a\r\n.\r.\r\n", "", 0, false, true, false),
#undef CASE
};

static void
the_table_holds(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span in = cases[i].in;
		struct outcome o = read_cut(in, in.len, in.len);

		if (o.is_over != cases[i].is_over ||
		    o.bare != cases[i].bare || o.nul != cases[i].nul ||
		    o.used != in.len - cases[i].left ||
		    !span_eq((struct span){ o.text, o.len }, cases[i].text))
			fail_msg("row %zu", i);
	}
}

static void
every_two_cuts_change_nothing(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct span in = cases[i].in;
		struct outcome whole = read_cut(in, in.len, in.len), o;

		for (size_t a = 0; a <= in.len; a++)
			for (size_t b = a; b <= in.len; b++) {
				o = read_cut(in, a, b);
				assert_same(&o, &whole);
			}
	}
}

static void
byte_by_byte_is_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum eod_step step = EOD_MORE;
		size_t at = 0, len = 0;
		struct eod e;
		char text[64];

		eod_init(&e);
		while (at < cases[i].in.len && step != EOD_END) {
			struct span one = { cases[i].in.ptr + at++, 1 }, run;

			while ((step = eod_next(&e, &one, &run)) == EOD_RUN)
				for (size_t k = 0; k < run.len; k++)
					text[len++] = run.ptr[k];
		}
		assert_int_equal(step == EOD_END, cases[i].is_over);
		assert_int_equal(at, cases[i].in.len - cases[i].left);
		if (!e.bare && !e.nul)
			assert_true(span_eq((struct span){ text, len },
			    cases[i].text));
		assert_int_equal(e.bare, cases[i].bare);
		assert_int_equal(e.nul, cases[i].nul);
	}
}

static void
eight_bit_is_seen_at_every_place_and_not_behind_the_end(void **state)
{
	char text[40];

	(void)state;
	for (size_t i = 0; i < 30; i++) {
		memset(text, 'a', sizeof(text));
		text[i] = (char)0x80;
		memcpy(text + 30, "\r\n.\r\n\xff\xff", 7);
		assert_true(
		    read_cut((struct span){ text, 37 }, 37, 37).is_8bit);
		text[i] = '\t';
		assert_false(
		    read_cut((struct span){ text, 37 }, 37, 37).is_8bit);
	}
}

static bool
is_long(size_t len, size_t part)
{
	char *text = malloc(len + 6);
	struct span in = { text, len + 6 }, run;
	struct eod e;

	assert_non_null(text);
	memset(text, 'a', len + 6);
	text[0] = text[1] = '.';	/* the first is undone, not counted */
	memcpy(text + len + 1, "\r\n.\r\n", 5);
	eod_init(&e);
	for (size_t at = 0; at < in.len; at += part) {
		struct span s = span_head(span_tail(in, at), part);

		while (eod_next(&e, &s, &run) == EOD_RUN)
			continue;
	}
	free(text);
	return e.longest > TEXT_LINE_MAX;
}

static void
a_line_is_long_over_its_limit_only(void **state)
{
	(void)state;
	for (size_t part = 1; part < 20000; part = part * 3 + 1) {
		assert_false(is_long(TEXT_LINE_MAX, part));
		assert_true(is_long(TEXT_LINE_MAX + 1, part));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table_holds),
		cmocka_unit_test(every_two_cuts_change_nothing),
		cmocka_unit_test(byte_by_byte_is_the_same),
		cmocka_unit_test(
		    eight_bit_is_seen_at_every_place_and_not_behind_the_end),
		cmocka_unit_test(a_line_is_long_over_its_limit_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
