/*
 * route_inside - what route.c, which makes the routes, and route_find.c, which
 * looks into them, share.
 */
#ifndef QUEUE_ROUTE_INSIDE_H
#define QUEUE_ROUTE_INSIDE_H

#include "mail/pattern.h"
#include "queue/route/route.h"

#define ROUTE_NONE	UINT32_MAX	/* no relay, or no rule		*/

struct route_relay {
	char		 name[BLOCK_NAME_MAX + 1];
	enum route_kind	 kind;
	bool		 has_one_hop, no_utf8;
	bool		 is_asked;	/* its hop is, what it offers	*/
	bool		 may_utf8;	/* and has not said so yet	*/
	bool		 no_binary;	/* does not take BINARYMIME	*/
	bool		 has_users;	/* its recipients are this host's */
	char		 delimiter;	/* of user+detail; 0 none	*/
	struct patterns	*rcpts;		/* NULL: takes all		*/
	struct patterns	*routed;	/* domains that rules name it for, by
					 * the number of the first	*/
};

struct route_rule {
	char		*pattern;
	char		*text;		/* of a refusal			*/
	enum route_by	 by;
	enum route_does	 does;
	uint32_t	 relay_no;
};

struct routes {
	struct route_relay *relays;
	uint32_t	 relay_cnt;
	struct route_rule *rules;
	uint32_t	 rule_cnt, rule_cap;
	struct patterns	*by[ROUTE_BY__COUNT];
	uint32_t	 null_rule;	/* first that matches sender <>	*/
	uint32_t	 first_host;	/* first of recipients to a relay */
	uint32_t	 last;		/* relay, or ROUTE_NONE		*/
	uint32_t	 bounce_relay;	/* the same			*/
	struct routes	*bounces;	/* theirs, or NULL		*/
	bool		 refuses;	/* some rule does		*/
	const struct suspension_set *suspended;	/* or NULL	*/
	struct patterns	*homes;		/* our own domains		*/
};

#endif
