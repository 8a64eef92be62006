/*
 * launcher_child.c - waits for requests and for deaths, and for nothing else.
 *
 * A leader that has died is left a zombie until its group has been killed, so
 * that its number cannot have become somebody else's meanwhile.
 *
 * The relay's death is told by the socket, and not by a signal: it would kill
 * us before we have killed what runs, and close the inputs that we hold open.
 */
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
#include "relay/pipe/launcher_child.h"
#include "sys/seccomp.h"

#define NAME_LEN	256	/* bytes of a variable's value with NUL	*/
#define SOCK_FD		3	/* where they lie once all else is closed */
#define PROGRAM_FD	4

struct run {
	pid_t		 pid;		/* 0: free			*/
	uint64_t	 no;
	int		 text;		/* where its input is written, or -1 */
};

struct nest {
	int		 signals;	/* a signalfd for SIGCHLD	*/
	bool		 is_script;
	struct run	 runs[LAUNCHER_RUNS_MAX];
	char		 home[NAME_LEN + 8], user[NAME_LEN + 8],
			 logname[NAME_LEN + 8];
	char		*env[8];
};

/* Who we are going to be, looked up while files can still be opened. */
static void
name_user(struct nest *n, uid_t uid)
{
	static char path[] = "PATH=/usr/local/bin:/usr/bin:/bin";
	static char shell[] = "SHELL=/bin/sh";
	const struct passwd *pw = getpwuid(uid);

	snprintf(n->home, sizeof(n->home), "HOME=%s",
	    pw == NULL ? "/" : pw->pw_dir);
	snprintf(n->user, sizeof(n->user), "USER=%s",
	    pw == NULL ? "" : pw->pw_name);
	snprintf(n->logname, sizeof(n->logname), "LOGNAME=%s",
	    pw == NULL ? "" : pw->pw_name);
	n->env[0] = path;
	n->env[1] = shell;
	n->env[2] = n->home;
	if (pw != NULL) {
		n->env[3] = n->user;
		n->env[4] = n->logname;
	}
}

/* A program. */

static void
say_why(const char *what)
{
	char line[160];
	int len = snprintf(line, sizeof(line), "%s: %s\n", what,
	    strerror(errno));

	(void)!write(STDERR_FILENO, line, (size_t)len);
}

/* In the child that is to become the program. */
__attribute__((noreturn))
static void
become(const struct nest *n, struct launcher_ask *m, const int fds[3])
{
	char *argv[PROGRAM_ARGS_MAX + 1];
	char *at = m->args;
	sigset_t none;

	sigemptyset(&none);
	(void)setpgid(0, 0);
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	for (uint32_t i = 0; i < m->arg_cnt; i++) {
		argv[i] = at;
		at += strlen(at) + 1;
	}
	argv[m->arg_cnt] = NULL;
	for (int i = 0; i < 3; i++)
		if (dup2(fds[i], i) == -1)
			_exit(LAUNCHER_NO_EXEC);
	/* A script's interpreter opens it by this descriptor. */
	if (sigprocmask(SIG_SETMASK, &none, NULL) == 0 &&
	    fcntl(PROGRAM_FD, F_SETFD, n->is_script ? 0 : FD_CLOEXEC) == 0)
		fexecve(PROGRAM_FD, argv, n->env);
	say_why("cannot be run");
	_exit(LAUNCHER_NO_EXEC);
}

/* The relay is gone: nothing of ours outlives it. */
__attribute__((noreturn))
static void
leave(struct nest *n)
{
	for (unsigned i = 0; i < LAUNCHER_RUNS_MAX; i++)
		if (n->runs[i].pid != 0)
			(void)kill(-n->runs[i].pid, SIGKILL);
	_exit(0);
}

static void
tell(struct nest *n, uint64_t no, int status)
{
	struct launcher_told m = { .no = no, .status = status };

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
run(struct nest *n, struct launcher_ask *m, int fds[LAUNCHER_FDS])
{
	struct run *r = find_run(n, 0);
	pid_t pid = -1;

	if (r != NULL && (pid = fork()) == 0)
		become(n, m, fds);
	if (pid == -1) {
		tell(n, m->no, LAUNCHER_NOT_RUN);
		return;
	}
	(void)setpgid(pid, pid);	/* whoever of the two comes first */
	r->pid = pid;
	r->no = m->no;
	r->text = fds[3];
	fds[3] = -1;
}

static void
end_text(struct run *r)
{
	if (r->text != -1)
		close(r->text);
	r->text = -1;
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
			(void)kill(-r->pid, SIGKILL);
		else
			end_text(r);
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
		if ((r = find_run(n, si.si_pid)) != NULL)
			(void)kill(-r->pid, SIGKILL);
		if (waitpid(si.si_pid, &status, 0) != si.si_pid)
			return;
		if (r == NULL)
			continue;
		r->pid = 0;
		end_text(r);
		tell(n, r->no, status);
	}
}

/*
 * Descriptors 3 and 4 are ours, all beyond belongs to the relay, and so does
 * the log: whoever may open files would do as he likes with one.
 */
static bool
keep_only(int *sock, int *program)
{
	int s = fcntl(*sock, F_DUPFD_CLOEXEC, 20);
	int p = fcntl(*program, F_DUPFD_CLOEXEC, 20);

	if (seccomp_is_on() &&		/* a sanitizer's report needs it */
	    dup2(STDIN_FILENO, STDERR_FILENO) == -1)
		return false;
	if (s == -1 || p == -1 || dup3(s, SOCK_FD, O_CLOEXEC) == -1 ||
	    dup3(p, PROGRAM_FD, O_CLOEXEC) == -1)
		return false;
	*sock = SOCK_FD;
	*program = PROGRAM_FD;
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

void
launcher_child(int sock, int program, bool is_script,
    const struct sandbox *box)
{
	static struct nest n;
	pid_t relay = getppid();
	struct pollfd p[2];

	n.is_script = is_script;
	(void)setpgid(0, 0);
	name_user(&n, geteuid() == 0 ? box->uid : geteuid());
	if (sandbox_enter(box) != OK || !spare_ourselves(relay))
		_exit(1);
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1 ||
	    !keep_only(&sock, &program) || !take_signals(&n))
		_exit(1);
	(void)prctl(PR_SET_NAME, "postern-launch");
	(void)umask(077);
	if (chdir(n.home + strlen("HOME=")) == -1 && chdir("/") == -1)
		_exit(1);
	p[0] = (struct pollfd){ .fd = sock, .events = POLLIN };
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
