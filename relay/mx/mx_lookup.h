/*
 * mx_lookup - which hosts take the mail of a domain, in the order in which they
 * are to be tried: those that the block names, an address in brackets, the MX
 * records, or the domain itself.  RFC 5321 5.1, RFC 7505.
 *
 * Owns	   its query
 * Blocks  never
 */
#ifndef RELAY_MX_LOOKUP_H
#define RELAY_MX_LOOKUP_H

#include <stdbool.h>
#include <stdint.h>

#include "ask/resolve.h"
#include "mail/domain.h"
#include "relay/mx/mx_choose.h"
#include "relay/mx/mx_pools.h"
#include "relay/mx/ourselves.h"
#include "relay/verdict.h"

struct mx_force {			/* instead of asking the DNS	*/
	struct span	 domain;
	struct span	 host;
	uint16_t	 port;
};

/* What those of a relay share; borrowed. */
struct mx_lookups {
	struct resolve	*resolve;
	struct ourselves *ourselves;
	struct mx_pools	*pools;		/* how one that is none is logged */
	uint16_t	 port;		/* but for force_mx		*/
	unsigned	 families;	/* RESOLVE_ bits	*/
	struct mx_force	*forces;
	unsigned	 force_cnt;
	uint32_t	 seed;		/* of the shuffling; never 0	*/
};

/* One of the two, once; the look-up may be gone when it returns. */
struct mx_lookup_calls {
	void	(*hosts)(void *arg);	/* at least one			*/
	void	(*none)(enum own why, void *arg);
};

/* What the answer that is waited for is about. */
enum mx_lookup_step {
	STEP_MX,		/* of the domain			*/
	STEP_ADDRESSES,		/* of the domain, as a host		*/
	STEP_OTHERS		/* likewise, those we do not use	*/
};

struct mx_lookup {
	struct mx_lookups *home;
	const struct mx_lookup_calls *calls;
	void		*arg;
	struct resolve_query *query;	/* NULL: none under way		*/
	enum mx_lookup_step step;	/* the last that was asked	*/
	char		 domain[DOMAIN_KEY_MAX];
	struct mx_hosts	 hosts;		/* what was found		*/
	uint16_t	 port;
	bool		 is_forced;	/* the host is the block's to name */
};

/* All zero but what is set here; calls are made before or after it returns. */
void	mx_lookup_begin(struct mx_lookup *, struct mx_lookups *,
	    struct span domain, const struct mx_lookup_calls *, void *arg);
/* No call is made any more. */
void	mx_lookup_cancel(struct mx_lookup *);

#endif
