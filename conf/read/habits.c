/* habits.c - the list as a table; the row of the block itself comes first. */
#include "conf/read/habits.h"

#define BLOCK_ANY	BLOCK__COUNT

static const struct habit rows[] = {
#define HABIT(b, w, t)		{ BLOCK_##b, NULL, w, t },
#define VALUE(b, o, w, t)	{ BLOCK_##b, o, w, t },
#include "conf/read/habits.def"
};

const struct habit *
habits_row(unsigned n)
{
	return n < sizeof(rows) / sizeof(rows[0]) ? &rows[n] : NULL;
}

const char *
habits_word(enum option_block block, struct span word)
{
	const char *anywhere = NULL;

	for (unsigned i = 0; habits_row(i) != NULL; i++) {
		const struct habit *h = habits_row(i);

		if (h->option != NULL ||
		    !span_eq_nocase(word, span_of(h->word)))
			continue;
		if (h->block == block)
			return h->text;
		if (h->block == BLOCK_ANY)
			anywhere = h->text;
	}
	return anywhere;
}

const char *
habits_value(const struct option_row *row, struct span value)
{
	for (unsigned i = 0; habits_row(i) != NULL; i++) {
		const struct habit *h = habits_row(i);

		if (h->option != NULL && h->block == row->block &&
		    span_eq(span_of(h->option), span_of(row->name)) &&
		    span_eq_nocase(value, span_of(h->word)))
			return h->text;
	}
	return NULL;
}
