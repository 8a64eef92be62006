/* held.c - one row for each reason. */
#include "bus/held.h"

static const struct {
	const char	*word, *why, *until, *line;
} rows[HELD__COUNT] = {
#define HELD(name, word, why, until)					\
	[HELD_##name] = { word, why, until,				\
	    "a delivery is held " why ", " until },
#include "bus/held.def"
#undef HELD
};

static unsigned
known(unsigned held)
{
	return held < HELD__COUNT ? held : HELD_UNSAID;
}

const char *
held_word(unsigned held)
{
	return rows[known(held)].word;
}

const char *
held_why(unsigned held)
{
	return rows[known(held)].why;
}

const char *
held_until(unsigned held)
{
	return rows[known(held)].until;
}

const char *
held_line(unsigned held)
{
	return rows[known(held)].line;
}
