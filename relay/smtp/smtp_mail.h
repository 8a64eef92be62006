/*
 * smtp_mail - a transaction: who it is for, the text, what became of each.
 *
 * These are the rows of the dialogue's table from RSET to the end of the text;
 * each hear function is handed the verdict on a whole reply.
 */
#ifndef RELAY_SMTP_MAIL_H
#define RELAY_SMTP_MAIL_H

#include "relay/smtp/smtp_inside.h"

/* Begin a transaction with the recipients of c->delivery not yet decided. */
void	smtp_mail_begin(struct smtp_client *);

/* Read on in a text that has to be known before MAIL. */
void	smtp_mail_plan(struct smtp_client *);

void	smtp_mail_say_rset(struct smtp_client *);
void	smtp_mail_say_mail(struct smtp_client *);
void	smtp_mail_say_rcpt(struct smtp_client *);
void	smtp_mail_say_data(struct smtp_client *);
void	smtp_mail_say_text(struct smtp_client *);

void	smtp_mail_hear_rset(struct smtp_client *, const struct verdict *);
void	smtp_mail_hear_mail(struct smtp_client *, const struct verdict *);
void	smtp_mail_hear_rcpt(struct smtp_client *, const struct verdict *);
void	smtp_mail_hear_data(struct smtp_client *, const struct verdict *);
void	smtp_mail_hear_early(struct smtp_client *, const struct verdict *);
void	smtp_mail_hear_end(struct smtp_client *, const struct verdict *);

#endif
