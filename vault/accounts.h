/*
 * accounts - the accounts of a users file, found by name in the same short time
 * wherever they stand, and whether or not they are there.
 *
 * Owns	   the text of the file, which it wipes
 * Blocks  no; accounts_new() reads all of the text
 * Errors  ERR_FULL no memory
 */
#ifndef VAULT_ACCOUNTS_H
#define VAULT_ACCOUNTS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/span.h"

struct accounts;

/* text, of at most ACCOUNT_FILE_MAX bytes, is malloc()'s and taken, also on
 * error. */
MUST_CHECK enum err	accounts_new(struct accounts **out, struct span text);
/* NULL is allowed. */
void			accounts_free(struct accounts **);

/*
 * What the password of this user is to be checked against.  True: his hash.
 * False: he has none; *hash is that of somebody else, the same one for the
 * same name each time, so that the work can be done that an account would
 * cost; empty when nobody has one.
 */
bool			accounts_find(const struct accounts *, struct span name,
			    struct span *hash);

#endif
