/*
 * blank - what may stand around a value that was folded over several lines:
 * blanks, tabs, and the ends of lines.  Pure.
 */
#ifndef MAIL_BLANK_H
#define MAIL_BLANK_H

#include <stdbool.h>

#include "base/span.h"

bool		blank_is(char);
/* Without any at both ends. */
struct span	blank_trim(struct span);

#endif
