/*
 * bell - how threads of ours tell the loop that there is something to fetch,
 * and how they wait for work themselves.
 *
 * A wake-up may be lost: a write to an eventfd may fail, and glibc's condition
 * variables have lost signals.  So a ring is remembered until the loop has
 * answered it, and the loop looks every BELL_LOOK_MS whether there is one that
 * did not get through; and no wait for work is longer than BELL_WAIT_MS.
 *
 * Owns	   an eventfd
 * Blocks  bell_wait() only
 * Errors  ERR_SYS
 */
#ifndef SYS_BELL_H
#define SYS_BELL_H

#include <pthread.h>
#include <stdatomic.h>

#include "sys/ev.h"

#define BELL_LOOK_MS	250
#define BELL_WAIT_MS	1000

struct bell;

/* In the loop: fetch all that is there, there may be nothing. */
typedef void bell_fn(struct bell *, void *arg);

struct bell {
	int		 fd;
	struct ev	 ev;
	struct timer	 look;
	atomic_bool	 is_rung;	/* and not answered yet		*/
	atomic_bool	 is_lost;	/* the last write failed	*/
	bell_fn		*fn;
	void		*arg;
};

/* In place; it must not move.  Finish it in any case, also when zeroed. */
MUST_CHECK enum err bell_init(struct bell *, struct ev_loop *, bell_fn *,
	    void *arg);
void	bell_fini(struct bell *);

/* From any thread, after what is to be fetched was put in its place. */
void	bell_ring(struct bell *);

/*
 * A condition variable for bell_wait(), which waits once, lock held, for at
 * most BELL_WAIT_MS: look again whether there is work.  False: the time is up.
 */
MUST_CHECK enum err bell_wait_init(pthread_cond_t *);
bool	bell_wait(pthread_cond_t *, pthread_mutex_t *lock);

#endif
