/*
 * kind.c - the table of relay types.
 */
#include "relay/kind.h"

static const struct kind *const rows[] = {
	&kind_static, &kind_mx, &kind_lmtp, &kind_maildir, &kind_pipe,
	&kind_blackhole,
};

const struct kind *
kind_find(struct span word, enum role role)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i]->role == role &&
		    span_eq(word, span_of(rows[i]->word)))
			return rows[i];
	return NULL;
}
