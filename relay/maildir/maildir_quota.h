/*
 * maildir_quota - how much a Maildir may hold, and holds: the file maildirsize
 * of Maildir++ in it, read and written as Dovecot's `maildir' quota, Courier
 * and maildrop do.
 *
 *	LIMITS		"1000000S,500C": bytes, messages; 0 no limit
 *	BYTES COUNT	what there was when the file was written
 *	BYTES COUNT	what came since, or went: may be below zero
 *
 * All folders count.  A file that is broken, longer than 5120 bytes or of other
 * limits than ours is made anew from what lies there; so is one that says there
 * is no room, unless it was made a moment ago.  It is a soft limit: those who
 * deliver at the same time may go beyond it by what each of them brings.
 *
 * Blocks  for the disk
 * Errors  ERR_FULL no room, errno EDQUOT; ERR_SYS errno
 */
#ifndef RELAY_MAILDIR_QUOTA_H
#define RELAY_MAILDIR_QUOTA_H

#include <stdint.h>

#include "base/err.h"

struct maildir_quota {
	uint64_t	 bytes, messages;	/* 0: no limit; both 0: those
						 * of the file, if any	*/
};

/* Is there room for one more message of so many bytes? */
MUST_CHECK enum err maildir_quota_room(int box_fd,
	    const struct maildir_quota *, uint64_t size);
/* It is there.  Nothing is lost when this fails: see above. */
void	maildir_quota_add(int box_fd, uint64_t size);

#endif
