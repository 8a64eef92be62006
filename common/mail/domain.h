/*
 * domain - the one form in which names of domains are compared: A-labels
 * (RFC 5890 2.3.2.1) in lower case, without a dot at the end.  Pure.
 *
 * Names are brought into it where they enter (configuration, envelope, bus),
 * and only it is a key.  What a user wrote is kept beside it, to be shown and
 * handed on as he wrote it.
 */
#ifndef MAIL_DOMAIN_H
#define MAIL_DOMAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/limits.h"
#include "base/span.h"

#define DOMAIN_KEY_MAX	(DOMAIN_MAX + 1)	/* bytes with NUL	*/

/*
 * Into out of DOMAIN_KEY_MAX bytes, with a NUL; how long it is.  0, and out
 * untouched, when text is none: a label is empty or over 63 bytes as an
 * A-label, begins or ends with a hyphen, holds what is no letter, digit, hyphen
 * or underscore, or is no U-label (RFC 5891 5; its letters are mapped as
 * UTS 46, nontransitional, does).  An address literal is put in lower case, and
 * is not judged.
 */
size_t	domain_key(struct span text, char *out);

/* Are both names of one domain? */
bool	domain_same(struct span, struct span);


#endif
