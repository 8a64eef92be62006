/*
 * smtp_convert - a text that the next hop does not take as it is: read before
 * MAIL to see what it needs, and converted on its way out (mail/mime.h).
 *
 * It is read where the message is noted to hold octets over 127 and the next
 * hop does not take them, or lines over TEXT_LINE_SURE octets, or to be with
 * SMTPUTF8 and that is not offered.  What was noted may be wrong, in messages
 * from before it was taken from the text itself: then there is nothing to
 * convert, and the text goes as it is.
 *
 * Without SMTPUTF8 the fields have to be ASCII (RFC 6532 3); but for LMTP,
 * whose server delivers for good: it hands them to no other, and octets are
 * what 8BITMIME is about (RFC 6152 3).  Addresses beyond ASCII have no other
 * form than their domains' A-labels.
 *
 * Owns	   while there is something to convert some 200 KiB at most
 */
#ifndef RELAY_SMTP_CONVERT_H
#define RELAY_SMTP_CONVERT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "relay/smtp/smtp_inside.h"

/* Is the message with SMTPUTF8, and the next hop without, and hands it on? */
bool	smtp_convert_lacks_utf8(const struct smtp_client *);

/* Has the text to be read before MAIL? */
bool	smtp_convert_is_due(const struct smtp_client *);

/*
 * Read on.  OK it is read and the delivery rewound; ERR_AGAIN wait for a piece;
 * ERR_CLOSED a piece will never come; ERR_PEER the text may not go out by DATA;
 * ERR_SYS no memory.
 */
MUST_CHECK enum err smtp_convert_plan(struct smtp_client *);

/* Has it turned out that the next hop cannot get this text? */
bool	smtp_convert_is_refused(const struct smtp_client *);
/* Does the text go out converted? */
bool	smtp_convert_is_on(const struct smtp_client *);
/* The octets that will go out, about. */
uint64_t smtp_convert_size(const struct smtp_client *);

/* Write from the start of the text. */
void	smtp_convert_begin(struct smtp_client *);
/*
 * The next page, which stays until the next call.  ERR_NONE there is no more;
 * else as above.
 */
MUST_CHECK enum err smtp_convert_page(struct smtp_client *, struct span *);

/* The delivery is over. */
void	smtp_convert_forget(struct smtp_client *);

#endif
