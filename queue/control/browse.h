/*
 * browse - the list of what is queued, and one message of it, as control asks
 * for them: message, deliveries, recipients, and so on by id.
 *
 * Read in bounded batches, one listing at a time; the next batch waits until
 * what was sent has gone out.  A list is not a snapshot: what changes while it
 * is read is in it as it was before, or after.
 */
#ifndef QUEUE_BROWSE_H
#define QUEUE_BROWSE_H

#include "queue/control/control.h"

void	browse_init(struct control *);
/* Its link is gone. */
void	browse_stop(struct control *);

void	browse_list(struct control *, const struct msg_list_ask *);
void	browse_show(struct control *, const struct msg_show_ask *);

#endif
