/*
 * to_queue - a tool's question, passed on to its queue under a number of ours.
 */
#ifndef CTL_CONTROL_TO_QUEUE_H
#define CTL_CONTROL_TO_QUEUE_H

#include "ctl/control/queue.h"

#define TO_QUEUE_LIST_MAX	256	/* messages in one part of a list */

/*
 * type is one of queue_ask, list_ask, show_ask, edit_ask, route_ask.  who is
 * the tool's that asks (tool.h): what changes something carries it on.
 */
void	to_queue_ask(struct queue *, unsigned type, const union msg *,
	    uint64_t number, const char *who);

#endif
