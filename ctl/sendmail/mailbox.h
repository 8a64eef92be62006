/*
 * mailbox - the addresses in a field such as To: RFC 5322 3.4 with the
 * obsolete forms of 4.4: names, groups, comments, quoted strings, folding,
 * source routes, blanks around dots.
 *
 * Pure.  What comes out is a plain address for SMTP, without any of that.
 *
 * Errors  ERR_PEER something that is no address; *bad is where it begins
 */
#ifndef CTL_SENDMAIL_MAILBOX_H
#define CTL_SENDMAIL_MAILBOX_H

#include <stdbool.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/span.h"

#define MAILBOX_MAX	(PATH_MAX_SMTP + 2)	/* bytes with a NUL */

/* One address, borrowed for the call. */
typedef enum err mailbox_fn(struct span address, void *arg);

/*
 * Call fn for each address of the list; an empty list has none.  A name alone
 * gets "@" and the domain behind it.  An error of fn ends it.
 */
MUST_CHECK enum err	mailbox_list(struct span text, struct span domain,
			    mailbox_fn *, void *arg, struct span *bad);

#endif
