/*
 * folder - the files of one process, opened by master when it takes a plan and
 * sent to each life of the process.
 *
 * Every process has descriptions of its own, so that no two share an offset
 * (but of what is made of a directory, which is read by position); each life
 * begins at the front.  Nothing is read here.
 *
 * Owns	   the descriptors
 * Blocks  for the disk, in folder_open()
 * Errors  ERR_SYS, after a log line event=trouble with the path
 */
#ifndef MASTER_FOLDER_H
#define MASTER_FOLDER_H

#include <stdbool.h>

#include "base/err.h"
#include "bus/link.h"
#include "conf/slice/plan.h"

struct folder;

/*
 * Open them all, or none.  A secret that others have access to is refused,
 * and so is what is no regular file.  What is made is not opened: we keep the
 * row's fd as our own.  On OK *out is yours.
 */
MUST_CHECK enum err folder_open(struct folder **out, const struct plan_file *,
		    unsigned cnt);

/* The same paths opened anew; what is made stays what it is. */
MUST_CHECK enum err folder_open_again(struct folder **out,
		    const struct folder *);

/* Closing NULL is allowed. */
void		 folder_close(struct folder **);

/* The same paths, and the same contents as far as stat(2) can tell? */
bool		 folder_same(const struct folder *, const struct folder *);

/* Send them all, in order, as slice_file. */
void		 folder_send(const struct folder *, struct link *);

#endif
