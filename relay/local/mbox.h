/*
 * mbox - one message on its way into one mailbox that is a file: behind what is
 * there, under both locks of Debian policy 11.6, and gone again if it does not
 * become whole: by who writes it, or, if he was killed, by the next one.
 *
 * A message begins with "From SENDER DATE" and ends with an empty line.  A line
 * of its own that begins with "From " gets a ">" in front, and no other: the
 * mail readers here take no ">" away again, so one more would be another text.
 *
 * The file must be the user's own, a plain one with one name; if it is not
 * there it is made, mode 0600.  No symbolic link is followed to it.
 *
 * Owns	   its descriptors and the dot lock
 * Blocks  all calls wait for the disk, mbox_open() for the locks too
 * Errors  ERR_SYS errno; ERR_AGAIN others had it locked for too long;
 *	   ERR_CLOSED wait() said that it is over
 */
#ifndef RELAY_LOCAL_MBOX_H
#define RELAY_LOCAL_MBOX_H

#include <sys/types.h>

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

#define MBOX_LOCK_STALE_MS	(5 * 60000)	/* a dot lock of that age is
						 * nobody's, if it is not
						 * touched meanwhile	*/

struct mbox_place {
	int		 dir_fd;	/* borrowed, open for reading	*/
	const char	*name;		/* in it; borrowed		*/
	uid_t		 owner;
	int64_t		 patience_ms;	/* for the locks		*/
	/* Let so much time pass; false: no more of it.  */
	bool		 (*wait)(int ms);
};

struct mbox {
	const struct mbox_place *place;
	int		 fd;
	char		 lock[NAME_MAX + 1];	/* "" we have none	*/
	int		 lock_fd;	/* until it says what we are about */
	int64_t		 touched_ms;	/* the lock			*/
	off_t		 old_len;
	bool		 is_new;	/* the file is, its name not synced */
	unsigned	 matched;	/* bytes of "From " at the start of the
					 * line, held back		*/
	bool		 is_within;	/* a line			*/
	size_t		 len;
	char		 bytes[65536];	/* to be written		*/
};

/* Lock it.  The place is borrowed until it is closed. */
MUST_CHECK enum err mbox_open(struct mbox *, const struct mbox_place *);
/* The first line, Return-Path and Delivered-To. */
MUST_CHECK enum err mbox_envelope(struct mbox *, struct span sender,
	    struct span rcpt);
/* Lines with LF. */
MUST_CHECK enum err mbox_text(struct mbox *, struct span);
/* It is there, and stays.  Both this and abort() unlock and close it. */
MUST_CHECK enum err mbox_commit(struct mbox *);
/* As long as it was before; errno is as it was. */
void	mbox_abort(struct mbox *);

/* For mbox.c, in mbox_lock.c: both locks of an open file. */
MUST_CHECK enum err mbox_lock(struct mbox *);
void	mbox_touch_lock(struct mbox *);
void	mbox_unlock(struct mbox *);

/*
 * In mbox_mend.c: say in the dot lock what comes, before any of it is written;
 * and, the file being locked, undo what the owner of that lock has begun, if it
 * was one of us.  True: the lock is gone.
 */
MUST_CHECK enum err mbox_note(struct mbox *);
bool	mbox_mend(const struct mbox *, const char *lock);

#endif
