/*
 * mime_param - the parameters of Content-Type and Content-Disposition in
 * ASCII: values beyond it, and those too long for a line, by RFC 2231.
 *
 * A parameter that is ASCII and not too long stays as it stands; so does a
 * boundary.  Where the same parameter is there by RFC 2231 as well, that one
 * counts, and the octets beyond ASCII of the other become "_".
 */
#ifndef MAIL_MIME_PARAM_H
#define MAIL_MIME_PARAM_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"
#include "mail/mime_out.h"

/*
 * Is it a field of which each word has a meaning?  In front of its parameters,
 * if it has any, octets beyond ASCII become "_" as well.
 */
bool	mime_param_is_of(struct span name);
/* Where the first ";" of a value stands, or its length. */
size_t	mime_param_begin(struct span value);
/* From that ";" on, without the last line end; the line is at column. */
void	mime_param_put(struct mime_out *, struct span, size_t column);

#endif
