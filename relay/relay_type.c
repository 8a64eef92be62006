/*
 * relay_type.c - the code for each type of relay, as kinds.def has it.
 */
#include "conf/kinds.h"
#include "relay/relay_type.h"

static const struct {
	const char		*word;
	const struct relay_type	*kind;
} rows[] = {
#define KIND(word, role, reach, facts, slots, check, by)		\
	{ #word, &relay_type_##by },
#include "conf/kinds.def"
};

const struct relay_type *
relay_type_find(struct span word, struct span user, enum role role)
{
	const struct kind_row *row = kinds_find(word);

	if (row == NULL || kinds_role(row, user) != role)
		return NULL;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (span_eq(word, span_of(rows[i].word)))
			return rows[i].kind;
	return NULL;
}
