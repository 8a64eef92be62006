/*
 * ask - the questions under way: whose they are, and whom we asked.
 *
 * Numbers are unique among those under way and do not come back soon, so that
 * an answer to a tool that has left finds nobody.
 */
#ifndef CTL_CONTROL_ASK_H
#define CTL_CONTROL_ASK_H

#include "bus/messages.h"
#include "ctl/control/control.h"

/*
 * Note a question of type MSG_*; queue is NULL for master.  NULL: there are
 * too many, of this tool, to this queue, or of all.
 */
struct ask	*ask_new(struct tool *, struct queue *, unsigned type,
		    uint64_t theirs);

/* The question with that number that this queue (NULL: master) was asked. */
struct ask	*ask_find(struct control *, uint64_t number,
		    const struct queue *);

/* It is answered. */
void		 ask_end(struct ask *);

/* The answer to a question of this type that could not be answered. */
void		 ask_refuse(struct tool *, unsigned type, uint64_t theirs,
		    enum told, const char *why);

/* All that this queue (NULL: master) was asked will not be answered. */
void		 ask_fail(struct control *, const struct queue *,
		    const char *why);

/*
 * This tool has left.  What it asked keeps its place until it is answered: a
 * queue has no more to do at a time than there are places.
 */
void		 ask_forget(struct tool *);

#endif
