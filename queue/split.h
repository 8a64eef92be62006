/*
 * split - the deliveries of a message: its recipients by relay and by what the
 * relay connects to; and by domain, or each by himself, where the policies say
 * so.  Pure.
 *
 * Owns	   what split_make() made, names included, whatever a reload brings
 * Errors  ERR_NONE a recipient has no route (any more); ERR_SYS no memory
 */
#ifndef QUEUE_SPLIT_H
#define QUEUE_SPLIT_H

#include "queue/settings.h"

struct split {
	struct store_delivery *deliveries;
	uint32_t	 delivery_cnt;
	uint32_t	*rcpt_delivery;	/* NULL: all are in delivery 0	*/
};

/*
 * All are due at due_ms; tenant is borrowed as long as the split lives, which
 * is zeroed when this fails.
 */
MUST_CHECK enum err split_make(struct split *out, const struct settings *,
	    const struct span *rcpts, uint32_t rcpt_cnt, struct span tenant,
	    int64_t due_ms);
void	split_free(struct split *);

#endif
