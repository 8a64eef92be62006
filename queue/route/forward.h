/*
 * forward - the expander of the policy `forward': of the address that a client
 * named, what a regular expression matches is replaced; the first that matches
 * has the word.  What it becomes is looked for among the aliases, and not here
 * again.
 *
 * Owns	   the expressions and their words
 */
#ifndef QUEUE_FORWARD_H
#define QUEUE_FORWARD_H

#include "conf/slice/slice.h"
#include "queue/route/expand.h"

struct forward;

/* NULL where there are none.  ERR_PEER one is none; ERR_SYS no memory. */
MUST_CHECK enum err forward_new(struct forward **out,
	    const struct slice *policies);
void	forward_free(struct forward **);

/* Of struct expander; arg is a struct forward. */
enum err forward_ask(struct expansion *, struct span address, void *arg);

#endif
