/* route_sender.c - the routes are asked as they will be for the bounce. */
#include <stdio.h>
#include <string.h>

#include "queue/route/route_sender.h"

/* Not what a rule for all bounces says: that is not about him. */
static bool
is_sure(enum route_verdict v, const struct route *r)
{
	bool by_rcpt = r->rule.len > 0 && r->by == ROUTE_BY_RCPT;

	if (v == ROUTE_UNKNOWN)
		return r->knows_domain || by_rcpt;
	return v == ROUTE_REFUSED && by_rcpt;
}

bool
route_sender_is_lost(const struct routes *routes, struct span sender,
    struct route_reply *out)
{
	struct route_ask ask = { .rcpt = sender, .is_bounce = true };
	struct route_reply reply;
	struct route r;
	enum route_verdict v;

	if (sender.len == 0)
		return false;
	v = route_judge(routes, &ask, &r, &reply);
	if (!is_sure(v, &r))
		return false;
	out->code = reply.code;
	snprintf(out->dsn, sizeof(out->dsn), "%c.1.8",
	    reply.code < 500 ? '4' : '5');
	snprintf(out->text, sizeof(out->text), "No bounce could reach the "
	    "sender: %.*s", (int)sizeof(out->text) - 40, reply.text);
	return true;
}
