/*
 * handover - one message from its text to the edge's 250, whole or not at all:
 * if one recipient is refused none gets it.  More recipients than the edge
 * takes at a time are several transactions.
 *
 * Blocks  on the input, then on the edge
 */
#ifndef CTL_SENDMAIL_HANDOVER_H
#define CTL_SENDMAIL_HANDOVER_H

#include <stdio.h>

#include "ctl/sendmail/args.h"

/* The exit status: 0, or one of sysexits(3) and the reason told. */
int	handover_send(const struct args *, FILE *in, const char *socket_path);

#endif
