/*
 * smtp_turn - a connection's turns: what happens to its socket, its clock or
 * its text ends in smtp_turn_take(), which writes what has become writable.
 */
#ifndef RELAY_SMTP_TURN_H
#define RELAY_SMTP_TURN_H

#include "relay/smtp/smtp_inside.h"

/* what: EV_* of the socket, or 0. */
void	smtp_turn_take(struct smtp_client *, unsigned what);

/* For ev_init(): the socket is ready.  For a timer: the clock has run down. */
void	smtp_turn_on_ready(struct ev *, unsigned what, void *client);
void	smtp_turn_on_time(struct timer *, void *client);
/* For a delivery: more of its text is here. */
void	smtp_turn_on_piece(struct delivery *, void *client);

/* The next hop does not go on: the end, or another way to it. */
void	smtp_turn_break_off(struct smtp_client *, enum own);

#endif
