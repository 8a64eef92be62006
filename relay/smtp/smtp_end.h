/*
 * smtp_end - the end of a connection, and what leads to it.  The owner hears of
 * it from a call of the loop's own, so no caller ever sees its client vanish.
 */
#ifndef RELAY_SMTP_END_H
#define RELAY_SMTP_END_H

#include "relay/smtp/smtp_inside.h"

/* Before any of the others. */
void	smtp_end_init(struct smtp_client *);

/* The end, for this reason; the delivery gets it, if there is one. */
void	smtp_end_fail(struct smtp_client *, const struct verdict *);
/* Likewise, for one of ours at this step. */
void	smtp_end_ours(struct smtp_client *, enum own);
/* A reply that makes no sense here. */
void	smtp_end_protest(struct smtp_client *, const struct verdict *);
/* A reply before anything was asked: not by its code. */
void	smtp_end_unasked(struct smtp_client *);
/* The connection is of no use any more, for nobody's harm. */
void	smtp_end_close(struct smtp_client *);

/* Close the socket alone: for another one, or for the last time. */
void	smtp_end_hang_up(struct smtp_client *);

#endif
