/*
 * say - what is found, told to a person or, as JSON lines, to a program.
 *
 * What came by mail is shown in printable ASCII, the rest as \xNN: nothing in a
 * damaged file changes how a terminal shows what follows.
 *
 * Blocks  as standard output does
 */
#ifndef QUEUE_SALVAGE_SAY_H
#define QUEUE_SALVAGE_SAY_H

#include <stdio.h>

#include "queue/salvage/judge.h"

void	say_text(FILE *, struct span);
void	say_fault(FILE *, bool json, const struct rows_fault *);
/* kept: where what is left of it was written, or NULL. */
void	say_message(FILE *, bool json, const struct verdict *,
	    const char *kept);

#endif
