/*
 * kinds - the rows of kinds.def as a table: what each type of relay is to the
 * check, the plan, the queue and the relay itself.
 */
#ifndef CONF_KINDS_H
#define CONF_KINDS_H

#include "base/span.h"
#include "sys/roles.h"

enum kind_reach { KIND_TO_ALL, KIND_TO_HOP, KIND_TO_HERE };

struct kind_row {
	const char	*word;
	enum role	 role;
	enum kind_reach	 reach;
};

/* All words, a blank before each. */
extern const char kinds_words[];

/* The row of a type; NULL when there is none. */
const struct kind_row	*kinds_find(struct span word);

#endif
