/*
 * from_queue - what a queue answers, handed to the tool that asked, under the
 * number that tool gave.  An answer to a tool that has left is dropped.
 *
 * Errors  ERR_PEER an answer that does not fit its question
 */
#ifndef CTL_CONTROL_FROM_QUEUE_H
#define CTL_CONTROL_FROM_QUEUE_H

#include "ctl/control/queue.h"

MUST_CHECK enum err	from_queue_take(struct queue *, unsigned type,
			    const union msg *);

#endif
