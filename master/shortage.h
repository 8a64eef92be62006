/*
 * shortage - what to say when something could not be made: where a limit was
 * reached, how high it is and what raises it.
 *
 * Blocks  no
 */
#ifndef MASTER_SHORTAGE_H
#define MASTER_SHORTAGE_H

#include "base/log.h"

#define SHORTAGE_MAX	192	/* bytes with NUL */

/* errno in words. */
const char	*shortage_text(int error, char buf[SHORTAGE_MAX]);

/* "why: those words", as a value of a line; why alone where error is 0. */
void		 shortage_log(struct log_line *, const char *why, int error);

#endif
