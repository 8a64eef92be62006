/*
 * host - what a relay found behind a destination, by the number it gives it:
 * a set of addresses, however many domains use it.  Numbers are a relay
 * process's own, so a host belongs to its lane.
 *
 * Destinations are linked to the host that their last attempt came to.  When
 * it is down, one of them at a time probes it for all; when it has all that it
 * takes now (host_is_full), they rest here, and one of them is woken for each
 * delivery that it is done with, or after a second.  A relay that lies about
 * this hurts its own deliveries only.
 *
 * Owns	   itself; never the destinations
 * Blocks  never
 */
#ifndef QUEUE_HOST_H
#define QUEUE_HOST_H

#include "queue/plan/destination.h"

RB_HEAD(host_tree, host);

struct host {
	RB_ENTRY(host)	 by_key;
	uint64_t	 key;		/* never 0			*/
	struct lane	*lane;
	struct standing	 standing;
	unsigned	 running;	/* sent to destinations linked to it */
	unsigned	 limit;		/* of these, as the relay said	*/
	unsigned	 linked_cnt;
	TAILQ_HEAD(, destination) resting;
	struct timer	 timer;
};

/* Link the destination, which has a lane, to the host of that number. */
void	host_link(struct destination *, uint64_t key);
void	host_unlink(struct destination *);

/* So many more it takes now, as the relay says. */
void	host_takes(struct host *, unsigned room);

/* It took none, or has just failed: for a second it takes no more. */
void	host_refuses(struct host *);

/* most: deliveries that a host may have in its lane, whatever it says. */
bool	host_may_send(const struct host *, int64_t now_ms, unsigned most);

/* A delivery is sent there, or came back. */
void	host_sent(struct host *);
void	host_back(struct host *);

/* The destination, which is in no ring, waits for its host. */
void	host_rest(struct destination *);
void	host_rest_no_more(struct destination *);

/* Something has changed: wake whom it may concern.  May free it. */
void	host_look(struct host *);

/* All of a lane, at its end. */
void	host_free_all(struct host_tree *);

#endif
