/* blank.c - see the header. */
#include <string.h>

#include "mail/blank.h"

#define BLANKS	" \t\r\n"

bool
blank_is(char c)
{
	return c != '\0' && strchr(BLANKS, c) != NULL;
}

struct span
blank_trim(struct span s)
{
	return span_strip(s, BLANKS);
}
