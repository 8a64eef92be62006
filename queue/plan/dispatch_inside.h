/*
 * dispatch_inside - what the files of dispatch share, each of which calls those
 * behind it alone: dispatch.c (whose turn is it), _load (its envelope is read),
 * _stray (what no relay will have), _back (what comes back untried), _claim
 * (what relays say they run), _result (what they say of it), _worker (who is
 * there), _slot (what is under way) and _ring (who takes turns).
 */
#ifndef QUEUE_DISPATCH_INSIDE_H
#define QUEUE_DISPATCH_INSIDE_H

#include "queue/plan/dispatch.h"
#include "queue/walk/expire.h"
#include "queue/plan/lane.h"

struct dispatch {
	struct queue	*queue;
	struct later	 pump;		/* dispatch.c's			*/
	store_fn	*on_loaded;	/* _load's			*/
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

/* That of a destination, by the workers that there are; or NULL. */
struct lane	*dispatch_lane_of(struct dispatch *,
		    const struct destination *);

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
/* It has been read, or could not be; the struct delivery's load. */
store_fn dispatch_loaded;

/* It is under way no longer: if it was the suspect, another may be alone. */
void	dispatch_not_alone(struct worker *, const struct delivery *);

#endif
