/*
 * dispatch_inside - what dispatch.c (whose turn is it), dispatch_load.c (its
 * envelope) and dispatch_worker.c (who has what) share.
 */
#ifndef QUEUE_DISPATCH_INSIDE_H
#define QUEUE_DISPATCH_INSIDE_H

#include "queue/dispatch.h"

/* The place of a relay process: block and worker. */
struct lane {
	LIST_ENTRY(lane) entry;
	char		 relay[BLOCK_NAME_MAX + 1];
	unsigned	 no;
	struct worker	*worker;	/* that gets new deliveries, or NULL */
	bool		 told_strange;	/* logged: no relay of that name */
	TAILQ_HEAD(, destination) ready;
};

struct dispatch {
	struct queue	*queue;
	struct later	 pump;
	struct timer	 age;
	LIST_HEAD(, worker) workers;
	LIST_HEAD(, lane) lanes;
	uint64_t	 last_attempt;
	uint64_t	 active_cnt;	/* deliveries that hold a slot	*/
};

/* The lane, made where it was not; NULL when memory is out. */
struct lane	*dispatch_lane(struct dispatch *, const char *relay,
		    unsigned no);

/* See at the end of this turn who can be given what. */
void	dispatch_pump(struct dispatch *);

/* Find the lanes of all destinations anew: the workers have changed. */
void	dispatch_relane(struct dispatch *);

/* The delivery holds no slot any more; the destination is told the news. */
void	dispatch_release(struct queue *, struct delivery *,
	    enum destination_news);

/* It was not tried: its row is read again. */
void	dispatch_put_back(struct queue *, struct delivery *);

/* One more of its destination is under way. */
void	dispatch_count(struct delivery *);

/* Give it a slot there. */
void	dispatch_hold_slot(struct worker *, struct delivery *);

/* Load its envelope, when no edit of its message is on its way. */
void	dispatch_load(struct queue *, struct delivery *);

#endif
