/*
 * handover - a letter to the edge; where that is away or says not now, into the
 * drop directory.
 *
 * Blocks  on the input, then on the edge, then on the disk
 */
#ifndef CTL_SENDMAIL_HANDOVER_H
#define CTL_SENDMAIL_HANDOVER_H

#include <stdio.h>

#include "ctl/sendmail/args.h"
#include "ctl/sendmail/letter.h"

/* Where to: see conf/ask.h. */
struct handover {
	const char	*socket;
	const char	*drop;		/* "" there is none		*/
};

/* The exit status: 0, or one of sysexits(3) with a complaint. */
int	handover_letter(struct letter *, const struct handover *);

/* The same of one message on `in', and the reason told. */
int	handover_send(const struct args *, FILE *in, const struct handover *);

/* Ask the edge about each recipient of the command line, send nothing, and
 * print what it says.  The exit status, EX_NOUSER when one is refused. */
int	handover_verify(const struct args *, const struct handover *);

#endif
