/*
 * smtp_text - a message's text on its way out: dots doubled, straight from the
 * pieces to the socket.
 */
#ifndef RELAY_SMTP_TEXT_H
#define RELAY_SMTP_TEXT_H

#include "base/err.h"
#include "relay/smtp/smtp_inside.h"

/* From the start of c->delivery's text. */
void	smtp_text_begin(struct smtp_client *);

/*
 * Put runs into c->iov, which is empty, and let go of the pieces that are
 * behind it.  OK there is something to write; ERR_AGAIN wait for a piece;
 * ERR_NONE all is written, the end included; ERR_CLOSED a piece will never
 * come; ERR_PEER the text may not go out by DATA; ERR_SYS
 * no memory.
 */
MUST_CHECK enum err smtp_text_fill(struct smtp_client *);

/* All that was put there is written: was it a chunk whose reply is due? */
bool	smtp_text_is_chunk(struct smtp_client *);

#endif
