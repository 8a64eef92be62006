/*
 * fields - the header section of a message that was handed to sendmail: whom
 * it names, what it lacks, what must not be sent.
 *
 * Pure.  The section is lines with CRLF, fields and their continuations alone,
 * without the empty line.
 */
#ifndef CTL_SENDMAIL_FIELDS_H
#define CTL_SENDMAIL_FIELDS_H

#include <stdbool.h>

#include "base/span.h"

struct field {
	struct span	 name;		/* without the colon		*/
	struct span	 body;		/* folded as it stands		*/
	struct span	 whole;		/* its lines			*/
};

/* Is this line (no CRLF) the beginning of a field? */
bool	fields_is_field(struct span line);

/* Take a field off the front; false when there is none. */
bool	fields_next(struct span *section, struct field *out);

/* Is there a field of that name? */
bool	fields_has(struct span section, struct span name);

/*
 * Does it name recipients?  To, Cc and Bcc; in a message that was sent on
 * (resent) their Resent- forms instead: RFC 5322 3.6.6.
 */
bool	fields_is_recipient(const struct field *, bool resent);

/* Bcc and Resent-Bcc: not to be sent. */
bool	fields_is_blind(const struct field *);

#endif
