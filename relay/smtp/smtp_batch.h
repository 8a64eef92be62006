/*
 * smtp_batch - before a transaction: may this message go to this next hop at
 * all, and which of its recipients are next?
 */
#ifndef RELAY_SMTP_BATCH_H
#define RELAY_SMTP_BATCH_H

#include <stdbool.h>

#include "relay/smtp/smtp_inside.h"

/* Is the sender no address?  Then *out is our refusal at any next hop. */
bool	smtp_batch_is_void(const struct smtp_client *, struct verdict *out);

/*
 * Does the next hop lack what the message needs (RFC 6531 3.2, RFC 6152 3,
 * RFC 1870 6.1)?  Then *out is our refusal.  Says in c->is_utf8 whether the
 * transaction is with SMTPUTF8.
 */
bool	smtp_batch_lacks(struct smtp_client *, struct verdict *out);

/* Does it lack that, or SMTPUTF8 for one of the recipients? */
bool	smtp_batch_is_short(struct smtp_client *);

/*
 * Fill c->batch with recipients not yet decided, SMTP_CLIENT_RCPTS at most.
 * Those whose address is none, or needs SMTPUTF8 where the transaction is
 * without, are decided; c->batch_cnt 0 means nobody is left.
 */
void	smtp_batch_fill(struct smtp_client *);

/* Our refusal of this recipient alone, which is put into *out; or NULL. */
const struct verdict *smtp_batch_refuse(const struct smtp_client *,
	    struct span rcpt, struct verdict *out);
/* One more, by his index.  False: no memory. */
bool	smtp_batch_add(struct smtp_client *, uint32_t i);

#endif
