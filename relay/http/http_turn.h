/* http_turn - reading, writing and the clock. */
#ifndef RELAY_HTTP_TURN_H
#define RELAY_HTTP_TURN_H

#include "relay/http/http_inside.h"

/* On events (EV_*), or none: whatever can be done now. */
void	http_turn_take(struct http_client *, unsigned what);
/* A connection is there. */
void	http_turn_begin(struct http_client *);
/* Work is here. */
void	http_turn_deliver(struct http_client *);

void	http_turn_on_ready(struct ev *, unsigned what, void *client);
void	http_turn_on_time(struct timer *, void *client);
void	http_turn_on_text(struct delivery *, void *client);

#endif
