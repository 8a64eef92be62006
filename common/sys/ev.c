/*
 * ev.c - epoll, a heap of timers, and a list of calls for the turn's end.
 *
 * An event fetched from the kernel may belong to an object that a callback of
 * the same batch has removed, or whose memory is another object by now.  So
 * ev_fini() wipes the object's pointer from the rest of the batch.
 */
#include <sys/epoll.h>
#include <sys/signalfd.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sys/clock.h"
#include "sys/ev.h"

#define BATCH		256	/* events fetched at once		*/
#define SIGNALS_MAX	8	/* kinds of signals a program takes	*/

struct signal_row {
	int		 signo;
	signal_fn	*fn;
	void		*arg;
};

struct ev_loop {
	int		 fd;
	bool		 stopped;
	int64_t		 now_ms;

	struct epoll_event batch[BATCH];
	int		 batch_cnt, batch_pos;

	struct timer   **heap;		/* from 1; smallest due first	*/
	uint32_t	 heap_cnt, heap_cap;

	TAILQ_HEAD(later_list, later) laters;

	struct ev	 signal_ev;
	sigset_t	 signals;
	struct signal_row rows[SIGNALS_MAX];
	unsigned	 row_cnt;
};

enum err
ev_open(struct ev_loop **out)
{
	struct ev_loop *loop = calloc(1, sizeof(*loop));

	if (loop == NULL)
		return ERR_SYS;
	if ((loop->fd = epoll_create1(EPOLL_CLOEXEC)) == -1) {
		free(loop);
		return ERR_SYS;
	}
	TAILQ_INIT(&loop->laters);
	sigemptyset(&loop->signals);
	loop->now_ms = clock_mono_ms();
	*out = loop;
	return OK;
}

void
ev_close(struct ev_loop **loop)
{
	if (*loop == NULL)
		return;
	if ((*loop)->signal_ev.loop != NULL) {
		int fd = (*loop)->signal_ev.fd;

		ev_fini(&(*loop)->signal_ev);
		close(fd);
	}
	close((*loop)->fd);
	free((*loop)->heap);
	free(*loop);
	*loop = NULL;
}

int64_t
ev_now_ms(const struct ev_loop *loop)
{
	return loop->now_ms;
}

void
ev_stop(struct ev_loop *loop)
{
	loop->stopped = true;
}

/* Descriptors. */

static uint32_t
epoll_bits(unsigned want)
{
	return (want & EV_READ ? EPOLLIN | EPOLLRDHUP : 0) |
	    (want & EV_WRITE ? EPOLLOUT : 0);
}

enum err
ev_init(struct ev *ev, struct ev_loop *loop, int fd, unsigned want, ev_fn *fn,
    void *arg)
{
	struct epoll_event e = { .events = epoll_bits(want), .data.ptr = ev };

	if (epoll_ctl(loop->fd, EPOLL_CTL_ADD, fd, &e) == -1)
		return ERR_SYS;
	*ev = (struct ev){ fd, want, loop, fn, arg };
	return OK;
}

void
ev_want(struct ev *ev, unsigned want)
{
	struct epoll_event e = { .events = epoll_bits(want), .data.ptr = ev };

	if (ev->loop == NULL || ev->want == want)
		return;
	ev->want = want;
	/* Fails only for a descriptor that is not watched: our own mistake. */
	(void)epoll_ctl(ev->loop->fd, EPOLL_CTL_MOD, ev->fd, &e);
}

void
ev_fini(struct ev *ev)
{
	struct ev_loop *loop = ev->loop;

	if (loop == NULL)
		return;
	(void)epoll_ctl(loop->fd, EPOLL_CTL_DEL, ev->fd, NULL);
	for (int i = loop->batch_pos; i < loop->batch_cnt; i++)
		if (loop->batch[i].data.ptr == ev)
			loop->batch[i].data.ptr = NULL;
	ev->loop = NULL;
}

/* A hang-up is told as readable: the read that follows finds out the rest. */
static void
deliver(const struct epoll_event *e)
{
	struct ev *ev = e->data.ptr;
	unsigned what = 0;

	if (ev == NULL)
		return;
	if (e->events & (EPOLLHUP | EPOLLERR))
		what |= EV_HANGUP | EV_READ;
	if (e->events & (EPOLLIN | EPOLLRDHUP) && ev->want & EV_READ)
		what |= EV_READ;
	if (e->events & EPOLLOUT && ev->want & EV_WRITE)
		what |= EV_WRITE;
	if (what != 0)
		ev->fn(ev, what, ev->arg);
}

/* Timers: a binary heap, each knowing its place. */

static void
put(struct ev_loop *loop, uint32_t no, struct timer *t)
{
	loop->heap[no] = t;
	t->heap_no = no;
}

static void
sift_up(struct ev_loop *loop, uint32_t no, struct timer *t)
{
	while (no > 1 && loop->heap[no / 2]->due_ms > t->due_ms) {
		put(loop, no, loop->heap[no / 2]);
		no /= 2;
	}
	put(loop, no, t);
}

static void
sift_down(struct ev_loop *loop, uint32_t no, struct timer *t)
{
	for (uint32_t child; (child = no * 2) <= loop->heap_cnt; no = child) {
		if (child < loop->heap_cnt && loop->heap[child + 1]->due_ms <
		    loop->heap[child]->due_ms)
			child++;
		if (loop->heap[child]->due_ms >= t->due_ms)
			break;
		put(loop, no, loop->heap[child]);
	}
	put(loop, no, t);
}

static void
settle(struct ev_loop *loop, uint32_t no, struct timer *t)
{
	sift_up(loop, no, t);
	sift_down(loop, t->heap_no, t);
}

void
timer_init(struct timer *t, struct ev_loop *loop, timer_fn *fn, void *arg)
{
	*t = (struct timer){ 0, 0, loop, fn, arg };
}

bool
timer_running(const struct timer *t)
{
	return t->heap_no != 0;
}

/*
 * A timer that cannot be kept would hang whoever waits for it, and there is
 * nobody to tell: out of memory ends the process, which master restarts.
 */
static void
grow_heap(struct ev_loop *loop)
{
	uint32_t cap = loop->heap_cap == 0 ? 64 : loop->heap_cap * 2;
	struct timer **heap = reallocarray(loop->heap, cap + 1, sizeof(*heap));

	if (heap == NULL)
		abort();
	loop->heap = heap;
	loop->heap_cap = cap;
}

void
timer_set(struct timer *t, int64_t delay_ms)
{
	struct ev_loop *loop = t->loop;

	t->due_ms = loop->now_ms + (delay_ms > 0 ? delay_ms : 0);
	if (t->heap_no != 0) {
		settle(loop, t->heap_no, t);
		return;
	}
	if (loop->heap_cnt == loop->heap_cap)
		grow_heap(loop);
	sift_up(loop, ++loop->heap_cnt, t);
}

void
timer_stop(struct timer *t)
{
	struct ev_loop *loop = t->loop;
	uint32_t no = t->heap_no;
	struct timer *last;

	if (no == 0)
		return;
	t->heap_no = 0;
	last = loop->heap[loop->heap_cnt--];
	if (last != t)
		settle(loop, no, last);
}

/* Those due now, and not those that a callback adds for now. */
static void
run_timers(struct ev_loop *loop)
{
	uint32_t bound = loop->heap_cnt;

	while (bound-- > 0 && loop->heap_cnt > 0 &&
	    loop->heap[1]->due_ms <= loop->now_ms) {
		struct timer *t = loop->heap[1];

		timer_stop(t);
		t->fn(t, t->arg);
	}
}

/* Deferred calls. */

void
later_init(struct later *l, struct ev_loop *loop, later_fn *fn, void *arg)
{
	*l = (struct later){ .loop = loop, .fn = fn, .arg = arg };
}

void
later_call(struct later *l)
{
	if (l->queued)
		return;
	l->queued = true;
	TAILQ_INSERT_TAIL(&l->loop->laters, l, entry);
}

void
later_stop(struct later *l)
{
	if (!l->queued)
		return;
	l->queued = false;
	TAILQ_REMOVE(&l->loop->laters, l, entry);
}

/* One round: what is deferred meanwhile waits for the next turn. */
static void
run_laters(struct ev_loop *loop)
{
	struct later *last = TAILQ_LAST(&loop->laters, later_list);
	struct later mark = { .queued = true };

	if (last == NULL)
		return;
	TAILQ_INSERT_TAIL(&loop->laters, &mark, entry);
	for (struct later *l; (l = TAILQ_FIRST(&loop->laters)) != &mark;) {
		later_stop(l);
		l->fn(l, l->arg);
	}
	TAILQ_REMOVE(&loop->laters, &mark, entry);
}

/* Signals. */

static void
signal_ready(struct ev *ev, unsigned what, void *arg)
{
	struct ev_loop *loop = arg;
	struct signalfd_siginfo info;

	while (read(ev->fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		for (unsigned i = 0; i < loop->row_cnt; i++)
			if (loop->rows[i].signo == (int)info.ssi_signo)
				loop->rows[i].fn(loop->rows[i].signo,
				    loop->rows[i].arg);
}

enum err
ev_signal(struct ev_loop *loop, int signo, signal_fn *fn, void *arg)
{
	bool first = loop->signal_ev.loop == NULL;
	int fd;

	if (loop->row_cnt == SIGNALS_MAX)
		return ERR_FULL;
	sigaddset(&loop->signals, signo);
	if (sigprocmask(SIG_BLOCK, &loop->signals, NULL) == -1)
		return ERR_SYS;
	fd = signalfd(first ? -1 : loop->signal_ev.fd, &loop->signals,
	    SFD_NONBLOCK | SFD_CLOEXEC);
	if (fd == -1)
		return ERR_SYS;
	if (first && ev_init(&loop->signal_ev, loop, fd, EV_READ,
	    signal_ready, loop) != OK) {
		close(fd);
		return ERR_SYS;
	}
	loop->rows[loop->row_cnt++] = (struct signal_row){ signo, fn, arg };
	return OK;
}

/* The loop. */

static int
sleep_ms(const struct ev_loop *loop)
{
	int64_t left;

	if (!TAILQ_EMPTY(&loop->laters))
		return 0;
	if (loop->heap_cnt == 0)
		return -1;
	left = loop->heap[1]->due_ms - clock_mono_ms();
	return left <= 0 ? 0 : left > 3600000 ? 3600000 : (int)left;
}

enum err
ev_run(struct ev_loop *loop)
{
	loop->stopped = false;
	run_laters(loop);
	while (!loop->stopped) {
		int n = epoll_wait(loop->fd, loop->batch, BATCH,
		    sleep_ms(loop));

		if (n == -1 && errno != EINTR)
			return ERR_SYS;
		loop->now_ms = clock_mono_ms();
		loop->batch_cnt = n > 0 ? n : 0;
		loop->batch_pos = 0;
		while (loop->batch_pos < loop->batch_cnt)
			deliver(&loop->batch[loop->batch_pos++]);
		loop->batch_cnt = 0;
		run_timers(loop);
		run_laters(loop);
	}
	return OK;
}
