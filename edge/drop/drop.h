/*
 * drop - the drop directory: what sendmail(1) left in it while it could not
 * speak to an edge is carried to the queue, in its owner's name.
 *
 * It is read at the start, whenever there is a link to the queue again, when
 * something new is there or something was done to a file, and every minute for
 * what had to wait, each for longer from try to try.  A file is removed after
 * the queue has said that it is on disk, never before: who dies between the two
 * sends it once more, under the same number, by which the queue knows it.
 * Several of us (an older one that ends, a newer one) share a directory: each
 * file is locked by who reads it.
 *
 * What is not of the form of dropped.h, or not to be read (dropdir.h), or was
 * answered "not now" for all of its lifetime, is left where it is, and told
 * once.
 *
 * Owns	   its descriptors and what is on its way
 * Blocks  on the disk
 * Errors  ERR_FULL no memory; ERR_SYS errno
 */
#ifndef EDGE_DROP_DROP_H
#define EDGE_DROP_DROP_H

#include "base/err.h"

struct drop;
struct edge;

/* Watch the directory, before the process is sealed. */
MUST_CHECK enum err drop_new(struct drop **out, struct edge *,
	    const char *path);
/* Open it, under the name it has now. */
MUST_CHECK enum err drop_open(struct drop *, const char *path);
void	drop_free(struct drop **);

/* Look what is there, also at what waits: there is a queue to take it. */
void	drop_look(struct drop *);
/* Begin nothing more. */
void	drop_end(struct drop *);

#endif
