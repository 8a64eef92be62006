/* options.c - the tables, and how to look something up in them. */
#include "base/limits.h"
#include "conf/kinds.h"
#include "conf/options.h"
#include "conf/slice/plan.h"

static const struct block_row block_rows[] = {
#define BLOCK(id, word, parent, how, kinds, sees, help)			\
	[BLOCK_##id] = { word, BLOCK_##parent, HOW_##how, kinds, sees,	\
	    help },
#include "conf/options.def"
};

#define GIVEN(text)	.value = (text)
#define RULE(text)	.rule = (text)
#define NEEDED		.needed = true
#define EMPTY		.rule = "none"
#define RANGE(a, b)	.min = (a), .max = (b)
#define WORDS(text)	.words = (text)
#define ANY		.words = ""

static const struct option_row option_rows[] = {
#define OPTION(b, n, t, c, given, range, k, s, w, h)			\
	[OPTION_##b##_##n] = { .block = BLOCK_##b, .name = #n,		\
	    .type = TYPE_##t, .count = COUNT_##c, given, range,		\
	    .kinds = k, .sees = s, .when = WHEN_##w, .help = h },
#define AGAIN(b, i, n, t, c, given, range, k, s, w, h)			\
	[OPTION_##b##_##i] = { .block = BLOCK_##b, .name = #n,		\
	    .type = TYPE_##t, .count = COUNT_##c, given, range,		\
	    .kinds = k, .sees = s, .when = WHEN_##w, .help = h },
#include "conf/options.def"
};

const struct block_row *
options_block(enum option_block no)
{
	return &block_rows[no];
}

const struct option_row *
options_row(enum option_no no)
{
	return &option_rows[no];
}

enum option_no
options_find(enum option_block block, struct span name, struct span kind)
{
	enum option_no found = OPTION__COUNT;

	for (unsigned i = 0; i < OPTION__COUNT; i++) {
		if (option_rows[i].block != block ||
		    !span_eq(name, span_of(option_rows[i].name)))
			continue;
		if (options_fits(option_rows[i].kinds, kind))
			return (enum option_no)i;
		if (found == OPTION__COUNT)
			found = (enum option_no)i;
	}
	return found;
}

enum option_block
options_find_block(enum option_block block, struct span word)
{
	for (unsigned i = BLOCK_TOP + 1; i < BLOCK__COUNT; i++)
		if (block_rows[i].parent == block &&
		    span_eq(word, span_of(block_rows[i].word)))
			return (enum option_block)i;
	return BLOCK_TOP;
}

bool
options_has_word(const char *words, struct span word)
{
	struct span rest = span_of(words);

	while (rest.len > 0) {
		size_t end = span_find(rest, ' ');

		if (span_eq(span_head(rest, end), word))
			return true;
		rest = span_tail(rest, end + 1);
	}
	return false;
}

bool
options_fits(const char *kinds, struct span kind)
{
	return kinds[0] == '\0' || kind.len == 0 ||
	    options_has_word(kinds, kind);
}
