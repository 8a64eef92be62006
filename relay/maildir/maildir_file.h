/*
 * maildir_file - one message on its way into one Maildir: written in tmp/,
 * synced, moved to new/, and new/ synced.  Only then it is there.
 *
 * The Maildir and the directories above it, up to the root, are made as
 * needed, mode 0700.  Nothing is ever reached through a symbolic link, nor
 * outside the root (openat2(2)).  Text has LF line ends there, as Maildirs do.
 *
 * A name in new/ ends with ",S=" and the file's length, by which others count
 * without looking at each.  With a quota (maildir_quota.h) there must be room
 * before anything is written, and again before the file is moved.
 *
 * Owns	   its descriptors
 * Blocks  all calls wait for the disk: for threads
 * Errors  ERR_SYS errno; EDQUOT: no room
 */
#ifndef RELAY_MAILDIR_FILE_H
#define RELAY_MAILDIR_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"
#include "relay/maildir/maildir_quota.h"

#define MAILDIR_FILE_NAME_MAX	256	/* bytes with NUL */

/* Where in the Maildir, and how much it may hold. */
struct maildir_wish {
	const char	*folder;	/* ".NAME" in it; "" itself	*/
	bool		 makes_folder;	/* else itself, if there is none */
	const struct maildir_quota *quota;	/* NULL: nobody looks	*/
	uint64_t	 len;		/* of the text, as far as known	*/
};

struct maildir_file {
	const struct maildir_quota *quota;
	int	 box_fd;		/* of the Maildir, for its quota */
	int	 dir_fd;		/* of its folder, or the Maildir */
	uint64_t len;			/* written			*/
	int	 fd;			/* of the file in tmp/		*/
	bool	 has_cr;		/* seen at the end of a run	*/
	char	 name[MAILDIR_FILE_NAME_MAX];
};

/* The root, below which all paths are. */
MUST_CHECK enum err maildir_file_root(const char *path, int *out);

/*
 * Begin: path is below root_fd, host makes the name unique.  The wish may be
 * NULL; its quota is borrowed.
 */
MUST_CHECK enum err maildir_file_create(struct maildir_file *, int root_fd,
    const char *path, struct span host, const struct maildir_wish *);
/* Return-Path and Delivered-To. */
MUST_CHECK enum err maildir_file_envelope(struct maildir_file *,
    struct span sender, struct span rcpt);
/* At most PIECE_MAX bytes of text with CRLF line ends. */
MUST_CHECK enum err maildir_file_text(struct maildir_file *, struct span);
/* It is in new/, and stays.  Both this and abort() close it. */
MUST_CHECK enum err maildir_file_commit(struct maildir_file *);
void	maildir_file_abort(struct maildir_file *);

#endif
