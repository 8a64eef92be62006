/*
 * caller - who wants what is done, for others to read: a name as he says it,
 * which is believed of root, or "uid N", which control says of all others.
 *
 * Blocks  looks users up, as getpwuid(3) does
 */
#ifndef CTL_TOOL_CALLER_H
#define CTL_TOOL_CALLER_H

#include "base/span.h"

#define CALLER_MAX	256	/* bytes of a name that is looked up	*/

/* Who runs this program; behind sudo(8) who ran that. */
struct span	caller_name(void);

/* The name of a "uid N" that is some user's here, in buf; else who itself. */
struct span	caller_of(struct span who, char buf[CALLER_MAX]);

#endif
