/*
 * leftover - what is left of a message that cannot go into a store whole, as a
 * pair of files for a person.
 *
 * Blocks  as the disk does
 */
#ifndef QUEUE_SALVAGE_LEFTOVER_H
#define QUEUE_SALVAGE_LEFTOVER_H

#include "queue/salvage/judge.h"

/*
 * Write ID.txt, and ID.eml when there is any text, into the directory dir_fd.
 * went: its good deliveries stand in the new store.  ERR_SYS: errno.
 */
MUST_CHECK enum err leftover_write(int dir_fd, const struct rows *,
	    const struct verdict *, bool went);

#endif
