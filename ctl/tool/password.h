/*
 * password - asking for one, and its hash: crypt(3), yescrypt by default.
 *
 * Blocks  on the person; a hash takes the better part of a tenth of a second
 * Errors  ERR_NONE none was given, or two that differ (the person was told);
 *	   ERR_FULL it is too long; ERR_SYS errno
 */
#ifndef CTL_TOOL_PASSWORD_H
#define CTL_TOOL_PASSWORD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/span.h"

#define PASSWORD_MAX	511	/* bytes crypt(3) takes	*/

/*
 * Read it into buf of PASSWORD_MAX + 1 bytes: from the terminal without echo,
 * twice if it is new; else the first line of standard input.  Wipe it after.
 */
MUST_CHECK enum err	password_read(bool is_new, char *buf);

/* Hash it with a fresh salt; *out is yours, and a crypt(5) string. */
MUST_CHECK enum err	password_hash(const char *password, char **out);

/* Is it a hash of a method that crypt(3) has here? */
bool			password_knows(struct span hash);

/* Is it the one that hash was made of? */
bool			password_fits(const char *password, struct span hash);

#endif
