/*
 * smtp_dialogue - the order of an SMTP client's dialogue: which command, whose
 * reply, what next.  The table is the only place that knows.
 */
#ifndef RELAY_SMTP_DIALOGUE_H
#define RELAY_SMTP_DIALOGUE_H

#include "relay/smtp/smtp_step.h"

extern const struct smtp_row smtp_dialogue[SMTP__COUNT];

#endif
