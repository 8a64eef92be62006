/*
 * smtp_login - AUTH, RFC 4954: PLAIN (RFC 4616) where it is offered, else
 * LOGIN; under TLS, or to a peer on this host, and nowhere else.
 *
 * A refusal is about the destination and passes: a wrong password must not
 * bounce mail.  No other address is tried after one.
 */
#ifndef RELAY_SMTP_LOGIN_H
#define RELAY_SMTP_LOGIN_H

#include "relay/smtp/smtp_inside.h"

/* Log in, then smtp_step_ready(); or fail. */
void	smtp_login_begin(struct smtp_client *);

/* For the dialogue's table. */
void	smtp_login_say(struct smtp_client *);
void	smtp_login_hear(struct smtp_client *, const struct verdict *);

#endif
