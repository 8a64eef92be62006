/*
 * destination - where the mail of a queue waits, and what it waits for:
 *
 *	delivery     one message's recipients at one destination
 *	flow	     the deliveries of one tenant there, and of one domain
 *		     where one next hop has all, see flow.h and turn.h
 *	destination  what a relay is told to deliver to: a domain, or all
 *		     there is (here)
 *	host	     whom the relay found behind it, as its answers say: an
 *		     address set, shared by any number of destinations (host.h)
 *	lane	     a relay process, its slots, and the rings in which
 *		     destinations take turns for them (lane.h)
 *
 * A destination that has something to send stands in just one place:
 *
 *	in a ring of its lane	 it could move, and waits for a slot
 *	resting at its host	 the host is down, or has all it takes now
 *	nowhere			 its window is full, its own pause runs, or
 *				 its rows are being read; what ends that
 *				 puts it into a ring
 *
 * so that nothing that could move ever stands behind something that cannot.
 *
 * The window is how many deliveries may be under way at once.  A new
 * destination begins with two; it grows with each that reached the other side
 * and is halved by each that did not.  What breaks off once the next hop has
 * asked for the text is evidence about that message: the window shrinks, but
 * the destination stays up, and no message waits for another that the next hop
 * cannot stomach.
 *
 * All times are monotonic.
 */
#ifndef QUEUE_DESTINATION_H
#define QUEUE_DESTINATION_H

#include <sys/queue.h>
#include <sys/tree.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "queue/plan/standing.h"
#include "sys/ev.h"

enum destination_news {
	NEWS_REACHED,		/* it answered, whatever it said	*/
	NEWS_HOST,		/* a next hop of it did not		*/
	NEWS_UNREACHED,		/* none of its next hops did		*/
	NEWS_BROKEN,		/* it broke off within the text		*/
	NEWS_NONE,		/* we learned nothing about it		*/
};

/* How far a destination is trusted with slots, see lane.h. */
enum destination_rank {
	RANK_PROVEN,		/* it has answered lately		*/
	RANK_NEW,		/* nobody knows				*/
	RANK_SLOW,		/* it was given up for others, once	*/
	RANK_STUCK,		/* again and again: it may take long	*/
	RANK_DOWN,		/* it or its host is down: a probe	*/
	RANK__COUNT
};

struct dispatch;
struct host;
struct lane;
struct ring;
struct tenant;

struct destination {
	RB_ENTRY(destination) by_name;
	char		 relay[BLOCK_NAME_MAX + 1];
	char		 name[DOMAIN_MAX + 1];
	struct standing	 standing;	/* but for its host's		*/
	unsigned	 window, running;
	int64_t		 answered_ms;	/* 0: never			*/
	int64_t		 patience_ms;	/* for the next try, 0: see lane.h */

	/* Of due.c: those whose turn may come. */
	TAILQ_HEAD(, tenant) tenants;
	unsigned	 flow_cnt;
	bool		 has_fresh;	/* something has just come in	*/
	TAILQ_ENTRY(destination) idle;	/* it has none, and is remembered */
	bool		 is_idle;

	/* Of host.c. */
	struct host	*host;		/* NULL: not known		*/
	TAILQ_ENTRY(destination) rest;
	bool		 is_resting;

	/* Of lane.c and dispatch.c. */
	bool		 is_strange;	/* its relay is none of ours	*/
	bool		 is_suspended;	/* by an administrator		*/
	TAILQ_ENTRY(destination) ready;
	struct ring	*ring;		/* that it stands in, or NULL	*/
	struct lane	*lane;
	struct dispatch	*dispatch;
	struct timer	 probe;
};

void	destination_init(struct destination *);

/* By itself, its host aside: may another delivery go out now? */
bool	destination_may_send(const struct destination *, int64_t now_ms);

void	destination_sent(struct destination *);

/*
 * One came back; host is the standing of the host it came to, or NULL.  cap_ms
 * is the longest pause.
 */
void	destination_answered(struct destination *, struct standing *host,
	    enum destination_news, int64_t now_ms, int64_t cap_ms);

/* Neither it nor its host is known to be down. */
bool	destination_is_up(const struct destination *);

enum destination_rank destination_rank(const struct destination *,
	    int64_t now_ms);

/* It was given up for others that wait. */
void	destination_slow(struct destination *);

#endif
