/*
 * carry - one file of the drop directory on its way to the queue: we speak SMTP
 * with a session of our own, as its owner would on the unix socket, so that all
 * rules and checks of the block hold for it.
 *
 * Recipients who are refused for good are told to its sender in a notice, which
 * goes the same way after it.  What could be true later ends it: the file stays
 * and is tried again; when it is too old for that its sender is told likewise.
 *
 * Owns	   the session, the descriptor and what was read
 * Blocks  on the disk
 * Errors  ERR_FULL no memory
 */
#ifndef EDGE_DROP_CARRY_H
#define EDGE_DROP_CARRY_H

#include <sys/stat.h>

#include "base/err.h"
#include "base/span.h"
#include "mail/dropped.h"

struct carry;
struct edge;

enum carry_end {
	CARRY_KEPT,		/* the queue has it, or nobody wants it	*/
	CARRY_LATER,		/* not now; why says who said so	*/
	CARRY_NEVER		/* nobody takes it, nor can be told	*/
};

/* It is over: look at it no more.  why is NULL where it was kept. */
typedef void carry_end_fn(enum carry_end, const char *why, void *arg);

struct carry_file {
	int		 fd;		/* taken, also on error		*/
	struct stat	 st;		/* as it was when it was opened	*/
	uint64_t	 once;		/* the queue knows it by this	*/
	unsigned	 tries;		/* so far, in this life of ours	*/
	char		*front;		/* taken: d points into it	*/
	struct dropped	 d;
};

/* Begin.  on_end is called once, never from within this. */
MUST_CHECK enum err carry_open(struct carry **out, struct edge *,
	    const struct carry_file *, carry_end_fn *, void *arg);
/* Break it off; nobody is told. */
void	carry_close(struct carry **);

#endif
