/* The arithmetic of retry { delay }. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "conf/read/expr.h"

struct row {
	const char	*text;
	double		 n, want;
};

static const struct row rows[] = {
	{ "300", 5, 300 }, { "300*x", 2, 900 }, { "300*x", 0, 300 },
	{ "60*2**n", 0, 60 },
	{ "60*2**n", 6, 3840 }, { "60 * 2 ** n", 1, 120 },
	{ "1+2*3", 0, 7 }, { "(1+2)*3", 0, 9 }, { "10-4-3", 0, 3 },
	{ "100/10/5", 0, 2 }, { "2**3**2", 0, 512 }, { "2**-1", 0, 0.5 },
	{ "-2+5", 0, 3 }, { "4--3", 0, 7 }, { "-2**2+10", 0, 6 },
	{ "min(600, 30*(n+1))", 2, 90 }, { "min(600, 30*(n+1))", 40, 600 },
	{ "max(1,2,3)", 0, 3 }, { "min(3,1,2)", 0, 1 }, { ".5*4", 0, 2 },
	{ "1.25*8", 0, 10 }, { "x*n", 4, 20 }, { "x-n", 9, 1 },
	{ "0**0", 0, 1 },
	/* No surprises: nothing below 0, nothing above the cap. */
	{ "1/0", 0, EXPR_CAP }, { "-1/0", 0, 0 }, { "0/0", 0, EXPR_CAP },
	{ "10-20", 0, 0 }, { "60*2**n", 5000, EXPR_CAP },
	{ "2**10000000000", 0, EXPR_CAP }, { "(-1)**.5", 0, EXPR_CAP },
	{ "1/0-1/0", 0, EXPR_CAP }, { "0**-1", 0, EXPR_CAP },
	{ "(1/0)**-.5", 0, 0 }, { "0**.5", 0, 0 },
};

static void
an_expression_has_its_value(void **state)
{
	double out;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		out = -1;
		if (expr_eval(span_of(rows[i].text), rows[i].n, &out) != OK ||
		    out != rows[i].want)
			fail_msg("%s at %g is %g, not %g", rows[i].text,
			    rows[i].n, out, rows[i].want);
	}
}

static void
a_power_need_not_be_whole(void **state)
{
	double out;

	assert_int_equal(expr_eval(SPAN("16**.5"), 0, &out), OK);
	assert_true(out > 3.999999 && out < 4.000001);
	assert_int_equal(expr_eval(SPAN("100*n**1.5"), 9, &out), OK);
	assert_true(out > 2699.999 && out < 2700.001);
	assert_int_equal(expr_eval(SPAN("8**(-1/3)"), 0, &out), OK);
	assert_true(out > .4999999 && out < .5000001);
}

struct bad {
	const char	*text;
	size_t		 at;
};

static const struct bad bads[] = {
	{ "", 0 }, { "  ", 2 }, { "60*", 3 }, { "60*2**", 6 }, { "(1", 2 },
	{ "1)", 1 }, { "y", 0 }, { "nn", 1 }, { "min 3", 4 }, { "min(3", 5 },
	{ "max()", 4 }, { "1 2", 2 }, { "sqrt(4)", 0 }, { ".", 1 },
	{ "1..2", 2 }, { "1,2", 1 }, { "2^3", 1 },
};

static void
a_mistake_is_refused_where_it_stands(void **state)
{
	double out = 7;
	const char *why;
	size_t at;

	for (size_t i = 0; i < sizeof(bads) / sizeof(bads[0]); i++) {
		struct span text = span_of(bads[i].text);

		why = NULL;
		assert_int_equal(expr_eval(text, 1, &out), ERR_PEER);
		assert_int_equal(expr_check(text, &at, &why), ERR_PEER);
		assert_non_null(why);
		if (at != bads[i].at)
			fail_msg("`%s' is wrong at %zu, not %zu", bads[i].text,
			    bads[i].at, at);
	}
	assert_true(out == 7);
}

static void
depth_and_length_are_bounded(void **state)
{
	char text[EXPR_LEN_MAX + 2];
	double out;

	memset(text, '(', sizeof(text));
	assert_int_equal(expr_eval((struct span){ text, 200 }, 0, &out),
	    ERR_PEER);
	memset(text, '-', sizeof(text));
	text[200] = '1';
	assert_int_equal(expr_eval((struct span){ text, 201 }, 0, &out),
	    ERR_PEER);
	memset(text, '1', sizeof(text));
	assert_int_equal(expr_eval((struct span){ text, EXPR_LEN_MAX }, 0,
	    &out), OK);
	assert_true(out == EXPR_CAP);
	assert_int_equal(expr_eval((struct span){ text, sizeof(text) }, 0,
	    &out), ERR_PEER);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_expression_has_its_value),
		cmocka_unit_test(a_power_need_not_be_whole),
		cmocka_unit_test(a_mistake_is_refused_where_it_stands),
		cmocka_unit_test(depth_and_length_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
