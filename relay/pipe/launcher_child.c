/*
 * launcher_child.c - waits for requests and for deaths, and for nothing else.
 *
 * A leader that has died is left a zombie until its group has been killed, so
 * that its number cannot have become somebody else's meanwhile.
 *
 * The relay's death is told by the socket, and not by a signal: it would kill
 * us before we have killed what runs, and close the inputs that we hold open.
 */
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "relay/pipe/launcher_program.h"
#include "sys/seccomp.h"

#define ASKED_MAX	5	/* times a task is asked to end, then killed */

struct run {
	pid_t		 pid;		/* 0: free			*/
	uint64_t	 no;
	int		 text;		/* where its input is written, or -1 */
	int		 sure;		/* where a task hears that this was all,
					 * or -1			*/
	unsigned	 asked;		/* times to end			*/
};

struct nest {
	int		 signals;	/* a signalfd for SIGCHLD	*/
	const struct launcher_life *life;
	struct launcher_note *notes;	/* of each run, by its child	*/
	struct run	 runs[LAUNCHER_RUNS_MAX];
	struct launcher_user user;
};

/* Who we are going to be, looked up while files can still be opened. */
static void
name_user(struct nest *n, uid_t uid)
{
	const struct passwd *pw = getpwuid(uid);

	(void)strlcpy(n->user.home, pw == NULL ? "/" : pw->pw_dir,
	    sizeof(n->user.home));
	(void)strlcpy(n->user.name, pw == NULL ? "" : pw->pw_name,
	    sizeof(n->user.name));
}

static struct launcher_note *
note_of(const struct nest *n, const struct run *r)
{
	return &n->notes[r - n->runs];
}

/*
 * What has become somebody is his to signal, by a child that is him as far as
 * that goes, and whom he cannot signal: so it is waited for.
 */
static void
signal_as(uint32_t uid, pid_t group, int signo)
{
	pid_t pid = uid == 0 ? -1 : fork();

	if (pid == 0) {
		if (setresuid((uid_t)-1, uid, (uid_t)-1) == 0)
			(void)kill(-group, signo);
		_exit(0);
	}
	if (pid != -1)
		while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
			continue;
}

static void
signal_run(struct nest *n, const struct run *r, int signo)
{
	if (kill(-r->pid, signo) == -1 && errno == EPERM &&
	    n->life->task != NULL)
		signal_as(note_of(n, r)->uid, r->pid, signo);
}

static void
end_run(struct nest *n, struct run *r)
{
	bool may_undo = n->life->program == -1 && r->asked++ < ASKED_MAX;

	signal_run(n, r, may_undo ? SIGTERM : SIGKILL);
}

/* The relay is gone: nothing of ours outlives it. */
__attribute__((noreturn))
static void
leave(struct nest *n)
{
	for (unsigned i = 0; i < LAUNCHER_RUNS_MAX; i++)
		if (n->runs[i].pid != 0)
			end_run(n, &n->runs[i]);
	_exit(0);
}

static void
tell(struct nest *n, uint64_t no, int status)
{
	struct launcher_report m = { .no = no, .status = status };

	/* The socket has room for all answers there can be. */
	if (send(SOCK_FD, &m, sizeof(m), MSG_NOSIGNAL) == -1)
		leave(n);
}

static struct run *
find_run(struct nest *n, pid_t pid)
{
	for (unsigned i = 0; i < LAUNCHER_RUNS_MAX; i++)
		if (n->runs[i].pid == pid)
			return &n->runs[i];
	return NULL;
}

static void
close_fd(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

static void
run(struct nest *n, struct launcher_ask *m, int fds[LAUNCHER_FDS])
{
	struct run *r = find_run(n, 0);
	int sure[2] = { -1, -1 };
	pid_t pid = -1;

	if (r != NULL && (n->life->program != -1 ||
	    pipe2(sure, O_CLOEXEC) == 0)) {
		*note_of(n, r) = (struct launcher_note){
		    .why = LAUNCHER_NOT_RUN };
		if ((pid = fork()) == 0)
			launcher_program(n->life, m, fds, sure[0], &n->user,
			    note_of(n, r));
	}
	close_fd(&sure[0]);
	if (pid == -1) {
		close_fd(&sure[1]);
		tell(n, m->no, LAUNCHER_NOT_RUN);
		return;
	}
	(void)setpgid(pid, pid);	/* whoever of the two comes first */
	*r = (struct run){ .pid = pid, .no = m->no, .text = fds[3],
	    .sure = sure[1] };
	fds[3] = -1;
}

/* No more of it comes; is_whole: and that was all. */
static void
end_text(struct run *r, bool is_whole)
{
	if (is_whole && r->sure != -1)
		(void)!write(r->sure, "", 1);
	close_fd(&r->sure);
	close_fd(&r->text);
}

/* To one that is over already: it crossed with its end. */
static void
do_to_run(struct nest *n, enum launcher_wish wish, uint64_t no)
{
	for (unsigned i = 0; i < LAUNCHER_RUNS_MAX; i++) {
		struct run *r = &n->runs[i];

		if (r->pid == 0 || r->no != no)
			continue;
		if (wish == LAUNCH_KILL)
			end_run(n, r);
		else
			end_text(r, true);
	}
}

/* Requests. */

static bool
is_good(const struct launcher_ask *m, size_t got, unsigned fd_cnt)
{
	uint32_t ends = 0;

	if (got < offsetof(struct launcher_ask, args) ||
	    m->len > PIPE_ARGS_BYTES ||
	    got != offsetof(struct launcher_ask, args) + m->len)
		return false;
	if (m->wish == LAUNCH_KILL || m->wish == LAUNCH_END_TEXT)
		return fd_cnt == 0 && m->len == 0;
	for (uint32_t i = 0; i < m->len; i++)
		ends += m->args[i] == '\0';
	return m->wish == LAUNCH_RUN && fd_cnt == LAUNCHER_FDS &&
	    m->arg_cnt > 0 && m->arg_cnt <= PROGRAM_ARGS_MAX &&
	    m->name_cnt <= m->arg_cnt &&
	    ends == m->arg_cnt && m->args[m->len - 1] == '\0';
}

static unsigned
take_fds(struct msghdr *h, int fds[LAUNCHER_FDS])
{
	struct cmsghdr *c = CMSG_FIRSTHDR(h);
	size_t cnt = 0;

	if (c != NULL && c->cmsg_level == SOL_SOCKET &&
	    c->cmsg_type == SCM_RIGHTS)
		cnt = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
	if (cnt > LAUNCHER_FDS)		/* there is no room for more */
		cnt = LAUNCHER_FDS;
	if (cnt > 0)
		memcpy(fds, CMSG_DATA(c), cnt * sizeof(int));
	return (unsigned)cnt;
}

/* Not the relay's log, nor a file or socket of somebody else. */
static bool
are_pipes(const int *fds, unsigned cnt)
{
	struct stat st;

	for (unsigned i = 0; i < cnt; i++)
		if (fstat(fds[i], &st) == -1 || !S_ISFIFO(st.st_mode))
			return false;
	return true;
}

static void
take_request(struct nest *n)
{
	static struct launcher_ask m;
	union {
		struct cmsghdr	 align;
		char		 bytes[CMSG_SPACE(LAUNCHER_FDS * sizeof(int))];
	} room;
	struct iovec iov = { &m, sizeof(m) };
	struct msghdr h = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = room.bytes,
		.msg_controllen = sizeof(room.bytes),
	};
	ssize_t got = recvmsg(SOCK_FD, &h, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
	unsigned fd_cnt;
	int fds[LAUNCHER_FDS];

	if (got == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0)
		leave(n);
	fd_cnt = take_fds(&h, fds);
	if ((h.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ||
	    !is_good(&m, (size_t)got, fd_cnt) || !are_pipes(fds, fd_cnt))
		leave(n);
	if (m.wish == LAUNCH_RUN)
		run(n, &m, fds);
	else
		do_to_run(n, m.wish, m.no);
	for (unsigned i = 0; i < fd_cnt; i++)
		if (fds[i] != -1)
			close(fds[i]);
}

/* Deaths. */

static void
collect(struct nest *n)
{
	struct signalfd_siginfo unused;
	siginfo_t si;
	struct run *r;
	int status;

	while (read(n->signals, &unused, sizeof(unused)) > 0)
		continue;
	for (;;) {
		memset(&si, 0, sizeof(si));
		if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) == -1 ||
		    si.si_pid == 0)
			return;
		if ((r = find_run(n, si.si_pid)) != NULL &&
		    n->life->program != -1)
			signal_run(n, r, SIGKILL);
		if (waitpid(si.si_pid, &status, 0) != si.si_pid)
			return;
		if (r == NULL)
			continue;
		if (note_of(n, r)->why != 0)
			status = note_of(n, r)->why;
		r->pid = 0;
		end_text(r, false);
		tell(n, r->no, status);
	}
}

/* Out of the way of the numbers that they are to have. */
static bool
lift(int fds[3])
{
	for (int i = 0; i < 3; i++)
		if (fds[i] != -1 &&
		    (fds[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 20)) == -1)
			return false;
	return true;
}

/*
 * Descriptors 3 to 5 are ours, all beyond belongs to the relay, and so does
 * the log: whoever may open files would do as he likes with one.
 */
static bool
keep_only(const struct launcher_life *life)
{
	int fds[3] = { life->sock, life->kept, life->program };

	if (seccomp_is_on() &&		/* a sanitizer's report needs it */
	    dup2(STDIN_FILENO, STDERR_FILENO) == -1)
		return false;
	if (!lift(fds))
		return false;
	for (int i = 0; i < 3; i++)
		if (fds[i] == -1)
			(void)close(SOCK_FD + i);
		else if (dup3(fds[i], SOCK_FD + i, O_CLOEXEC) == -1)
			return false;
	if (fcntl(SOCK_FD, F_SETFL, 0) == -1)	/* answers may wait */
		return false;
	return close_range(PROGRAM_FD + 1, ~0u, 0) == 0;
}

static bool
take_signals(struct nest *n)
{
	struct sigaction sa = { .sa_handler = SIG_DFL };
	sigset_t mask;

	for (int i = 1; i < NSIG; i++)
		(void)sigaction(i, &sa, NULL);	/* some cannot be changed */
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	sigaddset(&mask, SIGINT);	/* the end is the relay's to decide */
	sigaddset(&mask, SIGHUP);
	sigaddset(&mask, SIGTERM);
	if (sigprocmask(SIG_SETMASK, &mask, NULL) == -1)
		return false;
	sigemptyset(&mask);
	sigaddset(&mask, SIGCHLD);
	n->signals = signalfd(-1, &mask, SFD_CLOEXEC | SFD_NONBLOCK);
	return n->signals != -1;
}

/* Its user is ours and the relay's: that alone would let a program end us. */
static bool
spare_ourselves(pid_t relay)
{
	const int pids[] = { relay, getpid() };

	return !seccomp_is_on() || seccomp_spare(pids, 2) == OK;
}

/* One that runs programs. */
static bool
settle(struct nest *n)
{
	const struct sandbox *box = &n->life->box;
	pid_t relay = getppid();

	name_user(n, geteuid() == 0 ? box->uid : geteuid());
	if (sandbox_enter(box) != OK || !spare_ourselves(relay) ||
	    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1)
		return false;
	return (n->life->task == NULL && chdir(n->user.home) == 0) ||
	    chdir("/") == 0;
}

/* One that does a task. */
static bool
settle_task(struct nest *n)
{
	return chdir("/") == 0 && sandbox_enter(&n->life->box) == OK;
}

static bool
share_notes(struct nest *n)
{
	void *at = mmap(NULL, LAUNCHER_RUNS_MAX * sizeof(*n->notes),
	    PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	n->notes = at;
	return at != MAP_FAILED;
}

void
launcher_child(struct launcher_life *life)
{
	static struct nest n;
	struct pollfd p[2];

	n.life = life;
	(void)setpgid(0, 0);
	(void)prctl(PR_SET_NAME, "postern-launch");
	if (!share_notes(&n) || (life->task != NULL &&
	    life->task->begin(&life->kept, &life->box) != OK) ||
	    !(life->program != -1 ? settle(&n) : settle_task(&n)) ||
	    !keep_only(life) || !take_signals(&n))
		_exit(1);
	(void)umask(077);
	p[0] = (struct pollfd){ .fd = SOCK_FD, .events = POLLIN };
	p[1] = (struct pollfd){ .fd = n.signals, .events = POLLIN };
	for (;;) {
		if (poll(p, 2, -1) == -1 && errno != EINTR)
			_exit(1);
		if (p[1].revents != 0)
			collect(&n);
		if (p[0].revents != 0)
			take_request(&n);
		p[0].revents = p[1].revents = 0;
	}
}
