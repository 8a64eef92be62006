/*
 * outcome - what is done with the results of an attempt.
 *
 * Delivered recipients are struck, the others are due again, or bounced: one
 * transaction.  Only when it is committed does the relay hear so.  A commit
 * that fails is tried again: results are never dropped.
 */
#ifndef QUEUE_OUTCOME_H
#define QUEUE_OUTCOME_H

#include "queue/queue.h"

MUST_CHECK enum err outcome_open(struct outcomes **out, struct queue *);
void	outcome_close(struct outcomes **);

/* All results of dl, which holds no slot any more, are there. */
void	outcome_begin(struct queue *, struct delivery *dl);

/*
 * The routes have spoken of those recipients that have a result, code 250, 450
 * or 550, and nobody was tried: the others are due at once.
 */
void	outcome_ruled(struct queue *, struct delivery *dl);

/* It grew too old without being tried. */
void	outcome_expired(struct queue *, struct delivery *dl);

/*
 * It is older than warn_after and was not tried just now: tell those senders
 * that want to hear so, once, and leave the rest as it is.
 */
void	outcome_delayed(struct queue *, struct delivery *dl);

/* The relay that ran it died: due again soon, the death is counted. */
void	outcome_died(struct queue *, struct delivery *dl);

/* Its text is damaged: hold it. */
void	outcome_unreadable(struct queue *, struct delivery *dl);

/*
 * Nothing can be written down of it just now, and no slot is held: it is looked
 * at again in a moment.
 */
void	outcome_put_off(struct queue *, struct delivery *dl);

/* Outcomes on their way to the disk. */
uint32_t outcome_busy_cnt(const struct outcomes *);
bool	outcome_is_busy(const struct outcomes *);

#endif
