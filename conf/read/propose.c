/*
 * propose.c - nearness is the number of letters left out, put in, changed or
 * swapped with their neighbour; letters of either case are the same.
 */
#include "conf/read/propose.h"

#define WORD_MAX	40u	/* bytes; what is longer is not compared */

static unsigned
least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static bool
is_same(struct span a, size_t i, struct span b, size_t k)
{
	return span_eq_nocase(span_head(span_tail(a, i), 1),
	    span_head(span_tail(b, k), 1));
}

static unsigned
distance_of(struct span a, struct span b)
{
	unsigned d[WORD_MAX + 1][WORD_MAX + 1];

	for (unsigned i = 0; i <= a.len; i++)
		d[i][0] = i;
	for (unsigned k = 0; k <= b.len; k++)
		d[0][k] = k;
	for (unsigned i = 1; i <= a.len; i++)
		for (unsigned k = 1; k <= b.len; k++) {
			unsigned v = d[i - 1][k - 1] +
			    !is_same(a, i - 1, b, k - 1);

			v = least(v, least(d[i - 1][k], d[i][k - 1]) + 1);
			if (i > 1 && k > 1 && is_same(a, i - 1, b, k - 2) &&
			    is_same(a, i - 2, b, k - 1))
				v = least(v, d[i - 2][k - 2] + 1);
			d[i][k] = v;
		}
	return d[a.len][b.len];
}

void
propose_init(struct propose *p, struct span wrong)
{
	p->wrong = wrong;
	p->best = SPAN("");
	p->distance = wrong.len < 2 ? 0 : wrong.len < 5 ? 1 :
	    wrong.len < 10 ? 2 : 3;
}

void
propose_try(struct propose *p, struct span word)
{
	unsigned d;

	if (p->wrong.len > WORD_MAX || word.len > WORD_MAX)
		return;
	d = distance_of(p->wrong, word);
	if (d > p->distance || (d == p->distance && p->best.len > 0))
		return;
	p->distance = d;
	p->best = word;
}

void
propose_try_all(struct propose *p, const char *words)
{
	struct span rest = span_of(words);

	while (rest.len > 0) {
		size_t end = span_find(rest, ' ');

		propose_try(p, span_head(rest, end));
		rest = span_tail(rest, end + 1);
	}
}

const char *
propose_text(const struct propose *p, struct arena *arena)
{
	if (p->best.len == 0)
		return "";
	return arena_print(arena, "; did you mean `%.*s'?", (int)p->best.len,
	    p->best.ptr);
}
