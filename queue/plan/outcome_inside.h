/*
 * outcome_inside - what outcome.c (what the results come to) and
 * outcome_settle.c (the commit that keeps it) share.
 */
#ifndef QUEUE_OUTCOME_INSIDE_H
#define QUEUE_OUTCOME_INSIDE_H

#include "base/log.h"
#include "queue/plan/outcome.h"
#include "queue/store/store_settle.h"

/* It holds the delivery, whose envelope its spans point into. */
struct outcome {
	STAILQ_ENTRY(outcome) entry;	/* of those to be tried again */
	struct queue	*queue;
	struct delivery	*delivery;
	struct store_settle settle;
	struct record_delivery was;	/* as it is on disk, or should be */
	struct store_change *changes;
	struct store_discard *discards;	/* as many at most		*/
	int64_t		 now_ms;
	bool		 by_death;
	bool		 is_stale;	/* somebody else went on with it */
	bool		 is_reminder;	/* nothing was tried		*/
	bool		 is_lost_digest; /* there it ends	*/
	const char	*held_why;	/* it will be held; or NULL	*/
};

struct outcomes {
	struct queue	*queue;
	struct timer	 again;
	STAILQ_HEAD(, outcome) waiting;
	struct deliveries starved;	/* there was no memory for theirs */
	uint32_t	 busy_cnt;
};

/* There was nothing to write down; the delivery is the caller's again. */
void	outcome_drop(struct outcome *);

/* Write it down and move on.  Taken. */
void	outcome_commit(struct outcome *);

/* This recipient has failed, and why nobody can be told so; a literal. */
void	outcome_discard(struct outcome *, const struct store_change *,
	    const char *why);

/* Commit those that failed to be committed: after OUTCOME_AGAIN_MS. */
#define OUTCOME_AGAIN_MS	1000
void	outcome_commit_waiting(struct outcomes *);

/* One line: what happened to this message, and why, or NULL. */
void	outcome_log(enum log_event, struct id, const char *why);

#endif
