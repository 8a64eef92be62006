/*
 * maildir_open - open what lies below a directory, and nothing else: no
 * symbolic link on the way or at its end, and no way back up.
 *
 * Blocks  for the disk
 * Errors  -1 and errno: ELOOP a link, EXDEV it would lead out, ENOTDIR, ...
 */
#ifndef RELAY_MAILDIR_OPEN_H
#define RELAY_MAILDIR_OPEN_H

#include <sys/types.h>

/* As openat(2); closed on exec whatever the flags are. */
int	maildir_open(int dir_fd, const char *path, int flags, mode_t mode);

#endif
