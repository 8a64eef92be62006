/*
 * kept - listening sockets that the service manager keeps for us while we are
 * away, so that a connection that comes during a restart waits, and is not
 * refused (sd_notify(3), FDSTORE=1; sd_listen_fds(3)).
 *
 * TCP only: what is sent by a unix socket is of this host, and its sender
 * knows how to come again.  Each has a name, made of its address and worker;
 * what comes back is believed only when it is a listening socket of that very
 * address.  Without a manager, or with one that keeps nothing, all calls do
 * nothing.
 *
 * Owns	   the sockets that came back and were not found yet
 * Blocks  no
 * Errors  none come back: what is not kept is made anew
 */
#ifndef MASTER_KEPT_H
#define MASTER_KEPT_H

#include <stdint.h>

#include "conf/slice/plan.h"

/* How many descriptors behind the standard three are such ones. */
unsigned kept_count(void);

/* Take them, each looked at; others that came along are closed. */
void	kept_take(void);

/* The socket of this place and worker, yours from now on; -1: none came. */
int	kept_find(const struct plan_listener *, uint16_t worker);

/* Close what nobody has found: the configuration has changed meanwhile. */
void	kept_end(void);

/* A listening socket is to be kept, or no more. */
void	kept_add(const struct plan_listener *, uint16_t worker, int fd);
void	kept_remove(const struct plan_listener *, uint16_t worker);

#endif
