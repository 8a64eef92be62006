/*
 * reload - a new configuration in place of the one in force, or nothing.
 *
 * Blocks  reload_begin() while the check child works
 */
#ifndef MASTER_RELOAD_H
#define MASTER_RELOAD_H

#include "master/supervisor.h"

/* Check the file again, and go over to it if that can be done. */
void	reload_begin(struct supervisor *);

/* A queue says how many messages it holds. */
void	reload_on_answer(struct process *, uint64_t messages);

#endif
