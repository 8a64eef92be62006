/*
 * destination - what one relay connects to: how much we trust it to take now.
 *
 * The window is how many deliveries may be under way at once.  It grows with
 * each that reached the other side and is halved by each that did not.  A
 * destination that cannot be reached is down: after a pause it is probed with
 * a single delivery, and the pause doubles with every failure.
 *
 * What breaks off once the next hop has asked for the text is evidence about
 * that message: the window shrinks, but the destination stays up, and no
 * message waits for another that the next hop cannot stomach.
 */
#ifndef QUEUE_DESTINATION_H
#define QUEUE_DESTINATION_H

#include <sys/queue.h>
#include <sys/tree.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "sys/ev.h"

enum destination_state {
	DESTINATION_ALIVE,
	DESTINATION_DOWN,	/* nothing is sent until next_try_ms	*/
	DESTINATION_PROBING,	/* one delivery is on its way to find out */
};

enum destination_news {
	NEWS_REACHED,		/* it answered, whatever it said	*/
	NEWS_HOST,		/* a next hop of it did not		*/
	NEWS_UNREACHED,		/* none of its next hops did		*/
	NEWS_BROKEN,		/* it broke off within the text		*/
	NEWS_NONE,		/* we learned nothing about it		*/
};

struct dispatch;
struct flow;
struct lane;

struct destination {
	RB_ENTRY(destination) by_name;
	char		 relay[BLOCK_NAME_MAX + 1];
	char		 name[DOMAIN_MAX + 1];
	enum destination_state state;
	unsigned	 window, running;
	unsigned	 miss_cnt;	/* NEWS_HOST in a row		*/
	int64_t		 pause_ms;	/* last pause, 0 when alive	*/
	int64_t		 next_try_ms;	/* monotonic, when down		*/

	/* Of due.c: the flows whose turn may come. */
	TAILQ_HEAD(, flow) turns;
	unsigned	 flow_cnt;

	/* Of dispatch.c. */
	TAILQ_ENTRY(destination) ready;
	bool		 is_ready;
	struct lane	*lane;
	struct dispatch	*dispatch;
	struct timer	 probe;
};

void	destination_init(struct destination *);

/* May another delivery go out now (monotonic)? */
bool	destination_may_send(const struct destination *, int64_t now_ms);

void	destination_sent(struct destination *);

/* One came back.  cap_ms is the longest pause. */
void	destination_heard(struct destination *, enum destination_news,
	    int64_t now_ms, int64_t cap_ms);

#endif
