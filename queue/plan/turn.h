/*
 * turn - whose turn it is within a destination: its tenants take turns, and of
 * one tenant his flows, which are those of the recipients' domains where one
 * next hop has them all.  So a login that fills a relay delays no other, and
 * what it sends to one domain does not delay what it sends to another.
 *
 * A flow that has rows in memory stands in `turns`; one that has them on the
 * disk only stands in `unread`, and with each delivery that is taken one of
 * those is read.  However many flows a tenant has, few of his rows are in
 * memory: TURN_ROWS_MAX, and one of each flow that is read ahead.
 *
 * Owns	   struct tenant
 * Blocks  never
 */
#ifndef QUEUE_TURN_H
#define QUEUE_TURN_H

#include "queue/plan/flow.h"

#define TURN_AHEAD	16	/* flows that are read when none has rows */
#define TURN_ROWS_MAX	1024	/* then new ones stay on disk		*/

struct tenant {
	RB_ENTRY(tenant) by_name;
	TAILQ_ENTRY(tenant) ring;	/* destination->tenants		*/
	bool		 in_ring;
	struct destination *destination;
	TAILQ_HEAD(, flow) turns, unread;
	unsigned	 flow_cnt;
	unsigned	 read_cnt;	/* of them being read		*/
	unsigned	 row_cnt;	/* of them, waiting in memory	*/
	const char	*name;		/* of its flows, up to the domain */
	size_t		 name_len;
};

/* A flow is made, or gone.  False: no memory. */
bool	turn_join(struct flow *);
void	turn_leave(struct flow *);

/* It has something to take or to read; or nothing just now. */
void	turn_give(struct flow *);
void	turn_drop(struct flow *);

/* Which tenant is next; NULL: none has anything. */
struct tenant *turn_first(const struct destination *);

/* A flow that is to be read before he is served, out of his turns; or NULL. */
struct flow *turn_unread(struct tenant *, bool was_served);

/* He had one: the next tenant is first, if there is one. */
void	turn_pass(struct tenant *);

/* Until something of his is read he has nothing. */
void	turn_rest(struct tenant *);

/* A reading of his is over: is anything left that he may have? */
bool	turn_go_on(struct tenant *);

/* How many rows to read at once, so that all of his flows are few. */
unsigned turn_row_max(const struct tenant *);

#endif
