/*
 * complaint - what libunbound writes about its troubles, as lines of our log.
 *
 * The library's thread writes into a pipe that never blocks; the loop reads
 * and logs event=trouble, at most COMPLAINTS_MAX lines in a minute.
 *
 * Owns	   both ends of the pipe
 * Blocks  never
 * Errors  ERR_SYS
 */
#ifndef RESOLVER_COMPLAINT_H
#define RESOLVER_COMPLAINT_H

#include <stdio.h>

#include "base/err.h"
#include "sys/ev.h"

#define COMPLAINTS_MAX	10

struct complaint;

/* Before the sandbox. */
MUST_CHECK enum err complaint_open(struct complaint **out, struct ev_loop *);
/* After the last dns_close(). */
void	complaint_close(struct complaint **);

/* Where the library shall write; borrowed. */
FILE	*complaint_file(struct complaint *);

#endif
