/*
 * stop - the orderly end: edges first, so that nothing new comes in, then the
 * relays, which finish what they have, then queues, the vault, control, and
 * the resolver.
 *
 * Blocks  no
 */
#ifndef MASTER_STOP_H
#define MASTER_STOP_H

#include "master/supervisor.h"

/* Begin; a second time: hurry. */
void	stop_begin(struct supervisor *);

/* A process has ended: is this stage over?  Nothing when we run on. */
void	stop_look(struct supervisor *);

#endif
