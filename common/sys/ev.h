/*
 * ev - the event loop: descriptors, timers, deferred calls and signals, over
 * epoll, level-triggered.  One loop, one thread.
 *
 * All objects lie in the caller's structs and are registered in place; they
 * must not move while registered.  Every callback may register, change and
 * remove any object, its own included, and may free what holds it after
 * ev_fini(): events already fetched for a removed object are not delivered.
 *
 * Owns	   the epoll descriptor; never the descriptors it watches
 * Blocks  ev_run() only, in epoll_wait()
 * Errors  ERR_SYS
 */
#ifndef SYS_EV_H
#define SYS_EV_H

#include <sys/queue.h>

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define EV_READ		0x1u	/* there is something, or the end, to read */
#define EV_WRITE	0x2u	/* there is room to write		   */
#define EV_HANGUP	0x4u	/* delivered with EV_READ, never asked for:
				 * error, or both directions are closed	   */

struct ev_loop;
struct ev;
struct timer;
struct later;

typedef void ev_fn(struct ev *, unsigned what, void *arg);
typedef void timer_fn(struct timer *, void *arg);
typedef void later_fn(struct later *, void *arg);
typedef void signal_fn(int signo, void *arg);

struct ev {
	int		 fd;
	unsigned	 want;		/* EV_READ | EV_WRITE		*/
	struct ev_loop	*loop;		/* NULL when not registered	*/
	ev_fn		*fn;
	void		*arg;
};

struct timer {
	int64_t		 due_ms;	/* monotonic			*/
	uint32_t	 heap_no;	/* place in the heap, 0 is none	*/
	struct ev_loop	*loop;
	timer_fn	*fn;
	void		*arg;
};

struct later {
	TAILQ_ENTRY(later) entry;
	bool		 queued;
	struct ev_loop	*loop;
	later_fn	*fn;
	void		*arg;
};

MUST_CHECK enum err ev_open(struct ev_loop **out);
void	ev_close(struct ev_loop **);

/* Run until ev_stop(); returns after the turn in which it was called. */
MUST_CHECK enum err ev_run(struct ev_loop *);
void	ev_stop(struct ev_loop *);

/* Monotonic time as of the start of this turn: free to ask. */
int64_t	ev_now_ms(const struct ev_loop *);

/* Watch fd (borrowed) for `want`, which may be 0. */
MUST_CHECK enum err ev_init(struct ev *, struct ev_loop *, int fd,
	    unsigned want, ev_fn *, void *arg);
/* Change what is wanted; costs a system call only when it changes. */
void	ev_want(struct ev *, unsigned want);
/* Stop watching.  Allowed on a zeroed or finished struct.  fd stays open. */
void	ev_fini(struct ev *);

/* A timer, not running.  timer_set() starts it anew, delay from now. */
void	timer_init(struct timer *, struct ev_loop *, timer_fn *, void *arg);
void	timer_set(struct timer *, int64_t delay_ms);
void	timer_stop(struct timer *);	/* allowed on a zeroed one */
bool	timer_running(const struct timer *);

/* A call at the end of this turn, before the loop sleeps; once a later_call. */
void	later_init(struct later *, struct ev_loop *, later_fn *, void *arg);
void	later_call(struct later *);
void	later_stop(struct later *);

/* Take a signal in the loop; it is blocked otherwise.  Before any thread. */
MUST_CHECK enum err ev_signal(struct ev_loop *, int signo, signal_fn *,
	    void *arg);

#endif
