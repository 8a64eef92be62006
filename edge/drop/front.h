/*
 * front - the beginning of a file of the drop directory, with the envelope, and
 * whether the whole of it is there.
 *
 * Blocks  on the disk
 * Errors  ERR_AGAIN it may still become whole; ERR_PEER it is none of ours, and
 *	   ERR_FULL of a newer form than we know, or no memory: *why says so;
 *	   ERR_SYS errno
 */
#ifndef EDGE_DROP_FRONT_H
#define EDGE_DROP_FRONT_H

#include "edge/drop/carry.h"

/* Fill in front and d of an open file; front is yours, also on error. */
MUST_CHECK enum err front_read(struct carry_file *, const char **why);

/*
 * What it is known by to a queue that has taken it already, from one of us who
 * died before it was removed.  Even: the next number is its notice's.
 */
uint64_t	front_once(const char *name, const struct stat *);

#endif
