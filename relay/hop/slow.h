/*
 * slow - who was waited for in vain: at which stages the ordinary wait was too
 * short, so that the next attempt waits as long as RFC 5321 4.5.3.2 asks.
 *
 * It is known of a host and of a delivery alike, each by a number.  What it
 * costs to forget is one more attempt with the ordinary wait: so it lasts no
 * longer than the process, and of two that share a row the later one stays.
 *
 * Blocks  never
 */
#ifndef RELAY_SLOW_H
#define RELAY_SLOW_H

#include <stdint.h>

#include "base/id.h"
#include "bus/messages.h"

#define SLOW_ROWS	4096
#define SLOW_HOST_MS	86400000ll	/* a host may be well again	*/
#define SLOW_DELIVERY_MS (30 * 86400000ll) /* retry { maximum_delay }	*/

/* Stages as bits. */
#define SLOW_BIT(stage)	(1u << (stage))

struct slow {				/* zeros: nobody		*/
	struct {
		uint64_t	 who;
		int64_t		 until_ms;	/* monotonic		*/
		unsigned	 stages;
	} rows[SLOW_ROWS];
};

uint64_t slow_delivery(struct id, uint32_t delivery);

/* It was slow at these stages too. */
void	 slow_note(struct slow *, uint64_t who, unsigned stages,
	    int64_t now_ms, int64_t lasts_ms);
/* At which, 0: none that we know of. */
unsigned slow_stages(const struct slow *, uint64_t who, int64_t now_ms);

/* The wait at a stage that RFC 5321 4.5.3.2 asks for; 0: it names none. */
int64_t	 slow_wait_ms(enum stage);

#endif
