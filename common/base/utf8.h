/*
 * utf8 - one UTF-8 character at a time, RFC 3629 section 4.
 */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

/*
 * How many bytes (2 to 4) the character over U+007F at the front takes; 0 when
 * there is none or it is not well-formed: an overlong form, a surrogate, more
 * than U+10FFFF, cut short.  A C1 control (U+0080 to U+009F) counts as none.
 */
size_t	utf8_len(struct span);

/* No octet over 127. */
bool	utf8_is_ascii(struct span);
/* Nothing in it but ASCII and such characters. */
bool	utf8_is_good(struct span);

#endif
