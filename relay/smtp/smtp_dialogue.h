/*
 * smtp_dialogue - the order of an SMTP client's dialogue: which command, whose
 * reply, what next.  The table in smtp_dialogue.c is the only place that knows.
 */
#ifndef RELAY_SMTP_DIALOGUE_H
#define RELAY_SMTP_DIALOGUE_H

#include "mail/reply.h"
#include "relay/smtp/smtp_client.h"

/* Go to a step: its command is said unless it went out with an earlier one. */
void		 smtp_dialogue_enter(struct smtp_client *, enum smtp_step);

/* Set the clock for the step anew: it has come forward. */
void		 smtp_dialogue_wait(struct smtp_client *);
/* The clock has run down.  True: a longer wait is due, and goes on. */
bool		 smtp_dialogue_waits_on(struct smtp_client *);

/* A line of a reply to EHLO but the first. */
void		 smtp_dialogue_note(struct smtp_client *, const struct reply *);

/* A whole reply has come; its words are in c->text. */
void		 smtp_dialogue_reply(struct smtp_client *, uint16_t code);

/* A reply that makes no sense here: the end, later. */
void		 smtp_dialogue_protest(struct smtp_client *,
		    const struct verdict *);

/* A reply before anything was asked: the end, later, and not by its code. */
void		 smtp_dialogue_unasked(struct smtp_client *);

enum stage	 smtp_dialogue_stage(const struct smtp_client *);
const char	*smtp_dialogue_word(enum smtp_step);

#endif
