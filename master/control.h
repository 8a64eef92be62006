/*
 * control - what the control process asks of master, and what it is told.
 *
 * The work for a request is bounded by the size of the house.  Of reload and
 * users one each may be under way; a second is told that it is busy.
 *
 * Blocks  as reload_begin() does, for reload_ask
 */
#ifndef MASTER_CONTROL_H
#define MASTER_CONTROL_H

#include "master/supervisor.h"

void	control_init(struct supervisor *);

/* p, which is control, asks.  ERR_PEER: that is nonsense. */
MUST_CHECK enum err control_on_ask(struct process *p, unsigned type,
	    const union msg *);

/* p is new: control hears of its page. */
void	control_met(struct process *p);

/* p is gone for good: control needs its page no more. */
void	control_forgot(const struct process *p);

/* p works: control then gets all pages, others may be waited for.  took: the
 * slice and the files it was told of last are in force there. */
void	control_ready(struct process *p, bool took);

/* p has died: nobody waits any more for what it asked. */
void	control_ended(struct process *p);

/* A reload that may have been asked for is over. */
void	control_reloaded(struct supervisor *, enum tool_status,
	    const char *text);

#endif
