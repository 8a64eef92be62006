/*
 * forward - ~/.forward, as the user himself reads it: addresses, with commas or
 * line ends between them, `\user' for his own mailbox in spite of it, and
 * comments that begin with `#'.
 *
 * A program, a file or a list of another file is not for us to run, write or
 * read, and what is no address leads nowhere: in its place comes the user's
 * mailbox, and it is told why.
 *
 * The file must be plain, no link, and his or root's, as must be the home it
 * lies in; and nobody else may write to either.
 *
 * Blocks  for the disk
 * Errors  ERR_SYS what is there cannot be told now
 */
#ifndef RELAY_LOCAL_FORWARD_H
#define RELAY_LOCAL_FORWARD_H

#include "base/err.h"
#include "base/span.h"
#include "relay/local/who.h"

#define FORWARD_FILE_MAX	4096	/* bytes; one that is longer counts as
					 * none				*/
#define FORWARD_OUT_MAX		(FORWARD_FILE_MAX + WHO_NAME_MAX + 2)
#define FORWARD_WHY_MAX		512	/* of a remark, with its user	*/

/* What the words of a file stand for, a name a line; odd: one is not. */
size_t	forward_words(struct span text, const char *user,
	    char out[FORWARD_OUT_MAX], bool *odd);

/*
 * The same of the user's file; *len is 0 where none counts.  *why: NULL, or
 * what is odd.
 */
MUST_CHECK enum err forward_read(const struct who *, char out[FORWARD_OUT_MAX],
	    size_t *len, const char **why);

#endif
