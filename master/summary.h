/*
 * summary - one line on how the house is, for `systemctl status'.
 */
#ifndef MASTER_SUMMARY_H
#define MASTER_SUMMARY_H

#include "master/supervisor.h"

#define SUMMARY_MAX	512	/* bytes with NUL */

/* "12 queued, oldest 3 h, 2 destinations down, 3 clients; in trouble: relay
 * world" */
void	summary_write(const struct supervisor *, char *buf, size_t cap);

/* Tell the service manager, when it has changed. */
void	summary_tell(struct supervisor *);

#endif
