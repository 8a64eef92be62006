/*
 * store_edit - what somebody wants of what is kept: an administrator, or the
 * routes of today.
 */
#ifndef QUEUE_STORE_EDIT_H
#define QUEUE_STORE_EDIT_H

#include "queue/store/store.h"

struct store;
struct store_delivery;

/* A delivery that was looked at, where its row of table due stands now. */
struct store_moved {
	struct store_flow flow;
	struct store_place place;
	bool		 moved;		/* it stood elsewhere before	*/
};

/* How often a delivery was tried when it was looked at. */
struct store_tries {
	uint32_t	 no, attempts, deaths;
};

#define STORE_WHO_MAX	100	/* bytes of a name of who wants it */

/*
 * What an administrator wants of a message: of all its deliveries, in one
 * transaction.  EDIT_FLUSH moves what is not yet due, EDIT_RELEASE what is
 * held, EDIT_HOLD all; EDIT_REMOVE takes all rows away, whether they can be
 * read or not; EDIT_GIVE_UP as well, and has the sender told by rows of table
 * report, until which are told the message stays; EDIT_RETRY lets go what
 * damage has held, when a row of it can be read again.  See to it that none is
 * under way.  ERR_NONE: there is no such message, or nothing of it is in
 * quarantine; ERR_PEER: what is cannot be read yet; ERR_STALE: one of those
 * seen is over, or was tried since, and nothing was changed.
 */
struct store_edit {
	struct store_op	 op;
	struct id	 id;
	enum edit	 action;
	int64_t		 now_ms;
	struct span	 reply;		/* what is told by EDIT_GIVE_UP	*/
	struct span	 who;		/* wants it; may be empty	*/
	const struct store_tries *seen;	/* of its deliveries; what is not
					 * among them is not looked at	*/
	uint32_t	 seen_cnt;
	uint32_t	 reported_cnt;	/* out: recipients of whom the	*/
	uint32_t	 unreported_cnt; /* sender is told, and nobody */
	uint64_t	 counted;	/* by its deliveries; inside	*/
	struct store_moved *rows;	/* out: yours			*/
	uint32_t	 row_cnt;	/* out				*/
	uint32_t	 changed_cnt;	/* out: deliveries moved or gone */
	uint32_t	 note_cnt;	/* out: rows that are good again */
	bool		 removed;	/* out: its envelope is gone	*/
	bool		 was_damaged;	/* out: not all could be read	*/
};

/*
 * The recipients of a delivery go elsewhere: it becomes these deliveries, the
 * first of which keeps its number and is where all go that are not named.  A
 * delivery that is held stays so.  See to it that it is not under way.
 * ERR_NONE: there is no such delivery; ERR_STALE: it was tried since it was
 * seen, and nothing was changed.
 */
struct store_replan {
	struct store_op	 op;
	struct id	 id;
	uint32_t	 no;
	const struct store_tries *seen;	/* of it; NULL: whatever they are */
	bool		 is_pinned;	/* by the administrator: stays	*/
	int64_t		 waived_ms, waived_until_ms;	/* from now on	*/
	int64_t		 now_ms;	/* due then			*/
	const struct store_delivery *deliveries;	/* relay, destination */
	uint32_t	 delivery_cnt;
	const uint32_t	*rcpts;		/* numbers of those named	*/
	const uint32_t	*rcpt_delivery;	/* of each: index of deliveries	*/
	uint32_t	 rcpt_cnt;
	struct store_moved *rows;	/* out: room for delivery_cnt	*/
};

/*
 * A suspension begins, ends, or changes: rec is its row from now on, unless it
 * is forgotten.  Where somebody wanted it history tells of it, one row however
 * much waits for it.
 */
struct store_suspend {
	struct store_op	 op;
	struct record_suspension rec;
	bool		 is_forgotten;
	bool		 is_told;	/* in its history		*/
};

void	store_edit(struct store *, struct store_edit *, store_fn *,
	    void *arg);
void	store_replan(struct store *, struct store_replan *, store_fn *,
	    void *arg);
void	store_suspend(struct store *, struct store_suspend *, store_fn *,
	    void *arg);

#endif
