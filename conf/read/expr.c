/*
 * expr.c - one pass over the text, no tree: the depth is bounded, so is the
 * length, and every value is an IEEE double whose oddities are folded into
 * the cap at the end.  ** is our own, so that libm is not needed.
 */
#include <stdbool.h>

#include "base/ascii.h"
#include "conf/read/expr.h"

struct reader {
	struct span	 text;
	size_t		 pos;
	double		 n;
	unsigned	 depth;
	const char	*why;		/* NULL as long as all is well	*/
	size_t		 why_at;
};

static double	read_sum(struct reader *);
static double	read_sign(struct reader *);

static void
wrong(struct reader *r, const char *why)
{
	if (r->why != NULL)
		return;
	r->why = why;
	r->why_at = r->pos;
}

static void
skip_blanks(struct reader *r)
{
	while (r->pos < r->text.len &&
	    (r->text.ptr[r->pos] == ' ' || r->text.ptr[r->pos] == '\t'))
		r->pos++;
}

static char
peek(struct reader *r)
{
	skip_blanks(r);
	return r->pos < r->text.len ? r->text.ptr[r->pos] : '\0';
}

/* Is the word or sign next?  If so, it is taken. */
static bool
take(struct reader *r, struct span word)
{
	if (r->why != NULL)
		return false;
	skip_blanks(r);
	if (!span_begins(span_tail(r->text, r->pos), word))
		return false;
	r->pos += word.len;
	return true;
}

static double
read_number(struct reader *r)
{
	double v = 0, unit = 1;
	bool has_digit = false, has_point = false;

	for (; r->pos < r->text.len; r->pos++) {
		char c = r->text.ptr[r->pos];

		if (c == '.' && !has_point) {
			has_point = true;
			continue;
		}
		if (!ascii_is_digit(c))
			break;
		has_digit = true;
		v = v * 10 + (c - '0');
		if (has_point)
			unit *= 10;
	}
	if (!has_digit)
		wrong(r, "a number was expected here");
	return v / unit;
}

static double
read_choice(struct reader *r, bool smallest)
{
	double v, w;

	if (!take(r, SPAN("("))) {
		wrong(r, "`(' was expected here");
		return 0;
	}
	v = read_sum(r);
	while (take(r, SPAN(","))) {
		w = read_sum(r);
		if (smallest ? w < v : w > v)
			v = w;
	}
	if (!take(r, SPAN(")")))
		wrong(r, "`,' or `)' was expected here");
	return v;
}

static double
read_atom(struct reader *r)
{
	double v;

	if (ascii_is_digit(peek(r)) || peek(r) == '.')
		return read_number(r);
	if (take(r, SPAN("min")))
		return read_choice(r, true);
	if (take(r, SPAN("max")))
		return read_choice(r, false);
	if (take(r, SPAN("n")))
		return r->n;
	if (take(r, SPAN("x")))
		return r->n + 1;
	if (take(r, SPAN("("))) {
		v = read_sum(r);
		if (!take(r, SPAN(")")))
			wrong(r, "`)' was expected here");
		return v;
	}
	wrong(r, r->pos == r->text.len ? "the expression ends too early" :
	    "a number, n, x, min, max or `(' was expected here");
	return 0;
}

/* Natural logarithm of a positive, finite v: halve into [1, 2), then the
 * series of the inverse hyperbolic tangent. */
static double
natural_log(double v)
{
	double sum = 0, y, power;
	int halves = 0;

	while (v >= 2) {
		v /= 2;
		halves++;
	}
	while (v < 1) {
		v *= 2;
		halves--;
	}
	y = (v - 1) / (v + 1);
	power = y;
	for (int k = 1; k < 60; k += 2) {
		sum += power / k;
		power *= y * y;
	}
	return 2 * sum + halves * 0.69314718055994530942;
}

/* e to the v, |v| below 1000: divided by 1024, then squared ten times. */
static double
exponential(double v)
{
	double sum = 1, term = 1;

	for (int k = 1; k < 20; k++) {
		term *= v / 1024 / k;
		sum += term;
	}
	for (int i = 0; i < 10; i++)
		sum *= sum;
	return sum;
}

static double
whole_power(double base, unsigned exponent)
{
	double v = 1;

	for (; exponent != 0; exponent >>= 1) {
		if (exponent & 1)
			v *= base;
		base *= base;
	}
	return v;
}

static double
raise(double base, double exponent)
{
	double size = exponent < 0 ? -exponent : exponent, v;

	if (__builtin_isnan(base) || __builtin_isnan(exponent))
		return __builtin_nan("");
	if (size <= 1e6 && size == (double)(unsigned)size) {
		v = whole_power(base, (unsigned)size);
		return exponent < 0 ? 1 / v : v;
	}
	if (base < 0)
		return __builtin_nan("");	/* no real value */
	if (base == 0 || __builtin_isinf(base))
		return (base == 0) == (exponent > 0) ? 0 : __builtin_inf();
	v = natural_log(base) * exponent;
	if (v > 700 || v < -700)
		return v < 0 ? 0 : __builtin_inf();
	return exponential(v);
}

static double
read_power(struct reader *r)
{
	double v = read_atom(r);

	if (take(r, SPAN("**")))
		v = raise(v, read_sign(r));
	return v;
}

/* The one way to recurse: parentheses, signs and ** all pass here. */
static double
read_sign(struct reader *r)
{
	double v = 0;

	if (++r->depth > EXPR_DEPTH_MAX)
		wrong(r, "this is nested too deeply");
	else if (take(r, SPAN("-")))
		v = -read_sign(r);
	else if (take(r, SPAN("+")))
		v = read_sign(r);
	else
		v = read_power(r);
	r->depth--;
	return v;
}

/* A single *, since ** binds tighter and was read by then. */
static double
read_term(struct reader *r)
{
	double v = read_sign(r);

	for (;;) {
		if (take(r, SPAN("*")))
			v *= read_sign(r);
		else if (take(r, SPAN("/")))
			v /= read_sign(r);
		else
			return v;
	}
}

static double
read_sum(struct reader *r)
{
	double v = read_term(r);

	for (;;) {
		if (take(r, SPAN("+")))
			v += read_term(r);
		else if (take(r, SPAN("-")))
			v -= read_term(r);
		else
			return v;
	}
}

static double
read_all(struct reader *r)
{
	double v = 0;

	if (r->text.len > EXPR_LEN_MAX) {
		r->pos = EXPR_LEN_MAX;
		wrong(r, "the expression is too long");
		return 0;
	}
	v = read_sum(r);
	skip_blanks(r);
	if (r->pos != r->text.len)
		wrong(r, "+ - * / ** or the end was expected here");
	return v;
}

enum err
expr_eval(struct span text, double n, double *out)
{
	struct reader r = { .text = text, .n = n };
	double v = read_all(&r);

	if (r.why != NULL)
		return ERR_PEER;
	if (__builtin_isnan(v) || v > EXPR_CAP)
		v = EXPR_CAP;
	*out = v < 0 ? 0 : v;
	return OK;
}

enum err
expr_check(struct span text, size_t *at, const char **why)
{
	struct reader r = { .text = text, .n = 1 };

	(void)read_all(&r);
	if (r.why == NULL)
		return OK;
	*at = r.why_at;
	*why = r.why;
	return ERR_PEER;
}
