/*
 * main_cf - the parameters of a Postfix main.cf (postconf(5)).  Pure.
 *
 * Lines that begin with a blank go on with the one before, # begins a comment
 * where a line could begin; of two values of a name the last one holds.
 * $name, ${name} and $(name) are replaced; other forms of ${} stay as they are.
 */
#ifndef CTL_IMPORT_MAIN_CF_H
#define CTL_IMPORT_MAIN_CF_H

#include <sys/queue.h>

#include <stdbool.h>

#include "base/err.h"
#include "base/span.h"

#define MAIN_CF_VALUE_MAX	16384	/* bytes of a value, replaced	*/

struct main_cf_row {
	TAILQ_ENTRY(main_cf_row) entry;
	char		*name, *value;
	bool		 is_used;	/* somebody has asked for it	*/
};
TAILQ_HEAD(main_cf, main_cf_row);

/* ERR_SYS no memory. */
MUST_CHECK enum err main_cf_read(struct main_cf *, struct span text);

/* Another value, or one that was not given. */
MUST_CHECK enum err main_cf_set(struct main_cf *, const char *name,
		    const char *value);

/*
 * The value with others put in place, yours; NULL: not given, or no memory.
 * An empty one is "".  Values that lead to themselves end at some depth.
 */
char		*main_cf_get(struct main_cf *, const char *name);

/* The same without counting as used, as it is written; borrowed. */
const char	*main_cf_raw(const struct main_cf *, const char *name);

void		 main_cf_free(struct main_cf *);

/*
 * The next word of a list, which blanks and commas part; false at the end.
 * {a, b} is one word, without its braces.
 */
bool		 main_cf_word(struct span *list, struct span *word);

#endif
