/*
 * table - a lookup table of Postfix as its source: lines "key value" of a
 * file that hash:, lmdb: and others are made of (postmap(1)).
 *
 * Blocks  on the file
 */
#ifndef CTL_IMPORT_TABLE_H
#define CTL_IMPORT_TABLE_H

#include "ctl/tool/import/job.h"

/* One line of it, both not empty; borrowed, to be changed at will. */
typedef void table_fn(struct job *, char *key, char *value, void *arg);

/*
 * Go through all tables of this list, "hash:/etc/postfix/virtual, ..."; those
 * that are no such files are noted under the parameter's name.
 */
void	table_each(struct job *, const char *name, const char *list,
	    table_fn *, void *arg);

/* The path of a table that is a file; NULL: it is none.  Points into word. */
const char *table_path(const char *word);

#endif
