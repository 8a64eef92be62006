/*
 * smtp_say - the buffer of commands, which are written at the turn's end.
 */
#ifndef RELAY_SMTP_SAY_H
#define RELAY_SMTP_SAY_H

#include "relay/smtp/smtp_inside.h"

/* Bring a command to be sent. */
__attribute__((format(printf, 2, 3)))
void	smtp_say(struct smtp_client *, const char *, ...);

#endif
