/*
 * smtp_greet - from the greeting to the first delivery: EHLO, TLS, login.
 *
 * These are the rows of the dialogue's table up to SMTP_IDLE; each hear
 * function is handed the verdict on a whole reply.
 */
#ifndef RELAY_SMTP_GREET_H
#define RELAY_SMTP_GREET_H

#include "relay/smtp/smtp_inside.h"

void	smtp_greet_say_ehlo(struct smtp_client *);	/* LHLO for LMTP */
void	smtp_greet_say_helo(struct smtp_client *);
void	smtp_greet_say_starttls(struct smtp_client *);
void	smtp_greet_secure(struct smtp_client *);

void	smtp_greet_hear_greeting(struct smtp_client *, const struct verdict *);
void	smtp_greet_hear_ehlo(struct smtp_client *, const struct verdict *);
void	smtp_greet_hear_helo(struct smtp_client *, const struct verdict *);
void	smtp_greet_hear_starttls(struct smtp_client *, const struct verdict *);

/* Go on with the handshake as far as it goes. */
void	smtp_greet_shake(struct smtp_client *);

/*
 * There will be no TLS on this connection: begin another in the clear if that
 * is allowed, else fail.
 */
void	smtp_greet_fail_tls(struct smtp_client *, const char *why);

/* The vault did not sign: no reason to go on in the clear. */
void	smtp_greet_fail_ours(struct smtp_client *, const char *why);

/*
 * A server that speaks TLS 1.3 has refused our certificate after the handshake,
 * or that there is none: with its first word.
 */
bool	smtp_greet_is_refused(const struct smtp_client *);

#endif
