/*
 * route_sender - is it sure that a bounce to this sender would be lost?  Then
 * his mail is better refused, for he hears of it from his own server.  Pure.
 *
 * Sure are two cases: a relay that has recipients of his domain does not have
 * him, or none at all of a domain that a route leads to it; and a route to his
 * address refuses.  Where no way leads to him nothing is refused: queues that
 * deliver here and have no way out would take no mail from anybody else.  Nor
 * where a route discards mail to him: somebody wants his bounces to vanish.
 */
#ifndef QUEUE_ROUTE_SENDER_H
#define QUEUE_ROUTE_SENDER_H

#include "queue/route/route.h"

/* True: *out is the reply to RCPT. */
bool	route_sender_is_lost(const struct routes *, struct span sender,
	    struct route_reply *out);

#endif
