/*
 * outcome_inside - what outcome.c (what the results come to) and
 * outcome_settle.c (the commit that keeps it) share.
 */
#ifndef QUEUE_OUTCOME_INSIDE_H
#define QUEUE_OUTCOME_INSIDE_H

#include "base/log.h"
#include "queue/bounce.h"
#include "queue/outcome.h"
#include "queue/split.h"

/* It holds the delivery, whose envelope its spans point into. */
struct outcome {
	STAILQ_ENTRY(outcome) entry;	/* of those to be tried again */
	struct queue	*queue;
	struct delivery	*delivery;
	struct store_settle settle;
	struct store_change *changes;
	struct bounce_rcpt *failed;	/* for the bounce		*/
	uint32_t	 failed_cnt;
	int64_t		 now_ms;
	bool		 by_death;
	const char	*held_why;	/* it will be held; or NULL	*/
	const char	*no_bounce;	/* why none could be made, or NULL */

	/* The bounce, where there is one. */
	struct store_read_piece original;
	struct bounce_text text;
	struct store_mail mail;
	struct span	 to;
	struct split	 split;
	struct store_accept accept;
};

struct outcomes {
	struct queue	*queue;
	struct timer	 again;
	STAILQ_HEAD(, outcome) waiting;
	uint32_t	 busy_cnt;
};

/* Write it down, with the bounce where one is due, and move on.  Taken. */
void	outcome_settle(struct outcome *);

/* The same without a bounce. */
void	outcome_commit(struct outcome *);

/* Commit those that failed to be committed; arg is the struct outcomes. */
void	outcome_try_again(struct timer *, void *arg);

/* One line: what happened to this message, and why, or NULL. */
void	outcome_log(enum log_event, struct id, const char *why);

#endif
