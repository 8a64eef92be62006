/*
 * dirs - the directories postern owns, and the lock that says whose they are.
 *
 * Blocks  for the disk
 * Errors  ERR_SYS, after a log line event=trouble with the path
 */
#ifndef MASTER_DIRS_H
#define MASTER_DIRS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "conf/slice/plan.h"

#define DIRS_EMPTY	"/empty"	/* below run_dir: the empty root */

/* run_dir with its empty root, and the lock; once.  Held until we end. */
MUST_CHECK enum err dirs_take(const char *run_dir);

/*
 * A row's own directory.  One we make is the row's user's and mode 0700; one
 * that stands already is left as its owner wants it.  But a queue's must be its
 * user's: one that is empty, root's and 0700 or 0755, below /var/lib or a file
 * system of its own, becomes that; any other is an error.
 */
MUST_CHECK enum err dirs_own(const struct plan_process *);

#endif
