/*
 * smtp_pass - a mail that passes through: each command goes to the next hop
 * when whoever sends the mail has said it to us, and its reply goes back before
 * the next one.
 *
 * Between two of them the connection is in SMTP_PASS, for as long as the other
 * side wants: how long a client may be silent is its edge's to say.
 */
#ifndef RELAY_SMTP_PASS_H
#define RELAY_SMTP_PASS_H

#include "relay/smtp/smtp_inside.h"

/* Instead of smtp_mail_begin(): MAIL, or why it cannot be said. */
void	smtp_pass_begin(struct smtp_client *);
/* In SMTP_PASS: say what has come meanwhile, if anything has. */
void	smtp_pass_go_on(struct smtp_client *);

/* The parameters of MAIL. */
void	smtp_pass_say_params(struct smtp_client *);

void	smtp_pass_hear_mail(struct smtp_client *, const struct verdict *);
void	smtp_pass_hear_rcpt(struct smtp_client *, const struct verdict *);
void	smtp_pass_hear_data(struct smtp_client *, const struct verdict *);

/* A text by BDAT: each piece is a chunk, and the next goes out when the next
 * hop has said yes to it. */
void	smtp_pass_say_chunks(struct smtp_client *);
void	smtp_pass_hear_chunk(struct smtp_client *, const struct verdict *);

#endif
