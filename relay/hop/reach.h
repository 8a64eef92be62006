/*
 * reach - a connected socket of the next hop: by dial.h, or to the endpoint
 * where that is not ours to connect and master does it.  An endpoint is one
 * host, and it is the only address.
 *
 * Owns	   its socket until `connected' takes it; its place
 * Blocks  never
 */
#ifndef RELAY_REACH_H
#define RELAY_REACH_H

#include "relay/hop/dial.h"
#include "relay/hop/hop.h"

struct reach {
	struct dial	 dial;
	const struct hop_endpoint *endpoint; /* NULL: dial		*/
	const struct dial_calls *calls;
	void		*arg;
	uint64_t	 connecting;	/* request for it, or 0		*/
	struct timer	 timer;		/* patience with it		*/
	struct later	 later;		/* it cannot be asked		*/
};

void	reach_init(struct reach *, struct ev_loop *, struct resolve *,
	    const struct dial_target *, const struct hop_endpoint *,
	    const struct dial_calls *, void *arg);
void	reach_fini(struct reach *);

/* Each answers by a call, never before it has returned. */
void	reach_start(struct reach *);
void	reach_next(struct reach *);
void	reach_again(struct reach *);	/* the address we were at last	*/

bool	reach_has_more(const struct reach *);
struct place *reach_place(struct reach *);
/* What we are at is given up; one that waits for its place does no more. */
void	reach_stop(struct reach *);

/* Connections of the whole process, for the counters: one more, one less. */
void	reach_opened(void);
void	reach_closed(void);

#endif
