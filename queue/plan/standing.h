/*
 * standing - is it there?  Of a destination by itself (its names cannot be
 * looked up, or nobody knows its host), and of a host, for all destinations
 * behind it.
 *
 * What cannot be reached is down: after a pause it is probed with a single
 * delivery, and the pause doubles with every failure.  What is said in the log
 * about one that is down is summed up: its first failures each, and then one
 * line in STANDING_TELL_MS.
 *
 * All times are monotonic.
 */
#ifndef QUEUE_STANDING_H
#define QUEUE_STANDING_H

#include <stdbool.h>
#include <stdint.h>

#define STANDING_TELL_MS	(15 * 60000)
#define STANDING_TELL_FIRST	2	/* failures, with the one that
					 * took it down			*/

enum standing_state {
	STANDING_UP,
	STANDING_DOWN,		/* nothing is sent until next_try_ms	*/
	STANDING_PROBING,	/* one delivery is on its way to find out */
};

struct standing {		/* zeros: up				*/
	enum standing_state state;
	unsigned	 miss_cnt;	/* failures in a row that may be
					 * one connection's only	*/
	unsigned	 fall_cnt;	/* probes that failed in a row	*/
	int64_t		 pause_ms;	/* the last, 0 when up		*/
	int64_t		 next_try_ms;	/* when down			*/
	int64_t		 down_ms;	/* since then; 0: it is up	*/
	int64_t		 logged_ms;	/* last line about it, 0: none	*/
	uint32_t	 unlogged_cnt;	/* failures since		*/
};

/* May a delivery go there now? */
bool	standing_may_send(const struct standing *, int64_t now_ms);

void	standing_sent(struct standing *);

/* It has answered. */
void	standing_rise(struct standing *);

/* It has not.  cap_ms is the longest pause. */
void	standing_fall(struct standing *, int64_t now_ms, int64_t cap_ms);

/* It broke off, which a single connection may do; the third in a row counts. */
void	standing_miss(struct standing *, int64_t now_ms, int64_t cap_ms);

/* What was sent told nothing: the next probe may go at once. */
void	standing_pass(struct standing *);

/* It is down, and the probe came not even so far: no other for a while. */
void	standing_wait(struct standing *, int64_t now_ms);

/*
 * It was down and has failed again: shall a line say so?  *cnt is how many
 * were left out before it.
 */
bool	standing_tells(struct standing *, int64_t now_ms, uint32_t *cnt);

#endif
