/*
 * plain - the fast part of reading message text: bytes that need no thought.
 */
#ifndef MAIL_PLAIN_H
#define MAIL_PLAIN_H

#include <stdbool.h>

/*
 * The first byte from p on that is below 14, so that CR, LF and NUL are among
 * those it stops at; end when there is none.  *is_8bit is set to true when a
 * byte before it has its high bit set, else left alone.
 */
const char	*plain_end(const char *p, const char *end, bool *is_8bit);

#endif
