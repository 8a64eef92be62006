/* blank.c - see the header. */
#include "mail/blank.h"

bool
blank_is(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

struct span
blank_trim(struct span s)
{
	while (s.len > 0 && blank_is(s.ptr[s.len - 1]))
		s.len--;
	while (s.len > 0 && blank_is(s.ptr[0]))
		s = span_tail(s, 1);
	return s;
}
