/*
 * ask - what a tool has asked, passed on under a number of ours.
 *
 * A queue has a table of questions, and master has one: an answer is looked for
 * among those of who gives it.  They have no end of time, a tool has: a queue
 * has no more to do at a time than its table holds, whoever asked.
 */
#ifndef CTL_CONTROL_ASK_H
#define CTL_CONTROL_ASK_H

#include "bus/messages.h"
#include "ctl/control/control.h"

struct ask {
	struct question	 question;	/* first: they are one		*/
	LIST_ENTRY(ask)	 entry;		/* of the tool			*/
	struct tool	*tool;		/* NULL: it has left		*/
	unsigned	 type;		/* what the tool said: MSG_*	*/
	uint64_t	 theirs;	/* the tool's number		*/
};

/* The table of somebody who is asked; lose them when he goes away. */
void		 ask_init(struct questions *, struct ev_loop *, unsigned max);

/*
 * Note a question of type MSG_*.  NULL: there are too many, of this tool or to
 * him who is asked, or no memory.
 */
struct ask	*ask_new(struct tool *, struct questions *, unsigned type,
		    uint64_t theirs);

/* As question_find(). */
MUST_CHECK enum err	ask_find(struct questions *, uint64_t no,
			    struct ask **out);

/* It is answered. */
void		 ask_end(struct ask *);

/* The answer to a question of this type that could not be answered. */
void		 ask_refuse(struct tool *, unsigned type, uint64_t theirs,
		    enum tool_status, const char *why);

/* Nothing in this table will be answered: say so now, and empty it. */
void		 ask_fail_all(struct questions *);

/* This tool has left.  What it asked keeps its place until it is answered. */
void		 ask_forget(struct tool *);

#endif
