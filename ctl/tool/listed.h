/*
 * listed - a message of a queue, gathered from the rows that a list is made of.
 *
 * Rows come as the bus brings them: list_message, then the list_delivery and
 * list_rcpt rows of that message, each in the order of their numbers, then the
 * next.  They are copied.
 *
 * Owns	   its strings and arrays
 * Errors  ERR_PEER a row that belongs to no message, or comes out of order;
 *	   ERR_SYS no memory
 */
#ifndef CTL_TOOL_LISTED_H
#define CTL_TOOL_LISTED_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/id.h"
#include "base/span.h"
#include "bus/messages.h"

struct listed_delivery {
	uint32_t	 no, attempts;
	uint64_t	 due_ms;	/* wall clock			*/
	uint64_t	 suspended_ms;	/* since then; 0: it is not	*/
	enum listed	 state;
	unsigned	 held;		/* enum held			*/
	struct span	 holder;	/* who does; or empty		*/
	uint64_t	 until_ms;	/* then that ends; 0: it need not */
	bool		 has_rcpt;	/* one at least is known	*/
	struct span	 relay, destination;
	enum waits	 waits;		/* for what			*/
	uint64_t	 down_ms;	/* its destination, since then	*/
	uint64_t	 probe_ms;	/* its next; 0: under way	*/
	struct span	 who, reason;	/* of the suspension		*/
};

struct listed_rcpt {
	uint32_t	 no, delivery;	/* delivery: the no of one	*/
	uint16_t	 code;		/* of the last reply, 0 none	*/
	struct span	 address, reply, hop;
	struct span	 trace;		/* how he came to be one	*/
};

struct listed_message {
	struct span	 queue;		/* borrowed			*/
	struct id	 id;
	uint64_t	 arrived_ms;	/* wall clock			*/
	uint64_t	 size;		/* bytes			*/
	uint32_t	 rcpt_cnt;	/* as the queue counts them	*/
	struct span	 sender, tenant, client, edge;
	struct listed_delivery *deliveries;
	size_t		 delivery_len, delivery_cap;
	struct listed_rcpt *rcpts;
	size_t		 rcpt_len, rcpt_cap;
};

/* Begin anew with this row; what m held is freed. */
MUST_CHECK enum err	listed_begin(struct listed_message *m,
			    struct span queue, const struct msg_list_message *);
MUST_CHECK enum err	listed_add_delivery(struct listed_message *,
			    const struct msg_list_delivery *);
MUST_CHECK enum err	listed_add_rcpt(struct listed_message *,
			    const struct msg_list_rcpt *);

/*
 * All rows of it have come: a delivery of which no recipient can be read has
 * one without a name, or nobody would see that it waits.
 */
MUST_CHECK enum err	listed_end(struct listed_message *);

/* Free it and zero it; a zeroed one is allowed. */
void			listed_fini(struct listed_message *);

/* The delivery of a recipient, NULL when it has none any more. */
const struct listed_delivery *listed_delivery_of(
			    const struct listed_message *,
			    const struct listed_rcpt *);

/* "held", "active", "deferred", or "new" when it was never tried. */
const char		*listed_state(const struct listed_delivery *);

/* Its turn does not come, for its relay or destination is suspended. */
bool			listed_is_suspended(const struct listed_delivery *);

#endif
