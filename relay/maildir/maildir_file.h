/*
 * maildir_file - one message on its way into one Maildir: written in tmp/,
 * synced, moved to new/, and new/ synced.  Only then it is there.
 *
 * The Maildir and the directories above it, up to the root, are made as
 * needed, mode 0700.  Nothing is ever reached through a symbolic link, nor
 * outside the root (openat2(2)).  Text has LF line ends there, as Maildirs do.
 *
 * Owns	   its descriptors
 * Blocks  all calls wait for the disk: for threads
 * Errors  ERR_SYS errno
 */
#ifndef RELAY_MAILDIR_FILE_H
#define RELAY_MAILDIR_FILE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/span.h"

#define MAILDIR_FILE_NAME_MAX	256	/* bytes with NUL */

struct maildir_file {
	int	 dir_fd;		/* of the Maildir		*/
	int	 fd;			/* of the file in tmp/		*/
	bool	 has_cr;		/* seen at the end of a run	*/
	char	 name[MAILDIR_FILE_NAME_MAX];
};

/* The root, below which all paths are. */
MUST_CHECK enum err maildir_file_root(const char *path, int *out);

/* Begin: path is below root_fd, host makes the name unique. */
MUST_CHECK enum err maildir_file_create(struct maildir_file *, int root_fd,
    const char *path, struct span host);
/* Return-Path and Delivered-To. */
MUST_CHECK enum err maildir_file_envelope(struct maildir_file *,
    struct span sender, struct span rcpt);
/* At most PIECE_MAX bytes of text with CRLF line ends. */
MUST_CHECK enum err maildir_file_text(struct maildir_file *, struct span);
/* It is in new/, and stays.  Both this and abort() close it. */
MUST_CHECK enum err maildir_file_commit(struct maildir_file *);
void	maildir_file_abort(struct maildir_file *);

#endif
