/*
 * smtp_dsn - RFC 3461 from the client's side: what the sender asked of reports
 * is passed on to a next hop that offers DSN, and to no other (5.2.1, 5.2.2).
 */
#ifndef RELAY_SMTP_DSN_H
#define RELAY_SMTP_DSN_H

#include "relay/smtp/smtp_inside.h"

/* The parameters of MAIL and RCPT, each with a blank in front; or nothing. */
void	smtp_dsn_say_mail(struct smtp_client *);
void	smtp_dsn_say_rcpt(struct smtp_client *, const struct delivery_rcpt *);

/*
 * The verdict on a text that was taken, with who reports success from here on:
 * a next hop that offers DSN; where it does not, an LMTP server has delivered,
 * and of any other server it is only known that it took the message.
 */
struct verdict	smtp_dsn_verdict(const struct smtp_client *,
		    const struct verdict *);

#endif
