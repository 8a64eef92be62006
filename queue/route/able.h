/*
 * able - what the relays of this queue can carry, so that an edge promises no
 * more (RFC 6531 3.2).
 *
 * A relay of type mx has a host for each domain, and could; one that hands the
 * mail to nobody else takes any address.  One with a single next hop can what
 * that offered when a relay said EHLO to it last.  Until somebody has heard it
 * nothing is promised, and where the relay asks nothing is refused for good
 * either: route_may_take_utf8().  It is kept for as long as the queue runs and
 * the relay has the same hop, whoever dies or is replaced meanwhile.  Nothing
 * of it is on disk: a hop may have become another while we were down.
 *
 * What is known stands in the routes as well: route_takes_utf8(), and
 * route_takes_binary() of BINARYMIME, which is refused where it is known to be
 * missing and nowhere else: an edge offers it only where it was told to.
 */
#ifndef QUEUE_ABLE_H
#define QUEUE_ABLE_H

#include <sys/queue.h>

#include <stdbool.h>

#include "base/err.h"
#include "bus/messages.h"

struct routes;

struct able {			/* all zero: nothing was heard		*/
	SLIST_HEAD(, able_row) rows;	/* a relay each			*/
};

/* A relay says what its hop can.  ERR_PEER it makes no sense; ERR_SYS. */
MUST_CHECK enum err able_take(struct able *, const char *relay,
	    const struct msg_relay_can *);

/* What was heard of the hop of this relay. */
enum hop_utf8	able_hop(const struct able *, const char *relay);
/* All of it, of a hop that has been heard; false: none has, and of 8BITMIME the
 * best is assumed. */
bool	able_says(const struct able *, const char *relay,
	    struct msg_relay_can *out);

/* Put what is known into these routes. */
void	able_tell(const struct able *, struct routes *);

void	able_fini(struct able *);

#endif
