/*
 * plan.c - the check child reads what an administrator or an attacker wrote,
 * so what it says is believed no further than its bounds.
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "master/plan.h"
#include "master/programs.h"
#include "sys/clock.h"
#include "sys/sandbox.h"

#define SEALS_WANTED	(F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW |	\
			 F_SEAL_SEAL)

union fd_room {
	struct cmsghdr	 align;
	char		 bytes[CMSG_SPACE(sizeof(int))];
};

/* Read one packet of exactly len bytes; *got_fd is -1 when none came. */
static enum err
receive(int fd, void *buf, size_t len, int *got_fd, int64_t until_ms)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	struct iovec iov = { buf, len };
	union fd_room room;
	struct msghdr h = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = room.bytes,
		.msg_controllen = sizeof(room.bytes),
	};
	struct cmsghdr *c;
	int64_t left_ms = until_ms - clock_mono_ms();
	ssize_t got;

	*got_fd = -1;
	if (left_ms <= 0 || poll(&p, 1, (int)left_ms) != 1)
		return ERR_AGAIN;
	if ((got = recvmsg(fd, &h, MSG_CMSG_CLOEXEC | MSG_DONTWAIT)) == -1)
		return ERR_SYS;
	c = CMSG_FIRSTHDR(&h);
	if (c != NULL && c->cmsg_level == SOL_SOCKET &&
	    c->cmsg_type == SCM_RIGHTS && c->cmsg_len == CMSG_LEN(sizeof(int)))
		memcpy(got_fd, CMSG_DATA(c), sizeof(int));
	if (got == 0)
		return ERR_CLOSED;
	return (size_t)got != len || h.msg_flags & (MSG_TRUNC | MSG_CTRUNC) ?
	    ERR_PEER : OK;
}

static bool
ends(const char *s, size_t cap)
{
	return memchr(s, '\0', cap) != NULL;
}

/* Absolute, and going nowhere but down. */
static bool
is_plain_path(const char *s, size_t cap)
{
	size_t len;

	if (!ends(s, cap) || s[0] != '/')
		return false;
	len = strlen(s);
	return strstr(s, "/../") == NULL &&
	    (len < 3 || strcmp(s + len - 3, "/..") != 0);
}

static bool
is_good_head(const struct plan_head *h)
{
	return h->magic == PLAN_MAGIC && h->process_cnt > 0 &&
	    h->process_cnt <= PLAN_PROCESSES_MAX &&
	    h->link_cnt <= PLAN_LINKS_MAX && h->sandbox <= SANDBOX_PREFER &&
	    is_plain_path(h->run_dir, sizeof(h->run_dir));
}

static bool
is_good_name(const char *s, size_t cap)
{
	if (!ends(s, cap) || s[0] == '\0')
		return false;
	for (; *s != '\0'; s++)
		if ((unsigned char)*s <= ' ' || *s == '/' || *s == 0x7f)
			return false;
	return true;
}

static bool
are_good_listeners(const struct plan_process *p)
{
	if (p->listener_cnt > PLAN_LISTENERS_MAX ||
	    (p->role != ROLE_EDGE && p->listener_cnt > 0))
		return false;
	for (unsigned i = 0; i < p->listener_cnt; i++)
		if (p->listeners[i].family != 4 && p->listeners[i].family != 6)
			return false;
	return true;
}

static bool
is_good_row(const struct plan_process *p, uint32_t no)
{
	bool has_own;

	if (p->no != no || p->role <= ROLE_CHECK || p->role >= ROLE__COUNT ||
	    p->workers == 0 || p->workers > PLAN_WORKERS_MAX ||
	    p->worker >= p->workers ||
	    !is_good_name(p->block, sizeof(p->block)) ||
	    !are_good_listeners(p) || !ends(p->own_dir, sizeof(p->own_dir)))
		return false;
	has_own = role_row(p->role)->root == ROOT_OWN;
	if (has_own != (p->own_dir[0] != '\0') ||
	    (has_own && !is_plain_path(p->own_dir, sizeof(p->own_dir))))
		return false;
	return geteuid() != 0 || (p->uid != 0 && p->gid != 0);
}

/* Who may be linked to whom: the picture in ARCHITECTURE.md. */
static bool
is_good_link(const struct plan *p, const struct plan_link *l)
{
	enum role from, to;

	if (l->from >= p->head.process_cnt || l->to >= p->head.process_cnt)
		return false;
	from = p->rows[l->from].role;
	to = p->rows[l->to].role;
	return (from == ROLE_EDGE && to == ROLE_QUEUE) ||
	    (from == ROLE_QUEUE && (to == ROLE_RELAY || to == ROLE_MAILDIR)) ||
	    (from == ROLE_RELAY && to == ROLE_RESOLVER);
}

static bool
is_good_slice(int fd)
{
	struct stat st;
	int seals = fcntl(fd, F_GET_SEALS);

	return seals != -1 && (seals & SEALS_WANTED) == SEALS_WANTED &&
	    fstat(fd, &st) == 0 && st.st_size > 0 &&
	    st.st_size <= (off_t)PLAN_SLICE_MAX;
}

static enum err
make_room(struct plan *p)
{
	p->rows = calloc(p->head.process_cnt, sizeof(*p->rows));
	p->slices = calloc(p->head.process_cnt, sizeof(*p->slices));
	p->links = calloc(p->head.link_cnt + 1, sizeof(*p->links));
	if (p->slices != NULL)
		for (uint32_t i = 0; i < p->head.process_cnt; i++)
			p->slices[i] = -1;
	return p->rows == NULL || p->slices == NULL || p->links == NULL ?
	    ERR_SYS : OK;
}

static void
drop_fd(int fd)
{
	if (fd != -1)
		close(fd);
}

static enum err
receive_all(struct plan *p, int fd, int64_t until_ms)
{
	enum err e;
	int stray;

	e = receive(fd, &p->head, sizeof(p->head), &stray, until_ms);
	drop_fd(stray);
	if (e == OK && !is_good_head(&p->head)) {
		p->head.process_cnt = 0;
		e = ERR_PEER;
	}
	if (e == OK)
		e = make_room(p);
	for (uint32_t i = 0; e == OK && i < p->head.process_cnt; i++) {
		e = receive(fd, &p->rows[i], sizeof(p->rows[i]),
		    &p->slices[i], until_ms);
		if (e == OK && (!is_good_row(&p->rows[i], i) ||
		    p->slices[i] == -1 || !is_good_slice(p->slices[i])))
			e = ERR_PEER;
	}
	for (uint32_t i = 0; e == OK && i < p->head.link_cnt; i++) {
		e = receive(fd, &p->links[i], sizeof(p->links[i]), &stray,
		    until_ms);
		drop_fd(stray);
		if (e == OK && !is_good_link(p, &p->links[i]))
			e = ERR_PEER;
	}
	return e;
}

enum err
plan_receive(struct plan **out, int fd)
{
	struct plan *p = calloc(1, sizeof(*p));
	enum err e;

	if (p == NULL)
		return ERR_SYS;
	e = receive_all(p, fd, clock_mono_ms() + PLAN_WAIT_MS);
	if (e == OK)
		*out = p;
	else
		plan_free(&p);
	return e;
}

/* The child's end, and what it means for what it said. */
static enum err
end_of_child(pid_t pid, enum err e)
{
	int status;

	if (e != OK && e != ERR_CLOSED)
		(void)kill(pid, SIGKILL);
	while (waitpid(pid, &status, 0) == -1)
		if (errno != EINTR)
			return ERR_SYS;
	if (e == ERR_CLOSED && WIFEXITED(status) && WEXITSTATUS(status) == 1)
		log_why(LOG_trouble, "the configuration has mistakes", 0);
	else if (e == ERR_AGAIN)
		log_why(LOG_trouble, "checking the configuration took too "
		    "long", 0);
	else if (e != OK || !WIFEXITED(status) || WEXITSTATUS(status) != 0)
		log_why(LOG_trouble, "checking the configuration went wrong",
		    0);
	else
		return OK;
	return ERR_PEER;
}

enum err
plan_fetch(struct plan **out, const char *file)
{
	char *const argv[] = {
		(char *)"postern", (char *)"-n", (char *)"-H", (char *)"3",
		(char *)"-f", (char *)(uintptr_t)file, NULL,
	};
	struct plan *p = NULL;
	enum err e;
	pid_t pid;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == -1)
		return ERR_SYS;
	e = programs_run(&pid, ROLE_CHECK, argv, pair[1]);
	close(pair[1]);
	if (e == OK)
		e = end_of_child(pid, plan_receive(&p, pair[0]));
	close(pair[0]);
	if (e == OK)
		*out = p;
	else
		plan_free(&p);
	return e;
}

void
plan_free(struct plan **pp)
{
	struct plan *p = *pp;

	*pp = NULL;
	if (p == NULL)
		return;
	for (uint32_t i = 0; p->slices != NULL && i < p->head.process_cnt; i++)
		drop_fd(p->slices[i]);
	free(p->rows);
	free(p->slices);
	free(p->links);
	free(p);
}

int
plan_take_slice(struct plan *p, uint32_t row)
{
	int fd = p->slices[row];

	p->slices[row] = -1;
	return fd;
}

bool
plan_same_slice(int a, int b)
{
	struct stat sa, sb;
	size_t len;
	void *ma, *mb;
	bool same;

	if (fstat(a, &sa) == -1 || fstat(b, &sb) == -1 ||
	    sa.st_size != sb.st_size)
		return false;
	len = (size_t)sa.st_size;
	ma = mmap(NULL, len, PROT_READ, MAP_PRIVATE, a, 0);
	mb = mmap(NULL, len, PROT_READ, MAP_PRIVATE, b, 0);
	same = ma != MAP_FAILED && mb != MAP_FAILED && memcmp(ma, mb, len) == 0;
	if (ma != MAP_FAILED)
		munmap(ma, len);
	if (mb != MAP_FAILED)
		munmap(mb, len);
	return same;
}
