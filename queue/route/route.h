/*
 * route - which relay a recipient is for, what that relay then connects to, and
 * whether it knows him.  Made once for each slice.  Pure.
 *
 * The first route that matches, by recipient, sender or login, says what is
 * done: a relay gets the mail, or it is refused with a reply, or taken and
 * dropped.  Where none does it is the relay of last resort, if there is one.
 * A relay that has recipients takes those only; one that has none takes all.
 * Postmaster of our own is never refused (RFC 5321 4.5.1): at our names, at a
 * domain that a relay has recipients of, and without a last resort at a domain
 * that a route to a relay names.
 *
 * A bounce of our own goes only where its recipient's domain is reached: to a
 * relay of last resort that has recipients, or is of a local kind, only if the
 * domain is one of those that it is known for; else to the bounce relay.  If it
 * needs SMTPUTF8, and the relay found so, which is not the domain's own, does
 * not take that: to the bounce relay, or else to one of type mx, that does.
 *
 * What a relay connects to is the recipient's domain, as domain_key() has it,
 * when it is of type mx, else the relay itself; but for domains that are
 * suspended.
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
#include "conf/slice/slice.h"
#include "mail/address.h"

#define ROUTE_TEXT_MAX	320	/* bytes of a reply's text with its NUL	*/

struct routes;
struct suspension_set;

/* What a relay reaches without being told. */
enum route_kind {
	ROUTE_OUT,		/* anybody: one hop knows how		*/
	ROUTE_MX,		/* anybody, each domain by its own hosts */
	ROUTE_LOCAL,		/* Maildir, LMTP, program: who is here	*/
};

enum route_verdict {
	ROUTE_FOUND,
	ROUTE_NOWHERE,		/* no route matches, no last resort	*/
	ROUTE_UNKNOWN,		/* its relay does not know the recipient */
	ROUTE_NO_ADDRESS,
	ROUTE_REFUSED,		/* a route says so, with route.text	*/
	ROUTE_DISCARDED,	/* a route says so			*/
};

/* Whose mail to whom. */
struct route_ask {
	struct span	 rcpt;
	struct span	 sender;	/* empty: <>			*/
	struct span	 login;		/* empty: nobody has logged in	*/
	bool		 is_bounce;	/* we wrote it			*/
};

/* What an edge says of it. */
struct route_reply {
	uint16_t	 code;		/* 250 is yes			*/
	char		 dsn[12];
	char		 text[ROUTE_TEXT_MAX];
};

struct route {
	unsigned	 relay_no;
	const char	*relay;		/* NULL: none; points into the routes */
	struct span	 rule;		/* the same; empty: last resort	*/
	enum route_by	 by;		/* what the rule looks at	*/
	const char	*text;		/* ROUTE_REFUSED: "5.1.6 Gone"	*/
	bool		 knows_domain;	/* ROUTE_UNKNOWN: others of it	*/
	char		 destination[DOMAIN_MAX + 1];
	char		 domain[DOMAIN_MAX + 1];	/* domain_key()	*/
};

MUST_CHECK enum err route_new(struct routes **out);
void	route_free(struct routes **);

/* A relay; then, if it is particular, whom it takes. */
MUST_CHECK enum err route_add_relay(struct routes *, struct span name,
	    enum route_kind);
MUST_CHECK enum err route_add_rcpt(struct routes *, struct span relay,
	    struct span pattern);
/* Whose addresses may be user+detail; delimiter is the "+". */
MUST_CHECK enum err route_set_delimiter(struct routes *, struct span relay,
	    char delimiter);

/* Its recipients are users of this host, about whom it can be asked. */
MUST_CHECK enum err route_set_users(struct routes *, struct span relay);
bool	route_has_users(const struct routes *);
/* The one that his route leads to; NULL: it leads elsewhere, or he is taken
 * whoever he is. */
const char *route_users_of(const struct routes *, const struct route_ask *);

/*
 * All that it hands on goes to one next hop, which is none of ours; and does
 * that take SMTPUTF8?  No, until the other says so: all other kinds could.
 * is_asked: it is asked without waiting for mail, so until it is known it may.
 */
MUST_CHECK enum err route_set_one_hop(struct routes *, struct span relay,
	    bool is_asked);
void	route_set_utf8(struct routes *, unsigned relay_no, bool takes,
	    bool is_known);

/* Can it hand on text of any octets?  Yes, until somebody knows better. */
void	route_set_binary(struct routes *, unsigned relay_no, bool takes);

/*
 * The next rule in their order: what is with what matches the pattern.  value
 * is the name of the relay, or the text of the reply.
 */
MUST_CHECK enum err route_add(struct routes *, enum route_by,
	    struct span pattern, enum route_does, struct span value);
/* The relay where none matches, and that of bounces that it cannot reach. */
MUST_CHECK enum err route_set_last(struct routes *, struct span relay);
MUST_CHECK enum err route_set_bounce_relay(struct routes *,
	    struct span relay);
/* Bounces go by these other routes, of the same relays.  Taken. */
void	route_set_bounce_routes(struct routes *, struct routes *);
/* One of our own names: ERR_PEER when it is none. */
MUST_CHECK enum err route_add_home(struct routes *, struct span domain);

/* Is it an address of our own? */
bool	route_is_home(const struct routes *, const struct address *);

/*
 * What of these is suspended of a destination has one of its own, whatever the
 * kind of its relay, so that it can wait apart.  Borrowed.
 */
void	route_set_suspended(struct routes *, const struct suspension_set *);

/* Find what is done with it.  *out is good up to what was found. */
enum route_verdict route_find(const struct routes *, const struct route_ask *,
	    struct route *out);

/* The same, in words.  Whom a relay knows is told of its own domains only. */
enum route_verdict route_judge(const struct routes *,
	    const struct route_ask *, struct route *out,
	    struct route_reply *);

/*
 * Keep what was found of a recipient that may be taken, and have it again
 * without another look: only of the same routes, with the same suspended, which
 * turn is for the caller to tell by.
 */
struct route_kept {
	uint64_t	 turn;
	unsigned	 relay_no;
	bool		 is_known;	/* false: look for it		*/
	bool		 is_discarded;
	bool		 by_domain;	/* its destination is its domain */
	struct span	 owner;		/* his sender, if he is on a list: said
					 * by who keeps this		*/
};

void	route_keep(struct route_kept *, const struct route *,
	    enum route_verdict, uint64_t turn);
enum route_verdict route_again(const struct routes *,
	    const struct route_kept *, struct span rcpt, struct route *out);

/* Might anybody be refused, as a recipient or as a sender? */
bool	route_asks(const struct routes *);

/* The relay all go to as itself, with no questions asked; NULL: it depends. */
const char *route_only(const struct routes *);

/* The number of the relay, as in struct route; false: there is none. */
bool	route_relay_no(const struct routes *, struct span name, unsigned *no);
enum route_kind route_kind_of(const struct routes *, unsigned no);
unsigned route_relay_cnt(const struct routes *);
const char *route_relay(const struct routes *, unsigned no);
bool	route_has_one_hop(const struct routes *, unsigned no);
bool	route_takes_utf8(const struct routes *, unsigned no);
/* It does not, for all that is known, but that is not known yet. */
bool	route_may_take_utf8(const struct routes *, unsigned no);
bool	route_takes_binary(const struct routes *, unsigned no);
/* All that mail which comes in can be for. */
bool	route_all_take_binary(const struct routes *);
/* Can mail that comes in be for it? */
bool	route_leads_to(const struct routes *, unsigned no);
bool	route_has_relay(const struct routes *, const char *name);

#endif
