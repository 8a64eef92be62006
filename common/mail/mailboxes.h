/*
 * mailboxes - the addresses in the body of a field such as From: RFC 5322 3.4,
 * with groups, comments and folds, and a bare user where a program of this host
 * wrote one.  Pure; nothing is copied.
 */
#ifndef MAIL_MAILBOXES_H
#define MAIL_MAILBOXES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/span.h"

/*
 * The next address behind *at, which is moved on: 0 for the first.  It is a
 * span of body, local@domain or a local part alone, not judged, and never
 * empty.  What is no mailbox is passed over.  False: there is none any more.
 */
bool	mailboxes_next(struct span body, size_t *at, struct span *address);

#endif
