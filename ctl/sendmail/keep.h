/*
 * keep - a letter into the drop directory (mail/dropped.h), from where postern
 * takes it when it is there again.  Nobody needs a right for that: the
 * directory is open to all, and what is made in it has its group.
 *
 * Blocks  on the disk: after 0 it survives a power cut
 */
#ifndef CTL_SENDMAIL_KEEP_H
#define CTL_SENDMAIL_KEEP_H

#include <stddef.h>

#include "ctl/sendmail/letter.h"

/*
 * Keep it for its recipients from `first' on, as many files as that needs.  The
 * exit status: 0, or one of sysexits(3) with a complaint, and nothing is kept.
 */
int	keep_letter(struct letter *, const char *dir_path, size_t first);

#endif
