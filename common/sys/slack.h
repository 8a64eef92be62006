/*
 * slack - memory that was freed goes back to the kernel.
 *
 * malloc keeps what was freed below something that lasts, so that a process
 * holds for good what one flood has cost it.  Each SLACK_LOOK_MS it is seen how
 * much lies idle; what is more than SLACK_MAX, and more than half of what is in
 * use, is given back.
 *
 * Blocks  while it gives back: some milliseconds
 */
#ifndef SYS_SLACK_H
#define SYS_SLACK_H

#include <stddef.h>

#include "sys/ev.h"

#define SLACK_LOOK_MS	5000
#define SLACK_MAX	(4u << 20)	/* bytes of no account		*/

/* Look after the memory of this process while the loop runs; once a process. */
void	slack_watch(struct timer *, struct ev_loop *);

/* Look once: so many bytes lay idle and were given back, or 0. */
size_t	slack_look(void);

#endif
