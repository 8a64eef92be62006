/*
 * listen - the listening sockets.  Master makes and keeps them all, so that
 * neither a restart nor a reload refuses a connection.
 *
 * Owns	   the sockets, and the files of unix sockets
 * Blocks  no
 * Errors  ERR_SYS, after a log line event=trouble with the address and port,
 *	   or the path
 */
#ifndef MASTER_LISTEN_H
#define MASTER_LISTEN_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "conf/slice/plan.h"

struct listener;
TAILQ_HEAD(listeners, listener);

/*
 * Make the sockets of a row that are not there yet, and mark those it
 * needs as wanted by this generation.  The file of a unix socket that nobody
 * listens on is replaced; workers share one such socket.  Where this host has
 * no IPv6, :: and ::1 are passed over, unless the row has no other.
 */
MUST_CHECK enum err listen_want(struct listeners *,
    const struct plan_process *, uint32_t generation);

/* Close what this generation does not want. */
void	listen_sweep(struct listeners *, uint32_t generation);

/* Close all, when we end. */
void	listen_close(struct listeners *);

/* Close what was made for this generation: it does not come to be. */
void	listen_undo(struct listeners *, uint32_t generation);

/* Has this host no such address?  Then there is no socket for it. */
bool	listen_passed_over(struct listeners *, const struct plan_process *,
	    unsigned index);

/* The socket for a listener of a row, borrowed; -1 when there is none. */
int	listen_find(struct listeners *, const struct plan_process *,
	    unsigned index);

#endif
