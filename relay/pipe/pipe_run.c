/*
 * pipe_run.c - three pipes.  Without CRLF, the CR of each line's end is left
 * out by writing the runs between them; one at the end of a piece waits for
 * what follows.
 *
 * A program need not read what it is given.  After it has ended, a child of
 * its own may still hold the pipes: it is given WORDS_MS, no more.
 */
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "relay/pipe/pipe_run.h"

#define RUNS		64	/* given to one write			*/
#define WORDS_MS	1000	/* for words still in the pipe		*/

static void	feed(struct pipe_run *);

static void
close_words(struct pipe_words *w)
{
	ev_fini(&w->ev);
	if (w->fd != -1)
		close(w->fd);
	w->fd = -1;
}

/* No more text; but the program does not see an end of it yet. */
static void
hold_in(struct pipe_run *r)
{
	ev_fini(&r->in_ev);
	if (r->delivery != NULL)
		r->delivery->on_text = NULL;
}

static void
close_in(struct pipe_run *r)
{
	hold_in(r);
	if (r->in != -1)
		close(r->in);
	r->in = -1;
}

static void
finish(struct pipe_run *r)
{
	close_in(r);
	close_words(&r->out);
	close_words(&r->err);
	timer_stop(&r->timer);
	r->is_busy = false;
	r->delivery = NULL;
	r->ended(r, r->end, r->status, r->arg);
}

static void
look(struct pipe_run *r)
{
	if (r->is_dead && r->out.fd == -1 && r->err.fd == -1)
		finish(r);
}

/* Killed before its text ends, or it would take a part for the whole. */
static void
stop(struct pipe_run *r, enum pipe_end why)
{
	hold_in(r);
	r->end = why;
	launcher_kill(r->launcher, r->no);
	timer_set(&r->timer, WORDS_MS);		/* should it be lost */
}

static void
late(struct timer *t, void *arg)
{
	struct pipe_run *r = arg;

	if (r->is_dead)
		finish(r);
	else if (r->end == PIPE_ENDED)
		stop(r, PIPE_TIMED_OUT);
	else
		stop(r, r->end);
}

/* Its words. */

static void
take_words(struct ev *ev, unsigned what, void *arg)
{
	struct pipe_words *w = arg;
	char unwanted[PIPE_OUTPUT_MAX];
	size_t room = sizeof(w->bytes) - w->len;
	ssize_t got = room > 0 ? read(w->fd, w->bytes + w->len, room) :
	    read(w->fd, unwanted, sizeof(unwanted));

	if (got == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got > 0) {
		w->len += room > 0 ? (size_t)got : 0;
		return;
	}
	close_words(w);
	look(w->run);
}

/* The text. */

struct runs {
	struct iovec	 iov[RUNS];
	int		 cnt;
	size_t		 used;		/* bytes of the piece they stand for */
	size_t		 starts[RUNS];	/* where in the piece each begins */
	bool		 has_cr;	/* a CR at the piece's end is held */
};

static void
add_run(struct runs *out, const char *p, size_t len, size_t start)
{
	out->iov[out->cnt] = (struct iovec){ (void *)(uintptr_t)p, len };
	out->starts[out->cnt++] = start;
}

/* The runs of s, without each CR that has its LF behind it. */
static void
make_runs(struct runs *out, struct span s, bool keeps_crlf, bool has_cr)
{
	size_t at = 0, run, skip;

	memset(out, 0, sizeof(*out));
	if (has_cr && s.ptr[0] != '\n')
		add_run(out, "\r", 1, 0);
	while (at < s.len && out->cnt < RUNS) {
		struct span rest = span_tail(s, at);

		run = keeps_crlf ? rest.len : span_find(rest, '\r');
		skip = run < rest.len ? 1 : 0;
		if (skip > 0 && run + 1 < rest.len &&
		    rest.ptr[run + 1] != '\n') {
			run++;			/* a CR of its own stays */
			skip = 0;
		}
		if (run > 0)
			add_run(out, rest.ptr, run, at);
		at += run + skip;
	}
	out->used = at;
	out->has_cr = !keeps_crlf && at == s.len && s.ptr[s.len - 1] == '\r';
}

/* How far into the piece the bytes that were written reach. */
static size_t
reach(struct runs *runs, size_t put)
{
	for (int i = 0; i < runs->cnt; i++) {
		if (put < runs->iov[i].iov_len)
			return runs->starts[i] + put;
		put -= runs->iov[i].iov_len;
	}
	return runs->used;
}

/* Write of s, the rest of a piece; *done bytes of it are done with. */
static enum err
write_some(struct pipe_run *r, struct span s, size_t *done)
{
	struct runs runs;
	ssize_t put = 0;

	make_runs(&runs, s, r->keeps_crlf, r->has_cr);
	if (runs.cnt > 0)
		put = writev(r->in, runs.iov, runs.cnt);
	*done = 0;
	if (put == -1)
		return errno == EAGAIN || errno == EINTR ? ERR_AGAIN :
		    ERR_CLOSED;
	*done = reach(&runs, (size_t)put);
	if (*done > 0 || put > 0)
		r->has_cr = *done == s.len && runs.has_cr;
	return *done == runs.used ? OK : ERR_AGAIN;
}

/* The end of the text: a CR held back was the last byte of it. */
static void
end_text(struct pipe_run *r)
{
	if (r->has_cr)
		(void)!write(r->in, "\r", 1);
	close_in(r);
	launcher_end_text(r->launcher, r->no);
}

static void
text_came(struct delivery *d, void *arg)
{
	feed(arg);
}

static void
feed(struct pipe_run *r)
{
	struct span piece;
	enum err e = OK;
	size_t done;

	while (e == OK) {
		e = delivery_text(r->delivery, 0, &piece);
		if (e != OK)
			break;
		if (r->pos == piece.len) {
			r->pos = 0;
			delivery_drop(r->delivery, 1);
			continue;
		}
		e = write_some(r, span_tail(piece, r->pos), &done);
		r->pos += done;
		if (e == ERR_AGAIN) {
			ev_want(&r->in_ev, EV_WRITE);
			return;
		}
		if (e == ERR_CLOSED) {		/* it reads no more */
			close_in(r);
			return;
		}
	}
	if (e == ERR_AGAIN)
		ev_want(&r->in_ev, 0);
	else if (e == ERR_NONE)
		end_text(r);
	else
		stop(r, PIPE_TEXT_LOST);
}

static void
can_write(struct ev *ev, unsigned what, void *arg)
{
	struct pipe_run *r = arg;

	if (what & EV_HANGUP)
		close_in(r);
	else
		feed(r);
}

/* Its life. */

void
pipe_run_init(struct pipe_run *r, struct ev_loop *loop,
    struct launcher *launcher, bool keeps_crlf, pipe_run_fn *ended, void *arg)
{
	memset(r, 0, sizeof(*r));
	r->loop = loop;
	r->launcher = launcher;
	r->keeps_crlf = keeps_crlf;
	r->ended = ended;
	r->arg = arg;
	r->in = r->out.fd = r->err.fd = -1;
	r->out.run = r->err.run = r;
	timer_init(&r->timer, loop, late, r);
}

/* A pipe of which end `ours' does not block, nor outlive us. */
static bool
open_pipe(int fds[2], int ours)
{
	if (pipe2(fds, O_CLOEXEC) == 0) {
		if (fcntl(fds[ours], F_SETFL, O_NONBLOCK) == 0)
			return true;
		close(fds[0]);
		close(fds[1]);
	}
	fds[0] = fds[1] = -1;
	return false;
}

static bool
watch(struct pipe_run *r)
{
	return ev_init(&r->in_ev, r->loop, r->in, EV_WRITE, can_write,
	    r) == OK &&
	    ev_init(&r->out.ev, r->loop, r->out.fd, EV_READ, take_words,
	    &r->out) == OK &&
	    ev_init(&r->err.ev, r->loop, r->err.fd, EV_READ, take_words,
	    &r->err) == OK;
}

enum err
pipe_run_begin(struct pipe_run *r, uint64_t no, struct delivery *d,
    const struct pipe_args *args, int64_t timeout_ms)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, err[2] = { -1, -1 };
	enum err e = ERR_SYS;

	if (open_pipe(in, 1) && open_pipe(out, 0) && open_pipe(err, 0)) {
		const int theirs[LAUNCHER_FDS] = {
			in[0], out[1], err[1], in[1],
		};

		r->in = in[1];
		r->out.fd = out[0];
		r->err.fd = err[0];
		r->out.len = r->err.len = r->pos = 0;
		r->has_cr = r->is_dead = false;
		r->end = PIPE_ENDED;
		r->no = no;
		r->delivery = d;
		if (watch(r))
			e = launcher_run(r->launcher, no, args, theirs);
	} else {
		for (unsigned i = 0; i < 2; i++) {
			if (in[i] != -1)
				close(in[i]);
			if (out[i] != -1)
				close(out[i]);
			if (err[i] != -1)
				close(err[i]);
		}
		return ERR_SYS;
	}
	close(in[0]);
	close(out[1]);
	close(err[1]);
	if (e != OK) {
		close_in(r);
		close_words(&r->out);
		close_words(&r->err);
		r->delivery = NULL;
		return e;
	}
	r->is_busy = true;
	d->on_text = text_came;
	d->on_text_arg = r;
	timer_set(&r->timer, timeout_ms);
	return OK;
}

void
pipe_run_died(struct pipe_run *r, int status)
{
	close_in(r);
	r->is_dead = true;
	r->status = status;
	timer_set(&r->timer, WORDS_MS);
	look(r);
}
