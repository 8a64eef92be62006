/*
 * bell.c - is_rung spares the writes while the loop has not come yet.  It is
 * taken down before the call, so that what is put there during the call rings
 * anew.
 */
#include <sys/eventfd.h>

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sys/bell.h"

static void
answer(struct bell *b)
{
	if (atomic_exchange(&b->is_rung, false))
		b->fn(b, b->arg);
}

static void
on_rung(struct ev *ev, unsigned what, void *arg)
{
	struct bell *b = arg;
	uint64_t times;

	if (read(b->fd, &times, sizeof(times)) == -1 && errno != EAGAIN)
		ev_want(&b->ev, 0);	/* of no use; we still look */
	answer(b);
}

static void
look(struct timer *t, void *arg)
{
	struct bell *b = arg;

	timer_set(t, BELL_LOOK_MS);
	answer(b);
}

enum err
bell_init(struct bell *b, struct ev_loop *loop, bell_fn *fn, void *arg)
{
	memset(b, 0, sizeof(*b));
	atomic_init(&b->is_rung, false);
	atomic_init(&b->is_lost, false);
	b->fn = fn;
	b->arg = arg;
	timer_init(&b->look, loop, look, b);
	if ((b->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) == -1) {
		b->fd = 0;
		return ERR_SYS;
	}
	if (ev_init(&b->ev, loop, b->fd, EV_READ, on_rung, b) != OK) {
		bell_fini(b);
		return ERR_SYS;
	}
	timer_set(&b->look, BELL_LOOK_MS);
	return OK;
}

void
bell_fini(struct bell *b)
{
	ev_fini(&b->ev);
	timer_stop(&b->look);
	if (b->fd > 0)
		close(b->fd);
	b->fd = 0;
}

void
bell_ring(struct bell *b)
{
	const uint64_t one = 1;

	if (atomic_exchange(&b->is_rung, true) && !atomic_load(&b->is_lost))
		return;
	atomic_store(&b->is_lost, write(b->fd, &one, sizeof(one)) == -1);
}

enum err
bell_wait_init(pthread_cond_t *c)
{
	pthread_condattr_t attr;
	int rc;

	if (pthread_condattr_init(&attr) != 0)
		return ERR_SYS;
	rc = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	if (rc == 0)
		rc = pthread_cond_init(c, &attr);
	pthread_condattr_destroy(&attr);
	return rc == 0 ? OK : ERR_SYS;
}

bool
bell_wait(pthread_cond_t *c, pthread_mutex_t *lock)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += BELL_WAIT_MS / 1000;
	return pthread_cond_timedwait(c, lock, &until) != ETIMEDOUT;
}
