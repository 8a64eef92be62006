/*
 * places - how many connections there are to one host at the same time, over
 * all workers of a relay, those of an earlier configuration included.
 *
 * A host is a set of addresses and a port, whatever names lead to it: what
 * refuses us, or slows down, when there are too many of us is what answers
 * there.  One that is full is waited for.
 *
 * A connection takes a place before it is dialled and has it until it is
 * closed.  Places are marks (sys/marks.h) of a file that master gives to all
 * workers of the block: a worker that dies has none any more.
 *
 * Who finds none waits, in the order of coming: a worker has one number in the
 * line of a host, and those of its connections that wait there have theirs
 * behind it.  Nobody is called; who waits looks again, often at first.  Who has
 * a place sees within PLACES_LOOK_MS that somebody waits: a connection without
 * work gives it up at once, else one of them after the mail it is at, but none
 * before it had its place for PLACES_TURN_MS, and one in that time.
 *
 * Workers of one relay believe each other: one that is taken over can keep all
 * places, and stops its own relay alone.
 *
 * Owns	   the hosts that somebody has a place of or waits for; never a place
 * Blocks  never
 */
#ifndef RELAY_PLACES_H
#define RELAY_PLACES_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "ask/resolve.h"
#include "base/err.h"
#include "sys/ev.h"

#define PLACES_LOOK_MS	200
#define PLACES_TURN_MS	1000

struct places;
struct place_host;
struct place;

typedef void place_fn(struct place *, void *arg);

/* Zeroed but for the calls it is none; it must not move while it is one. */
struct place {
	TAILQ_ENTRY(place) entry;
	struct place_host *host;	/* NULL: has none, wants none	*/
	bool		 is_held;	/* else it waits		*/
	bool		 is_idle;	/* see place_rest()		*/
	bool		 must_go;	/* see place_must_go()		*/
	unsigned	 no;
	int64_t		 since_ms;
	place_fn	*given;		/* after a wait; it may be left here */
	void		*given_arg;
	place_fn	*wanted;	/* it is idle, and must go; or NULL */
	void		*wanted_arg;
	const void	*who;		/* those of the same do not make room
					 * for each other		*/
};

/*
 * limit: places of a host.  fd: the marks, borrowed, or -1: the limit is this
 * process's alone.  worker of workers: where to begin looking.
 */
MUST_CHECK enum err places_open(struct places **out, struct ev_loop *, int fd,
	    unsigned limit, unsigned worker, unsigned workers);
void	places_close(struct places **);

/*
 * The number of a host, by its addresses: mx_number.h; all workers have the
 * same for it.  Where places is NULL it is 0.
 */
uint64_t places_number(const struct places *, const struct resolve_found *,
	    const char *host, uint16_t port);

/*
 * Take one, or keep the one of this host; one of another host is left first.
 * ERR_AGAIN: given() will be called, not before this returns.  ERR_SYS: out of
 * memory.  Where places is NULL there is no limit.
 */
MUST_CHECK enum err place_take(struct place *, struct places *,
	    uint64_t number);
/* Have or want it no more; allowed on one that is none. */
void	place_leave(struct place *);

bool	place_waits(const struct place *);

/* Others wait for it, and have waited long enough: finish and leave it. */
bool	place_must_go(const struct place *);

/*
 * Without work, or with some again.  True: others wait for it, leave it now.
 * Later wanted() says so.
 */
bool	place_rest(struct place *, bool is_idle);

#endif
