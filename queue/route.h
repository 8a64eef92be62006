/*
 * route - which relay a recipient is for, what that relay then connects to, and
 * whether it knows him.  Made once for each slice.  Pure.
 *
 * The first pattern that fits says the relay; where none does it is the last
 * resort, if there is one.  A relay that has recipients takes those only; one
 * that has none takes all.  Postmaster of our own is never refused (RFC 5321
 * 4.5.1): at our name, at a domain that a relay has recipients of, and without
 * a last resort at a domain that a pattern names.
 *
 * What a relay connects to is the recipient's domain, in lower case, when it
 * is of type mx, else the relay itself.
 *
 * Errors  ERR_PEER no pattern, or no relay of that name; ERR_SYS no memory
 */
#ifndef QUEUE_ROUTE_H
#define QUEUE_ROUTE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/span.h"

struct routes;

enum route_verdict {
	ROUTE_FOUND,
	ROUTE_NOWHERE,		/* no pattern fits, no last resort	*/
	ROUTE_UNKNOWN,		/* its relay does not know the recipient */
	ROUTE_NO_ADDRESS,
};

/* What an edge says of it. */
struct route_reply {
	uint16_t	 code;		/* 250 is yes			*/
	const char	*dsn;
	char		 text[DOMAIN_MAX + 40];
};

struct route {
	unsigned	 relay_no;
	const char	*relay;		/* NULL: none; points into the routes */
	struct span	 rule;		/* the same; empty: last resort	*/
	bool		 knows_domain;	/* ROUTE_UNKNOWN: others of it	*/
	char		 destination[DOMAIN_MAX + 1];
	char		 domain[DOMAIN_MAX + 1];	/* lower case	*/
};

MUST_CHECK enum err route_new(struct routes **out);
void	route_free(struct routes **);

/* A relay; then, if it is particular, whom it takes. */
MUST_CHECK enum err route_add_relay(struct routes *, struct span name,
	    bool is_mx);
MUST_CHECK enum err route_add_rcpt(struct routes *, struct span relay,
	    struct span pattern);

/* The next pattern in their order, and the relay where none fits. */
MUST_CHECK enum err route_add(struct routes *, struct span pattern,
	    struct span relay);
MUST_CHECK enum err route_set_last(struct routes *, struct span relay);
/* Our own name: ERR_PEER when it is too long. */
MUST_CHECK enum err route_set_home(struct routes *, struct span hostname);

/* Find the relay of a recipient.  *out is good up to what was found. */
enum route_verdict route_find(const struct routes *, struct span rcpt,
	    struct route *out);

/* The same, in words.  Whom a relay knows is told of its own domains only. */
void	route_judge(const struct routes *, struct span rcpt, struct route *out,
	    struct route_reply *);

/* Might anybody be refused? */
bool	route_asks(const struct routes *);

/* The relay all go to as itself, with no questions asked; NULL: it depends. */
const char *route_only(const struct routes *);

bool	route_has_relay(const struct routes *, const char *name);

#endif
