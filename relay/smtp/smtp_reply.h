/*
 * smtp_reply - what the next hop says, from bytes to whole replies.
 */
#ifndef RELAY_SMTP_REPLY_H
#define RELAY_SMTP_REPLY_H

#include "base/err.h"
#include "relay/smtp/smtp_inside.h"

/*
 * Read what has come and act on each whole reply.  ERR_CLOSED at the end of
 * the connection; ERR_PEER a line has no code; ERR_SYS errno.
 */
MUST_CHECK enum err smtp_reply_read(struct smtp_client *);

#endif
