/*
 * smtp_connect - from a target to a socket that speaks: dialled, or had from
 * the target's endpoint.
 */
#ifndef RELAY_SMTP_CONNECT_H
#define RELAY_SMTP_CONNECT_H

#include "base/span.h"
#include "relay/smtp/smtp_inside.h"

void	smtp_connect_init(struct smtp_client *, struct resolve *);

void	smtp_connect_start(struct smtp_client *);
/* Once more to where we are, to stay in the clear. */
void	smtp_connect_again(struct smtp_client *);

/* Speak on fd, which is taken; hop is copied. */
void	smtp_connect_on(struct smtp_client *, int fd, struct span hop);

#endif
