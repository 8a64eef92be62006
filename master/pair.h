/*
 * pair - the links between children: made when both run, made anew when one
 * was started again or a link broke.
 *
 * Blocks  no
 */
#ifndef MASTER_PAIR_H
#define MASTER_PAIR_H

#include "master/supervisor.h"

#define PAIR_BUFFER	(1 << 20)	/* bytes a bus socket may hold	*/

/* A link socket with room for frames, both ends ours. */
MUST_CHECK enum err pair_socket(int fds[2]);

/*
 * These two shall be linked: now, when both run.  A second time changes
 * nothing.
 */
MUST_CHECK enum err pair_add(struct supervisor *, struct process *from,
    struct process *to);

/* p runs: link it to all of its peers that run. */
void	pair_connect(struct process *p);

/* `p` says that its link to the process `no` in life `start` is gone. */
void	pair_lost(struct process *p, uint32_t no, uint32_t start,
	    enum err why);

/* p is gone for good: tell its peers, and forget its pairs. */
void	pair_forget(struct process *p);

/*
 * The house ends, and those that rest from each other will have no link any
 * more: tell both that the other is gone, so that neither waits for it.
 */
void	pair_forget_resting(struct supervisor *);

#endif
