/*
 * submit - a letter to the edge, whole or not at all: if one recipient is
 * refused none gets it.  More recipients than the edge takes at a time are
 * several transactions.
 *
 * Blocks  on the edge
 */
#ifndef CTL_SENDMAIL_SUBMIT_H
#define CTL_SENDMAIL_SUBMIT_H

#include <stddef.h>
#include <stdio.h>

#include "ctl/sendmail/letter.h"

/*
 * The exit status: 0, or one of sysexits(3) with a complaint.  *done: so many
 * of its recipients, from the first on, were taken all the same.
 */
int	submit_letter(struct letter *, const char *socket_path, size_t *done);

/* Would they be taken?  A line for each to out, and the exit status. */
int	submit_verify(struct letter *, const char *socket_path, FILE *out);

#endif
