/*
 * alias_table - aliases, to be looked up: an open hash, built once.  Pure.
 *
 * Keys are compared as patterns are: domains as domain_key() has them, users
 * with ASCII letters folded and without their quotes.  A look-up costs a hash,
 * however many there are.
 *
 * Owns	   copies of all texts
 * Errors  ERR_SYS no memory; ERR_NONE what is added is left out
 */
#ifndef MAIL_ALIAS_TABLE_H
#define MAIL_ALIAS_TABLE_H

#include <stdint.h>

#include "mail/aliases.h"

struct alias_table;

/* Who is looked for; one of the two may be empty. */
struct alias_key {
	struct span	 local;
	struct span	 domain;	/* empty: of our own, whichever */
};

/* Those behind a key: cnt of them from first on. */
struct alias_row {
	uint32_t	 first, cnt;
};

MUST_CHECK enum err alias_table_new(struct alias_table **out);
void	alias_table_free(struct alias_table **);

/* As it is written: user, user@domain or @domain. */
struct alias_key alias_table_key(struct span written);

/*
 * The next key, and then each word behind it.  ERR_NONE: there is such a key
 * already, or it is none; then what stands behind it is left out too.
 */
MUST_CHECK enum err alias_table_begin(struct alias_table *, struct span key);
MUST_CHECK enum err alias_table_add(struct alias_table *, enum aliases_word,
	    struct span);

bool	alias_table_find(const struct alias_table *, struct alias_key,
	    struct alias_row *out);
struct span alias_table_word(const struct alias_table *, uint32_t no,
	    enum aliases_word *what);

/* How many keys there are. */
uint32_t alias_table_cnt(const struct alias_table *);

#endif
