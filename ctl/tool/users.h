/*
 * users - changing a file of users so that nothing is ever lost: whoever reads
 * it finds the old text or the new, whole, and two who change it at once wait
 * for each other.  Who is killed meanwhile leaves a file ".NAME.new", which the
 * next one takes over.
 *
 * The new file has mode 0600 and the owner of the old one.  A symbolic link is
 * followed, and stays; one that leads nowhere is an error.
 *
 * Blocks  on the disk; while another holds the lock
 * Errors  as the change says; ERR_SYS errno says why not; ERR_PEER others than
 *	   the caller and root may write the directory
 */
#ifndef CTL_TOOL_USERS_H
#define CTL_TOOL_USERS_H

#include "base/err.h"
#include "base/span.h"

/*
 * Make the new text, to be freed, from the old one.  Any error leaves the file
 * as it is.
 */
typedef enum err users_change_fn(struct span old, struct span *out, void *arg);

/* Read it whole; on OK out->ptr is yours.  ERR_NONE there is no such file. */
MUST_CHECK enum err	users_read(const char *path, struct span *out);

/* Change it; a file that is not there is empty, and is made. */
MUST_CHECK enum err	users_change(const char *path, users_change_fn *,
			    void *arg);

#endif
