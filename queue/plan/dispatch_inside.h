/*
 * dispatch_inside - what the files of dispatch share: dispatch.c (whose turn is
 * it), _slot (what is under way), _stray (what no relay will have), _load (its
 * envelope), _worker (who is there), _claim (what they say they run), _result
 * (what they say of it) and _back (what comes back untried).
 */
#ifndef QUEUE_DISPATCH_INSIDE_H
#define QUEUE_DISPATCH_INSIDE_H

#include "queue/plan/dispatch.h"
#include "queue/walk/expire.h"
#include "queue/plan/lane.h"

struct dispatch {
	struct queue	*queue;
	struct later	 pump;
	struct expire	 expire;
	struct timer	 strays;	/* looks for what has stuck	*/
	LIST_HEAD(, worker) workers;
	LIST_HEAD(, lane) lanes;
	uint64_t	 last_attempt;
	uint64_t	 active_cnt;	/* deliveries that hold a slot	*/
	unsigned	 judging_cnt;	/* strays being loaded		*/
	bool		 has_stuck;	/* some stray has no way	*/
};

/* The lane, made where it was not; NULL when memory is out. */
struct lane	*dispatch_lane(struct dispatch *, const char *relay,
		    unsigned no, unsigned cnt);

/* The worker of that number, as master counts them; NULL: it is gone. */
struct worker	*dispatch_find_worker(struct dispatch *, uint32_t no);

/* See at the end of this turn who can be given what. */
void	dispatch_pump(struct dispatch *);

/* Find the lanes of all destinations anew: the workers have changed. */
void	dispatch_relane(struct dispatch *);

/* Take it out of its lane, of its ring there and from its host. */
void	dispatch_unready(struct destination *);

/* The delivery holds no slot any more; the destination is told the news. */
void	dispatch_release(struct queue *, struct delivery *,
	    enum destination_news);

/* Look at times for what has stuck; the timer is dispatch.c's to stop. */
void	dispatch_watch_strays(struct dispatch *);

/* No relay will have these: where do today's routes want them? */
void	dispatch_judge_lane(struct lane *);

/* A stray one is loaded: room for another. */
void	dispatch_judged(struct dispatch *);

/* It has no way, and its relay is gone: it stays on disk.  Taken. */
void	dispatch_strand(struct queue *, struct delivery *);

/* Is nothing to be handed out there?  Without a relay it is only judged. */
bool	dispatch_is_suspended(const struct destination *);

/* It was not tried: its row is read again. */
void	dispatch_put_back(struct queue *, struct delivery *);

/* One more of its destination is under way. */
void	dispatch_count(struct delivery *);

/* Give it a slot there. */
void	dispatch_hold_slot(struct worker *, struct delivery *);

/*
 * Others wait for a share of the lane that is full: ask at times for what has
 * hung in it and was not begun.
 */
void	dispatch_press(struct lane *);

/* Of the slots it says it has those that its block can have. */
void	dispatch_believe(struct worker *);

/*
 * The delivery this attempt is of, if it is under way with this worker; else
 * the worker is told to forget it.
 */
struct delivery	*dispatch_under_way(struct worker *, struct id, uint32_t no,
		    uint64_t attempt);

/*
 * The envelope of an adopted one is read, or cannot be: of what was said of it
 * so far stays one result of each recipient that there is.
 */
void	dispatch_claim_read(struct dispatch *, struct delivery *);

/* It is none of who said so: as if nobody had.  Taken. */
void	dispatch_disown(struct queue *, struct delivery *);

/* Give it a slot of this rank there, and load its envelope. */
void	dispatch_start(struct worker *, struct delivery *,
	    enum destination_rank, int64_t patience_ms);

/* Load its envelope, when no edit of its message is on its way. */
void	dispatch_load(struct queue *, struct delivery *);

#endif
