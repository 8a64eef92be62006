/*
 * launcher.c - the relay's end of the socket.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "relay/pipe/launcher_child.h"

#define BATCH	16	/* answers read in a turn */

struct launcher {
	int		 fd;
	struct ev	 ev;
	struct later	 end;
	unsigned	 run_cnt;
	uint64_t	 ended[LAUNCHER_RUNS_MAX]; /* texts, still to be said */
	unsigned	 ended_cnt;
	bool		 is_gone;
	const struct launcher_calls *calls;
	void		*arg;
};

static enum err
complain(const char *program, const char *why)
{
	struct log_line l;
	int error = errno;

	log_begin(&l, LOG_trouble);
	log_text(&l, LOG_KEY_why, why);
	log_text(&l, LOG_KEY_file, program);
	log_text(&l, LOG_KEY_reply, strerror(error));
	log_end(&l);
	errno = error;
	return ERR_SYS;
}

/* Open the program; a script is given to its interpreter by descriptor. */
static enum err
open_program(const char *path, int *out, bool *is_script)
{
	struct stat st;
	char head[2];
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	*is_script = false;
	if (fd == -1 && errno == EACCES)	/* run it one may, perhaps */
		fd = open(path, O_PATH | O_CLOEXEC);
	else if (fd != -1)
		*is_script = pread(fd, head, sizeof(head), 0) ==
		    sizeof(head) && memcmp(head, "#!", sizeof(head)) == 0;
	if (fd == -1 || fstat(fd, &st) == -1)
		return complain(path, "the program cannot be opened");
	if (!S_ISREG(st.st_mode) || (st.st_mode & 0111) == 0) {
		close(fd);
		errno = EACCES;
		return complain(path, "this is no program");
	}
	*out = fd;
	return OK;
}

static enum err
start(struct launcher **out, struct launcher_life *life, const char *name)
{
	struct launcher *l = calloc(1, sizeof(*l));
	pid_t pid = -1;
	int fds[2];

	if (l != NULL && socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0, fds) == 0) {
		if ((pid = fork()) == 0) {
			close(fds[0]);
			life->sock = fds[1];
			launcher_child(life);
		}
		close(fds[1]);
		l->fd = fds[0];
		if (pid == -1)
			close(fds[0]);
	}
	if (pid == -1) {
		free(l);
		return complain(name, "the launcher cannot be started");
	}
	*out = l;
	return OK;
}

enum err
launcher_start(struct launcher **out, const char *program,
    const struct sandbox *box)
{
	return launcher_start_as(out, program, NULL, box);
}

enum err
launcher_start_task(struct launcher **out, const struct launcher_task *task,
    const struct sandbox *box)
{
	struct launcher_life life = { .program = -1, .kept = -1, .task = task,
	    .box = *box };

	return start(out, &life, role_row(box->role)->name);
}

enum err
launcher_start_as(struct launcher **out, const char *program,
    const struct launcher_task *task, const struct sandbox *box)
{
	struct launcher_life life = { .kept = -1, .task = task, .box = *box };
	enum err e;

	if (open_program(program, &life.program, &life.is_script) != OK)
		return ERR_SYS;
	e = start(out, &life, program);
	close(life.program);
	return e;
}

/* Told once, from a place of its own. */
static void
tell_end(struct later *later, void *arg)
{
	struct launcher *l = arg;

	l->calls->gone(l->arg);
}

static void
lose(struct launcher *l)
{
	if (l->is_gone)
		return;
	l->is_gone = true;
	ev_fini(&l->ev);
	later_call(&l->end);
}

/* One that finds no room now is for the caller to say again. */
static enum err
say(struct launcher *l, const struct launcher_ask *m, const int *fds,
    unsigned fd_cnt)
{
	union {
		struct cmsghdr	 align;
		char		 bytes[CMSG_SPACE(LAUNCHER_FDS * sizeof(int))];
	} room;
	struct iovec iov = {
		(void *)(uintptr_t)m, offsetof(struct launcher_ask, args) +
		    m->len,
	};
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	struct cmsghdr *c;

	if (l->is_gone)
		return ERR_CLOSED;
	if (fd_cnt > 0) {
		memset(&room, 0, sizeof(room));
		h.msg_control = room.bytes;
		h.msg_controllen = sizeof(room.bytes);
		c = CMSG_FIRSTHDR(&h);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(fd_cnt * sizeof(int));
		memcpy(CMSG_DATA(c), fds, fd_cnt * sizeof(int));
	}
	if (sendmsg(l->fd, &h, MSG_NOSIGNAL | MSG_DONTWAIT) != -1)
		return OK;
	if (errno == EAGAIN || errno == ENOBUFS || errno == ETOOMANYREFS)
		return ERR_FULL;
	lose(l);
	return ERR_CLOSED;
}

static enum err
say_wish(struct launcher *l, enum launcher_wish wish, uint64_t no)
{
	struct launcher_ask m;

	memset(&m, 0, offsetof(struct launcher_ask, args));
	m.wish = wish;
	m.no = no;
	return say(l, &m, NULL, 0);
}

/* As many as the socket takes; the others when it takes more. */
static void
say_ended(struct launcher *l)
{
	unsigned cnt = 0;

	while (cnt < l->ended_cnt &&
	    say_wish(l, LAUNCH_END_TEXT, l->ended[cnt]) == OK)
		cnt++;
	l->ended_cnt -= cnt;
	memmove(l->ended, l->ended + cnt, l->ended_cnt * sizeof(l->ended[0]));
	if (!l->is_gone)
		ev_want(&l->ev, EV_READ | (l->ended_cnt > 0 ? EV_WRITE : 0u));
}

static void
hear(struct ev *ev, unsigned what, void *arg)
{
	struct launcher *l = arg;
	struct launcher_report m;
	ssize_t got;

	if (what & EV_WRITE)
		say_ended(l);
	for (unsigned i = 0; i < BATCH && !l->is_gone; i++) {
		got = recv(l->fd, &m, sizeof(m), MSG_DONTWAIT);
		if (got == -1 && (errno == EAGAIN || errno == EINTR))
			return;
		if (got != sizeof(m)) {
			lose(l);
			return;
		}
		if (l->run_cnt > 0)
			l->run_cnt--;
		l->calls->ended(m.no, m.status, l->arg);
	}
}

enum err
launcher_open(struct launcher *l, struct ev_loop *loop,
    const struct launcher_calls *calls, void *arg)
{
	l->calls = calls;
	l->arg = arg;
	later_init(&l->end, loop, tell_end, l);
	return ev_init(&l->ev, loop, l->fd, EV_READ, hear, l);
}

void
launcher_close(struct launcher **lp)
{
	struct launcher *l = *lp;

	*lp = NULL;
	if (l == NULL)
		return;
	ev_fini(&l->ev);
	if (l->calls != NULL)
		later_stop(&l->end);
	close(l->fd);
	free(l);
}

enum err
launcher_run(struct launcher *l, uint64_t no, const struct pipe_args *args,
    const int fds[LAUNCHER_FDS])
{
	struct launcher_ask m;
	enum err e;

	if (l->run_cnt >= LAUNCHER_RUNS_MAX)
		return ERR_FULL;
	memset(&m, 0, offsetof(struct launcher_ask, args));
	m.wish = LAUNCH_RUN;
	m.no = no;
	m.arg_cnt = args->cnt;
	m.name_cnt = args->name_cnt;
	m.len = (uint32_t)args->len;
	memcpy(m.args, args->bytes, args->len);
	e = say(l, &m, fds, LAUNCHER_FDS);
	l->run_cnt += e == OK;
	return e;
}

/* Once for each run: so there are no more of these than of runs. */
void
launcher_end_text(struct launcher *l, uint64_t no)
{
	if (l->ended_cnt < LAUNCHER_RUNS_MAX)
		l->ended[l->ended_cnt++] = no;
	say_ended(l);
}

/* One that is not heard is no loss: it is said again, or the end comes. */
void
launcher_kill(struct launcher *l, uint64_t no)
{
	(void)say_wish(l, LAUNCH_KILL, no);
}
