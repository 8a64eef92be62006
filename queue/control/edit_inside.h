/*
 * edit_inside - what edit.c (what becomes of an edit) and edit_pending.c (of
 * which messages one is on its way) share.
 */
#ifndef QUEUE_EDIT_INSIDE_H
#define QUEUE_EDIT_INSIDE_H

#include "queue/control/edit.h"

struct edit_call {
	RB_ENTRY(edit_call) by_id;
	struct queue	*queue;
	struct store_edit store;
	edit_fn		*fn;
	void		*arg;
	char		 text[REPLY_TEXT_MAX];	/* what its sender is told */
};

RB_HEAD(edit_tree, edit_call);
RB_PROTOTYPE(edit_tree, edit_call, by_id, )

struct edits {
	struct edit_tree pending;
	unsigned	 cnt;
};

#endif
