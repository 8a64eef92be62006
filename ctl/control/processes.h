/*
 * processes - what master tells control: who runs, and where each counts.
 *
 * A process's page comes before it is listed for the first time; a page with a
 * number that is known takes the place of the old one.  Pages of processes that
 * a whole listing does not name are given back.
 */
#ifndef CTL_CONTROL_PROCESSES_H
#define CTL_CONTROL_PROCESSES_H

#include "bus/messages.h"
#include "ctl/control/control.h"

/* A message of master's that boot.h does not know; fd is taken. */
MUST_CHECK enum err	processes_receive(struct control *, unsigned type,
			    const union msg *, int fd);

/* This process is gone for good, with its page. */
void			processes_gone(struct control *, uint32_t no);

/* Give back all pages. */
void			processes_close(struct control *);

#endif
