/*
 * listen - who may come in: whoever has any right at all, see rights.h.
 *
 * Blocks  never
 * Errors  ERR_SYS the listener cannot be watched
 */
#ifndef CTL_CONTROL_LISTEN_H
#define CTL_CONTROL_LISTEN_H

#include "ctl/control/control.h"

struct listen;

/* Watch a listening socket of packets, borrowed.  *out is yours. */
MUST_CHECK enum err	listen_open(struct listen **out, struct control *,
			    int fd);
void			listen_close(struct listen **);

#endif
