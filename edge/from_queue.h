/*
 * from_queue - what the queue says: ids, credit, verdicts, and that it is
 * full.  Only unpacking and checking: transaction.h decides.
 *
 * Errors  a queue that speaks nonsense loses its link (ERR_PEER), and the
 *	   streams on it
 */
#ifndef EDGE_FROM_QUEUE_H
#define EDGE_FROM_QUEUE_H

struct edge;
struct link_peer;

/*
 * Take fd (yours to give) as the link to the queue, in place of the one there
 * is; messages under way on that one are lost with it.
 */
void	from_queue_link(struct edge *, int fd, const struct link_peer *);

/* Close the link, if there is one; every message under way fails with 451. */
void	from_queue_close(struct edge *);

#endif
