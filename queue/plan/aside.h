/*
 * aside - a delivery of which something cannot be read goes nowhere: it is held
 * on disk, and somebody is told, once.
 */
#ifndef QUEUE_ASIDE_H
#define QUEUE_ASIDE_H

#include "queue/queue.h"

/* Its load came back with ERR_PEER, and why.  Taken. */
void	aside_hold(struct queue *, struct delivery *dl, enum aside why);

/* In words for a log; a literal. */
const char *aside_said(enum aside);

#endif
