/*
 * habits - words of other mail systems, and what is meant by them.
 */
#ifndef CONF_HABITS_H
#define CONF_HABITS_H

#include "conf/options.h"

/* For a word of habits.def in a block; BLOCK__COUNT: in whatever block. */
struct habit {
	enum option_block	 block;
	const char		*option;	/* NULL, or its value it is */
	const char		*word, *text;
};

/* What to say of the word in the block, as the end of a sentence; or NULL. */
const char	*habits_word(enum option_block, struct span word);

/* The same of a value of the option. */
const char	*habits_value(const struct option_row *, struct span value);

/* The n-th row; NULL: there are no more. */
const struct habit *habits_row(unsigned n);

#endif
