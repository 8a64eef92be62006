/*
 * to_edge - what the queue says to an edge.  Packs, and decides nothing.
 */
#ifndef QUEUE_TO_EDGE_H
#define QUEUE_TO_EDGE_H

#include "bus/link.h"
#include "queue/route/route.h"

void	to_edge_grant(struct link *, uint64_t stream, struct id);
void	to_edge_credit(struct link *, uint64_t stream, uint32_t pieces);
void	to_edge_taken(struct link *, uint64_t stream);
void	to_edge_refused(struct link *, uint64_t stream, uint16_t code,
	    const char *dsn, const char *text);
/* The same where its disk is full, or takes nothing for another reason. */
void	to_edge_no_room(struct link *, uint64_t stream, bool is_full);
void	to_edge_state(struct link *, const struct msg_queue_state *);
void	to_edge_rcpt(struct link *, uint64_t ask, const struct route_reply *);

#endif
