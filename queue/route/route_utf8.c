/*
 * route_utf8.c - a bounce has routes of its own, so all relays count for "all",
 * and those of mail that comes in for "some".
 */
#include <stdio.h>
#include <string.h>

#include "mail/address.h"
#include "queue/route/route_utf8.h"

enum queue_utf8
route_utf8(const struct routes *r, int *lacks)
{
	enum queue_utf8 best = QUEUE_ASCII;
	unsigned cnt = route_relay_cnt(r);

	*lacks = -1;
	for (unsigned no = cnt; no-- > 0; )
		if (!route_takes_utf8(r, no))
			*lacks = (int)no;
	for (unsigned no = cnt; no-- > 0; )
		if ((route_takes_utf8(r, no) || route_may_take_utf8(r, no)) &&
		    route_leads_to(r, no))
			best = QUEUE_UTF8_SOME;
	return best == QUEUE_UTF8_SOME && *lacks == -1 ? QUEUE_UTF8 : best;
}

/* For good, or until it has been asked, which is a matter of seconds. */
static bool
refuse(const struct routes *routes, unsigned no, struct route_reply *out,
    const char *text)
{
	bool may = route_may_take_utf8(routes, no);

	out->code = may ? 451 : 553;
	strlcpy(out->dsn, may ? "4.6.7" : "5.6.7", sizeof(out->dsn));
	strlcpy(out->text, may ? "It is not known yet whether the next hop "
	    "offers SMTPUTF8, try again in a moment" : text,
	    sizeof(out->text));
	return true;
}

/* Found by the routes of bounces, whose relays have the same numbers. */
static bool
is_bounce_lost(const struct routes *routes, struct span sender, unsigned *no)
{
	struct route_ask ask = { .rcpt = sender, .is_bounce = true };
	struct route r;

	if (route_find(routes, &ask, &r) != ROUTE_FOUND)
		return false;
	*no = r.relay_no;
	return !route_takes_utf8(routes, r.relay_no);
}

bool
route_utf8_is_lost(const struct routes *routes, const struct route *r,
    const struct route_ask *ask, bool wants_bounce, struct route_reply *out)
{
	bool takes = route_takes_utf8(routes, r->relay_no);
	unsigned no;

	if (!takes && address_needs_utf8(ask->rcpt))
		return refuse(routes, r->relay_no, out, "The next hop for "
		    "this recipient does not offer SMTPUTF8");
	if (!address_needs_utf8(ask->sender))
		return false;
	if (!takes)
		return refuse(routes, r->relay_no, out, "The next hop for "
		    "this recipient does not offer SMTPUTF8, which the sender "
		    "needs");
	return wants_bounce && is_bounce_lost(routes, ask->sender, &no) &&
	    refuse(routes, no, out, "No bounce could reach the sender: its "
	    "next hop does not offer SMTPUTF8");
}
