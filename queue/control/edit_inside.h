/*
 * edit_inside - what edit.c (what becomes of an edit), edit_look.c (what is
 * seen before it) and edit_pending.c (of which messages one is on its way)
 * share.
 */
#ifndef QUEUE_EDIT_INSIDE_H
#define QUEUE_EDIT_INSIDE_H

#include "queue/control/edit.h"
#include "queue/store/store_edit.h"
#include "queue/store/store_list.h"

struct edit_call {
	RB_ENTRY(edit_call) by_id;
	struct queue	*queue;
	struct store_read_rows look;
	store_fn	*looked;
	struct store_tries *seen;
	struct store_edit store;
	edit_fn		*fn;
	void		*arg;
	char		 text[REPLY_TEXT_MAX];	/* what its sender is told */
	char		 who[STORE_WHO_MAX];
};

RB_HEAD(edit_tree, edit_call);
RB_PROTOTYPE(edit_tree, edit_call, by_id, )

struct edits {
	struct edit_tree pending;
	unsigned	 cnt;
};

void	edit_call_free(struct edit_call *);

/* Reads what store.seen is to say, then fn: its err is of the reading. */
void	edit_call_look(struct edit_call *, store_fn *);

#endif
