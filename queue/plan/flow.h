/*
 * flow - the rows of table due that share relay, destination, tenant and,
 * where one next hop has all, the domain of their recipients: read in small
 * batches behind a cursor, taken in order, and woken when the next of them is
 * due.  Only due.c and turn.c use it; they share struct due.
 *
 * Reads are few at a time, FLOW_READS_MAX: the reading thread serves in order,
 * and envelopes and text of what moves must not wait behind the rows of all
 * that does not.
 *
 * A flow that has something to take, or to read, stands in its tenant's turns
 * (turn.h); one that only has rows in the future stands in due's wakes; one
 * that has neither, and is not pointed to, is freed.
 *
 * Owns	   struct flow
 * Blocks  never
 */
#ifndef QUEUE_FLOW_H
#define QUEUE_FLOW_H

#include "queue/plan/due.h"
#include "queue/store/store_due.h"

#define FLOW_READS_MAX	16

enum flow_turn {
	FLOW_NO_TURN,
	FLOW_TURN,		/* in its tenant's turns		*/
	FLOW_UNREAD,		/* in its unread			*/
};

struct flow {
	RB_ENTRY(flow)	 by_name;
	RB_ENTRY(flow)	 by_wake;
	TAILQ_ENTRY(flow) turn;
	struct due	*due;
	struct destination *destination;
	struct tenant	*tenant;
	enum flow_turn	 turn_in;
	bool		 has_wake;	/* in due->wakes		*/
	bool		 at_end;	/* nothing unread before next_ms */
	bool		 noted;		/* ... while reading		*/
	int64_t		 next_ms;	/* due of the next unread row	*/
	int64_t		 wake_ms;	/* key of by_wake		*/
	struct store_place cursor;
	struct store_place noted_first;
	struct store_read_due *read;	/* on its way, or NULL		*/
	TAILQ_ENTRY(flow) want;
	bool		 wants_read;	/* in due->wants: its turn to read */
	struct deliveries waiting;
	unsigned	 waiting_cnt;
	unsigned	 known_cnt;	/* deliveries that point here	*/
	size_t		 name_len;
	const char	*name;		/* as in struct store_flow	*/
};

RB_HEAD(destination_tree, destination);
RB_HEAD(flow_tree, flow);
RB_HEAD(tenant_tree, tenant);
RB_HEAD(wake_tree, flow);
RB_HEAD(delivery_tree, delivery);

struct due {
	struct ev_loop	*loop;
	struct store	*store;
	struct due_calls calls;
	void		*arg;
	struct destination_tree destinations;
	struct delivery_tree deliveries;
	struct store_read_flows *scan;	/* on its way, or NULL		*/
	bool		 is_blind;	/* the last one failed		*/
	uint64_t	 owned;		/* a bit for each shard of ours	*/
	uint64_t	 leaving;	/* no more, but not yet released */
	struct later	 release;	/* is something of them left?	*/
	bool		 scan_again;	/* rows came to be meanwhile	*/
	TAILQ_HEAD(, destination) idle;	/* remembered, the latest last	*/
	unsigned	 idle_cnt;
	LIST_HEAD(, hasten) hastens;	/* of hasten.c: walks		*/
	bool		 is_hastening;	/* one is for all		*/
	void		(*on_set_back)(struct due *);	/* the clock was */
	int64_t		 longest_ms;	/* anything may be told to wait	*/

	/* Of flow.c. */
	struct timer	 timer;
	int64_t		 clock_ms;	/* wall time less monotonic, seen */
	struct flow_tree flows;
	struct tenant_tree tenants;	/* of turn.c			*/
	struct wake_tree wakes;
	TAILQ_HEAD(, flow) wants;
	unsigned	 read_cnt;	/* reads on their way		*/
};

/* The timer that wakes flows; its end, with all flows. */
void	flow_init(struct due *);
void	flow_fini(struct due *);

/* The flow of that name, made where it was not; NULL when memory is out. */
struct flow *flow_find(struct due *, const struct store_flow *name);

/* It has rows on disk, the first of them due then.  May free it. */
void	flow_found(struct flow *, int64_t due_ms);

/* This row is on disk since now.  May free the flow, when the row is none. */
void	flow_note(struct flow *, const struct store_place *);

/* Those that are not ours any more, and in which nothing waits: let go. */
void	flow_leave_others(struct due *);

/* Have everything from this row on read again. */
void	flow_wind_back(struct flow *, const struct store_place *);

/* Is there a row to read now, as far as is known? */
bool	flow_has_more(const struct flow *);

/* Read the next rows, now or in turn. */
void	flow_read(struct flow *);
bool	flow_is_reading(const struct flow *);

/* Put it where its state says: a turn, a wake, or nothing.  May free it. */
void	flow_place(struct flow *);

/* Free it if nothing is left of it. */
void	flow_tidy(struct flow *);

RB_PROTOTYPE(destination_tree, destination, by_name, )
RB_PROTOTYPE(delivery_tree, delivery, by_name, )

/* due_known.c: the bit of a shard, or all. */
uint64_t due_shard_bits(unsigned shard);

/* due_known.c: take a delivery into memory; f may be NULL.  NULL: no memory. */
struct delivery *due_add(struct due *, struct flow *f,
	    const struct store_place *);

/* due_known.c: the destination, made where it was not; NULL: no memory. */
struct destination *due_destination_named(struct due *, struct span relay,
	    struct span name);

#endif
