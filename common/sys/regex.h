/*
 * regex - regular expressions of PCRE2, for patterns of the administrator on
 * text of anybody's.
 *
 * ^ and $ match at each line.  Nothing is compiled to machine code, for a
 * process may have no page that is both written and run.  A search costs at
 * most REGEX_STEPS steps of the pattern and REGEX_HEAP_KB of memory, whatever
 * pattern and text are.
 *
 * Blocks  never
 */
#ifndef SYS_REGEX_H
#define SYS_REGEX_H

#include <stddef.h>

#include "base/err.h"
#include "base/span.h"

#define REGEX_STEPS	200000u	/* of one search, all places together	*/
#define REGEX_HEAP_KB	2048u	/* of one search			*/

struct regex;

/*
 * ERR_PEER: it is none; the reason is put into why, where the mistake is into
 * *at.  ERR_SYS: no memory.
 */
MUST_CHECK enum err	regex_check(struct span pattern, size_t *at, char *why,
			    size_t cap);

/* The same, to be kept. */
MUST_CHECK enum err	regex_open(struct regex **out, struct span pattern);
void			regex_close(struct regex **);

/*
 * Look for it: what its first group that took part has matched, or all of the
 * match where it has no group.  ERR_NONE: it matches nowhere; ERR_FULL: it
 * would cost too much; *out is then as it was.
 */
MUST_CHECK enum err	regex_find(struct regex *, struct span text,
			    struct span *out);

/*
 * Put words in place of what all of it matches first, into out of cap bytes,
 * and how long that is into *len.  A backslash and a digit in them is what that
 * group has matched, if it took part; a backslash makes what follows plain.
 * ERR_NONE: it matches nowhere; ERR_FULL: it would cost too much, or get too
 * long.
 */
MUST_CHECK enum err	regex_replace(struct regex *, struct span text,
			    struct span words, char *out, size_t cap,
			    size_t *len);

#endif
