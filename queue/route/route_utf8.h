/*
 * route_utf8 - SMTPUTF8 and where the routes lead: what can be promised in EHLO
 * (RFC 6531 3.2), and which recipient is refused where it is for some alone
 * (3.5).  Pure.
 *
 * A relay that does not take it can have all mail but that of a sender, or to a
 * recipient, that address_needs_utf8(): fields of the header section go there
 * converted, or as they are.
 *
 * One whose next hop is still to be asked is offered, and answered for with 451
 * where it matters: a client that is not offered it, or hears 553, gives up for
 * good what a second later could go.
 */
#ifndef QUEUE_ROUTE_UTF8_H
#define QUEUE_ROUTE_UTF8_H

#include "bus/messages.h"
#include "queue/route/route.h"

/* As far as relays take it, or may; *lacks: the first that does not, or -1. */
enum queue_utf8 route_utf8(const struct routes *, int *lacks);

/*
 * A recipient who has been found: can his relay not carry the message, or no
 * bounce of it its way, where one is wanted?  True: *out is the reply to RCPT.
 */
bool	route_utf8_is_lost(const struct routes *, const struct route *,
	    const struct route_ask *, bool wants_bounce,
	    struct route_reply *out);

#endif
