/*
 * dropdir - opening what others have left in a directory that is open to all:
 * the drop directory, which belongs to who reads it and has mode 3733, so that
 * what is made there has its group.
 *
 * Somebody's file is read as whoever we are, so it must be theirs to show: a
 * regular file with this one name, made here (of the directory's group), and
 * reached without following a link.  Who is its owner has left it.
 *
 * Blocks  on the disk
 * Errors  ERR_NONE it is not there, any more; ERR_PEER it is not to be read,
 *	   and *why says why; ERR_SYS errno
 */
#ifndef SYS_DROPDIR_H
#define SYS_DROPDIR_H

#include <sys/stat.h>

#include <stdbool.h>

#include "base/err.h"

#define DROPDIR_MODE	03733

/* Open it for reading: *fd is yours, and *st is of it. */
MUST_CHECK enum err dropdir_open(int *fd, struct stat *st, int dir_fd,
	    const struct stat *dir, const char *name, const char **why);

/* Is it the file it was, whole and unchanged? */
bool	dropdir_is_same(const struct stat *, const struct stat *);

/* What is wrong with the directory, for whoever we are; NULL: nothing. */
const char *dropdir_fault(const struct stat *dir);

#endif
