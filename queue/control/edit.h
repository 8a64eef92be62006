/*
 * edit - what an administrator does to a message that waits: hold, release,
 * flush, remove, retry what was damaged.  One transaction each, answered when
 * it is committed.
 *
 * While an edit is on its way nothing of its message is given to a relay: what
 * has its turn is parked, and read again from the disk afterwards.
 *
 * Owns	   struct edits, until the edit came back
 * Blocks  never
 */
#ifndef QUEUE_EDIT_H
#define QUEUE_EDIT_H

#include "queue/queue.h"

typedef void edit_fn(enum tool_status, void *arg);

MUST_CHECK enum err edit_open(struct edits **out, struct queue *);
/* Behind store_close(); the fn of what is on its way are not called. */
void	edit_close(struct edits **);

/*
 * True: it is on its way, and fn is called once, later.  False: it is not, for
 * the reason in *why.  STATUS_BUSY: a relay has a delivery of it, another edit
 * of it is on its way, or there are too many.  fn is told it, too, where
 * somebody else has tried a delivery of it meanwhile: nothing was changed.
 * who: wants it, and is told of where it is held; may be empty.
 */
bool	edit_start(struct queue *, struct id, enum edit, struct span who,
	    enum tool_status *why, edit_fn *, void *arg);

/*
 * EDIT_GIVE_UP, with a reason or an empty one; who as above.  fn's status is
 * STATUS_SILENT when it is done and there is no sender to be told.
 */
bool	edit_give_up(struct queue *, struct id, struct span text,
	    struct span who, enum tool_status *why, edit_fn *, void *arg);

bool	edit_is_pending(const struct edits *, struct id);

#endif
