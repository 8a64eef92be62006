/*
 * http_chars - which bytes may stand where: RFC 9110 5.5, 5.6.
 */
#ifndef HTTP_HTTP_CHARS_H
#define HTTP_HTTP_CHARS_H

#include <stdbool.h>

#include "base/span.h"

/* A byte of a token: of a method, a field name, a coding. */
bool	http_chars_is_token(char);

/* At least one byte, and all of a token. */
bool	http_chars_all_token(struct span);

/* A byte of a field value or reason: blank, tab, visible, or over 127. */
bool	http_chars_is_text(char);

/* A visible byte of ASCII: what a request target is made of. */
bool	http_chars_is_visible(char);

/*
 * The next member of a comma-separated list, without blanks around it; *list
 * moves on.  Empty members are passed over.  False: there is none left.
 */
bool	http_chars_member(struct span *list, struct span *member);

#endif
