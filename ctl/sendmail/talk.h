/*
 * talk - sendmail -bs: SMTP on standard input and output, as programs speak it
 * that have no network (RFC 5321).
 *
 * A message is read whole and handed over as any other is: to the edge, and
 * where that is away or says not now, into the drop directory.  So it is the
 * end of the text that says what became of it, and of its recipients: it is
 * taken for all, or for none.
 *
 * Blocks  on the input, then on the edge, then on the disk
 */
#ifndef CTL_SENDMAIL_TALK_H
#define CTL_SENDMAIL_TALK_H

#include <stdio.h>

#include "ctl/sendmail/args.h"
#include "ctl/sendmail/handover.h"

/* Until QUIT, or the end of the input.  The exit status, of sysexits(3). */
int	talk_run(const struct args *, FILE *in, FILE *out,
	    const struct handover *);

#endif
