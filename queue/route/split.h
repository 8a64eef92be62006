/*
 * split - the deliveries of a message: its recipients by relay and by what the
 * relay connects to; and by domain, or each by himself, where the policies say
 * so; and in which line of the tenant each of them stands, see turn.h.  Pure.
 *
 * Owns	   what split_make() made, names included, whatever a reload brings
 * Errors  ERR_NONE a recipient has no route (any more); ERR_SYS no memory
 */
#ifndef QUEUE_SPLIT_H
#define QUEUE_SPLIT_H

#include "queue/settings.h"
#include "queue/store/store_intake.h"

#define SPLIT_NOBODY	UINT32_MAX	/* in rcpt_delivery: a route discards */

struct split {
	struct store_delivery *deliveries;
	uint32_t	 delivery_cnt;	/* 0: all recipients are discarded */
	uint32_t	 discarded_cnt;	/* recipients that are in none	*/
	uint32_t	*rcpt_delivery;	/* NULL: all are in delivery 0	*/
};

/*
 * who is the sender and the login; its rcpt is not looked at.  kept is what was
 * found of each recipient before, by these routes, and his owner, which no two
 * of a delivery differ in; or NULL.  All are due at
 * due_ms.  The split is zeroed when this fails.
 */
MUST_CHECK enum err split_make(struct split *out, const struct settings *,
	    const struct route_ask *who, const struct span *rcpts,
	    const struct route_kept *kept, uint32_t rcpt_cnt,
	    struct span tenant, int64_t due_ms);

/*
 * The deliveries of a bounce to these addresses.  ERR_NONE: one has no way, for
 * no route leads to its domain or one refuses or discards it;
 * split_why_none() says in words which it is, a literal.
 */
MUST_CHECK enum err split_make_bounce(struct split *out,
	    const struct settings *, const struct span *to, uint32_t cnt,
	    int64_t due_ms);
const char *split_why_none(const struct settings *, struct span to);
void	split_free(struct split *);

#endif
