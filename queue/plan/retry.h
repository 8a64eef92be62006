/*
 * retry - when a delivery is tried again, and when it is given up.  Pure.
 */
#ifndef QUEUE_RETRY_H
#define QUEUE_RETRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/span.h"
#include "conf/read/expr.h"

#define RETRY_UNLIMITED	UINT32_MAX

struct retry {
	char		 delay[EXPR_LEN_MAX];	/* an expression in n	*/
	size_t		 delay_len;
	int64_t		 cap_ms;	/* longest delay		*/
	int64_t		 lifetime_ms;	/* had for so long: give up	*/
	int64_t		 warn_ms;	/* age at which the sender is told of
					 * the delay; 0: never		*/
	uint32_t	 maximum;	/* retries behind the first try */
};

/*
 * Milliseconds to wait when `made` attempts were made before the one that just
 * failed.  Full jitter: anything from nothing to the expression's value, chosen
 * by `random`; at least a second, or the cap when that is less.
 */
int64_t	retry_delay_ms(const struct retry *, uint32_t made, uint32_t random);

/*
 * The longest anything is told to wait that is not held; what is not a retry
 * (a death, a fault of ours) waits less than a minute.
 */
int64_t	retry_longest_ms(const struct retry *);

/* Is it over after `made` attempts, at this age? */
bool	retry_is_spent(const struct retry *, uint32_t made, int64_t age_ms);

#endif
