/*
 * store_due - flows and their rows, by the time at which they are due.
 */
#ifndef QUEUE_STORE_DUE_H
#define QUEUE_STORE_DUE_H

#include "queue/store/store.h"

#define STORE_DUE_MAX		64	/* rows one store_read_due gives */
#define STORE_SPENT_MAX		64	/* rows one store_read_spent gives */
#define STORE_FLOWS_MAX		64	/* rows one store_read_flows gives */
#define STORE_OLD_MAX		64	/* rows one store_read_old gives */

struct store;

/* A due row that leads nowhere is taken away. */
struct store_undue {
	struct store_op	 op;
	struct span	 flow;		/* the name of one		*/
	struct store_place place;
	bool		 is_stale;	/* unless it is the right one by now */
};

struct store_old {
	struct store_flow flow;
	struct store_place place;
};

/*
 * Deliveries that are not held, in the order their messages arrived, from
 * behind (after, after_no) up to the message `until'.
 */
struct store_read_old {
	struct store_op	 op;
	struct id	 after;		/* all zero: from the beginning; out:
					 * go on			*/
	uint32_t	 after_no;
	struct id	 until;
	struct store_old rows[STORE_OLD_MAX];		/* out		*/
	unsigned	 cnt;				/* out		*/
	bool		 at_end;			/* out		*/
};

/*
 * Rows of a flow that are due later than far_ms and are not held: due now
 * instead.  A bounded number of them.
 */
struct store_hasten {
	struct store_op	 op;
	struct store_flow flow;
	int64_t		 far_ms, now_ms;
	struct store_place after;	/* all zero at first; goes on there */
	struct store_place rows[STORE_DUE_MAX];	/* out: as they stand now */
	unsigned	 cnt;			/* out			*/
	bool		 at_end;		/* out: there are no more */
};

/*
 * The flows that have rows, in order, from behind `after` on.  With far_ms each
 * says whether it has any that is due later than that and is not held.
 */
struct store_read_flows {
	struct store_op	 op;
	int64_t		 far_ms;	/* 0: that is not asked		*/
	struct store_flow after;	/* len 0: from the beginning	*/
	struct store_flow flows[STORE_FLOWS_MAX];	/* out		*/
	unsigned	 cnt;				/* out		*/
	bool		 at_end;			/* out		*/
};

/* Rows of a flow behind `after` that are due by until_ms. */
struct store_read_due {
	struct store_op	 op;
	struct span	 flow;
	struct store_place after;	/* all zero: from the beginning	*/
	int64_t		 until_ms;
	unsigned	 row_max;	/* 1 to STORE_DUE_MAX		*/
	struct store_place rows[STORE_DUE_MAX];		/* out		*/
	unsigned	 cnt;				/* out		*/
	bool		 at_end;	/* out: no more by until_ms	*/
	int64_t		 next_ms;	/* out: due of the row behind them,
					 * INT64_MAX when there is none	*/
};

struct store_spent {
	struct store_flow flow;
	struct store_place place;
	int64_t		 lived_ms;	/* of the message		*/
	bool		 is_bounce;	/* we wrote it			*/
	uint64_t	 waived_ms, waived_until_ms;	/* of the delivery */
};

/*
 * Deliveries in the order of their messages' age, oldest first, from `from' on,
 * whose lived_ms is at most until_ms, or bounces_until_ms where we wrote it: a
 * bounded number.  What an administrator holds is passed over.
 */
struct store_read_spent {
	struct store_op	 op;
	struct id	 from;		/* goes on there		*/
	uint32_t	 from_no;
	int64_t		 until_ms, bounces_until_ms;
	struct store_spent rows[STORE_SPENT_MAX];	/* out		*/
	unsigned	 cnt;				/* out		*/
	bool		 at_end;	/* out: no more are so old	*/
};

void	store_undue(struct store *, struct store_undue *, store_fn *,
	    void *arg);
void	store_hasten(struct store *, struct store_hasten *, store_fn *,
	    void *arg);
void	store_read_flows(struct store *, struct store_read_flows *,
	    store_fn *, void *arg);
void	store_read_due(struct store *, struct store_read_due *, store_fn *,
	    void *arg);
void	store_read_old(struct store *, struct store_read_old *,
	    store_fn *, void *arg);
void	store_read_spent(struct store *, struct store_read_spent *,
	    store_fn *, void *arg);

#endif
