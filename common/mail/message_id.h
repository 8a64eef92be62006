/*
 * message_id - the name that a message bears itself, RFC 5322 3.6.4, as people
 * and other programs say it: without its angle brackets.
 *
 * Pure.  Results point into what was given.
 */
#ifndef MAIL_MESSAGE_ID_H
#define MAIL_MESSAGE_ID_H

#include "base/span.h"

#define MESSAGE_ID_KEPT	250	/* bytes; of a longer one its beginning */

/*
 * The one of the first field Message-ID of a header section; empty: there is
 * no such field, or nothing in it.  A folded field is looked through.  It ends
 * before the first blank or control.
 */
struct span	message_id_find(struct span header);

/* The same of what somebody has typed or pasted: "<a@b>" is "a@b". */
struct span	message_id_clean(struct span text);

#endif
