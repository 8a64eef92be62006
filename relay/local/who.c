/*
 * who.c - a question is a packet of names, with the end of a pipe by which the
 * answer comes: so nobody has to match the two, and no answer is an end of
 * file.
 */
#include <sys/prctl.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "relay/local/who.h"
#include "sys/clock.h"
#include "sys/seccomp.h"

#define ASK_FD		3	/* of the finder			*/
#define PATIENCE_S	60	/* of a look-up, should nobody wait	*/
#define QUESTION_MAX	(WHO_NAMES_MAX * WHO_NAME_MAX)

enum found { FOUND_NONE, FOUND, FOUND_LATER };

struct answer {				/* less than PIPE_BUF: whole or not */
	enum found	 found;
	struct who	 who;
};

union room {
	struct cmsghdr	 align;
	char		 bytes[CMSG_SPACE(sizeof(int))];
};

bool
who_is_name(const char *s)
{
	size_t len = strlen(s);

	if (len == 0 || len >= WHO_NAME_MAX || s[0] == '.' || s[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];

		if (c <= ' ' || c == 0x7f || c == '/' || c == ':')
			return false;
	}
	return true;
}

bool
who_owns(const struct who *who, const struct stat *st)
{
	return (st->st_uid == who->uid || st->st_uid == 0) &&
	    (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* In a child of the finder. */

/*
 * What a module has not found it calls by several names; what it could not look
 * for it calls by others (getpwnam(3)).
 */
static enum found
look_for(const char *name, struct who *out)
{
	struct passwd *pw;

	errno = 0;
	if ((pw = getpwnam(name)) == NULL)
		return errno == 0 || errno == ENOENT || errno == ESRCH ?
		    FOUND_NONE : FOUND_LATER;
	out->uid = pw->pw_uid;
	out->gid = pw->pw_gid;
	if (!who_is_name(pw->pw_name) || strlcpy(out->name, pw->pw_name,
	    sizeof(out->name)) >= sizeof(out->name) || strlcpy(out->home,
	    pw->pw_dir, sizeof(out->home)) >= sizeof(out->home))
		return FOUND_NONE;
	if (pw->pw_shell[0] == '\0' || strlcpy(out->shell, pw->pw_shell,
	    sizeof(out->shell)) >= sizeof(out->shell))
		(void)strlcpy(out->shell, "/bin/sh", sizeof(out->shell));
	return FOUND;
}

__attribute__((noreturn))
static void
answer(const char *names, size_t len, int fd)
{
	struct answer a = { .found = FOUND_NONE };
	struct sigaction sa = { .sa_handler = SIG_DFL };

	(void)sigaction(SIGCHLD, &sa, NULL);
	(void)alarm(PATIENCE_S);
	for (size_t at = 0; at < len && a.found == FOUND_NONE;
	    at += strlen(names + at) + 1)
		if (who_is_name(names + at))
			a.found = look_for(names + at, &a.who);
	(void)!write(fd, &a, sizeof(a));
	_exit(0);
}

/* The finder. */

static int
take_fd(struct msghdr *h)
{
	struct cmsghdr *c = CMSG_FIRSTHDR(h);
	int fd = -1;

	if (c != NULL && c->cmsg_level == SOL_SOCKET &&
	    c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(fd)))
		memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* False: nobody will ask any more. */
static bool
take_question(void)
{
	static char names[QUESTION_MAX + 1];
	union room room;
	struct iovec iov = { names, QUESTION_MAX };
	struct msghdr h = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = room.bytes,
		.msg_controllen = sizeof(room.bytes),
	};
	ssize_t len = recvmsg(ASK_FD, &h, MSG_CMSG_CLOEXEC);
	int fd;

	if (len == -1 && errno == EINTR)
		return true;
	if (len <= 0)
		return false;
	fd = take_fd(&h);
	names[len] = '\0';
	if (fd != -1 && fork() == 0)
		answer(names, (size_t)len, fd);
	if (fd != -1)
		close(fd);
	return true;
}

/* Only our end of the socket; and the log belongs to others. */
static bool
keep_only(int sock)
{
	if (seccomp_is_on() && dup2(STDIN_FILENO, STDERR_FILENO) == -1)
		return false;
	if (sock != ASK_FD && dup2(sock, ASK_FD) == -1)
		return false;
	return fcntl(ASK_FD, F_SETFD, FD_CLOEXEC) == 0 &&
	    close_range(ASK_FD + 1, ~0u, 0) == 0;
}

__attribute__((noreturn))
static void
find(int sock, const struct sandbox *box)
{
	struct sigaction sa = { .sa_handler = SIG_IGN };
	const int pids[] = { getppid(), getpid() };

	(void)prctl(PR_SET_NAME, "postern-finder");
	(void)sigaction(SIGCHLD, &sa, NULL);	/* nobody collects them */
	if (sandbox_enter(box) != OK ||
	    (seccomp_is_on() && seccomp_spare(pids, 2) != OK) ||
	    !keep_only(sock) || chdir("/") == -1)
		_exit(1);
	while (take_question())
		continue;
	_exit(0);
}

enum err
who_start(int *out, const struct sandbox *box)
{
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) == -1)
		return ERR_SYS;
	if ((pid = fork()) == 0) {
		close(fds[0]);
		find(fds[1], box);
	}
	close(fds[1]);
	if (pid == -1) {
		close(fds[0]);
		return ERR_SYS;
	}
	*out = fds[0];
	return OK;
}

/* Who asks. */

static enum err
put_question(int finder, const char *const *names, unsigned cnt, int fd)
{
	char text[QUESTION_MAX];
	union room room;
	struct iovec iov = { text, 0 };
	struct msghdr h = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = room.bytes,
		.msg_controllen = sizeof(room.bytes),
	};
	struct cmsghdr *c;

	for (unsigned i = 0; i < cnt && i < WHO_NAMES_MAX; i++)
		if (who_is_name(names[i])) {
			memcpy(text + iov.iov_len, names[i],
			    strlen(names[i]) + 1);
			iov.iov_len += strlen(names[i]) + 1;
		}
	if (iov.iov_len == 0)
		return ERR_NONE;
	memset(&room, 0, sizeof(room));
	c = CMSG_FIRSTHDR(&h);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fd));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	return sendmsg(finder, &h, MSG_NOSIGNAL) == -1 ? ERR_SYS : OK;
}

static enum err
get_answer(int fd, int patience_ms, struct who *out)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int64_t until_ms = clock_mono_ms() + patience_ms, left_ms;
	struct answer a;
	int n;

	do {
		left_ms = until_ms - clock_mono_ms();
		n = left_ms > 0 ? poll(&p, 1, (int)left_ms) : 0;
	} while (n == -1 && errno == EINTR);
	if (n != 1 || read(fd, &a, sizeof(a)) != sizeof(a)) {
		errno = ETIMEDOUT;
		return ERR_SYS;
	}
	if (a.found == FOUND_NONE)
		return ERR_NONE;
	a.who.name[sizeof(a.who.name) - 1] = '\0';
	a.who.home[sizeof(a.who.home) - 1] = '\0';
	a.who.shell[sizeof(a.who.shell) - 1] = '\0';
	if (a.found != FOUND || !who_is_name(a.who.name)) {
		errno = EIO;
		return ERR_SYS;
	}
	*out = a.who;
	return OK;
}

enum err
who_ask(int finder, const char *const *names, unsigned cnt, int patience_ms,
    struct who *out)
{
	int fds[2];
	enum err e;

	if (pipe2(fds, O_CLOEXEC) == -1)
		return ERR_SYS;
	e = put_question(finder, names, cnt, fds[1]);
	close(fds[1]);
	if (e == OK)
		e = get_answer(fds[0], patience_ms, out);
	close(fds[0]);
	return e;
}
