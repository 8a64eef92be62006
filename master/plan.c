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
#include "master/shortage.h"
#include "sys/clock.h"
#include "sys/sandbox.h"

#define SEALS_WANTED	(F_SEAL_WRITE | F_SEAL_SHRINK | F_SEAL_GROW |	\
			 F_SEAL_SEAL)

#define IN(role)	(1u << ROLE_##role)

/* What a row may have, by its role. */
#define ARE_STARTED	(IN(EDGE) | IN(QUEUE) | IN(RELAY) | IN(MAILDIR) | \
			 IN(PIPE) | IN(KEYS) | IN(USERS) | IN(RESOLVER) |  \
			 IN(CONTROL) | IN(BLACKHOLE) | IN(LOCAL) | \
			 IN(PROXY) | IN(PICKUP))
#define HAVE_FILES	(IN(EDGE) | IN(RELAY) | IN(KEYS) | IN(USERS) |	   \
			 IN(RESOLVER))
#define HAVE_SECRETS	(IN(RELAY) | IN(KEYS) | IN(USERS))
#define HAVE_ENDPOINTS	(IN(EDGE) | IN(RELAY))

/* Who may be linked to whom: the picture in ARCHITECTURE.md. */
static const unsigned may_ask[ROLE__COUNT] = {
	[ROLE_EDGE] = IN(QUEUE) | IN(PROXY) | IN(KEYS) | IN(USERS) |
	    IN(RESOLVER),
	[ROLE_PICKUP] = IN(QUEUE) | IN(PROXY),
	[ROLE_QUEUE] = IN(RELAY) | IN(MAILDIR) | IN(PIPE) | IN(BLACKHOLE) |
	    IN(LOCAL),
	[ROLE_PROXY] = IN(RELAY),
	[ROLE_RELAY] = IN(RESOLVER) | IN(KEYS),
	[ROLE_CONTROL] = IN(QUEUE) | IN(PROXY),
};

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
	    h->link_cnt <= PLAN_LINKS_MAX &&
	    h->file_cnt <= PLAN_ALL_FILES_MAX &&
	    h->endpoint_cnt <= PLAN_ALL_ENDPOINTS_MAX &&
	    h->sandbox <= SANDBOX_PREFER &&
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

/* Addresses are the edges'; a path has control too, for packets. */
static bool
is_good_listener(const struct plan_process *p, const struct plan_listener *l)
{
	if (l->family == 1)
		return (l->is_packets != 0) == (p->role == ROLE_CONTROL) &&
		    is_plain_path(l->path, sizeof(l->path));
	return (l->family == 4 || l->family == 6) && p->role == ROLE_EDGE &&
	    l->is_packets == 0;
}

static bool
are_good_listeners(const struct plan_process *p)
{
	if (p->listener_cnt > PLAN_LISTENERS_MAX ||
	    (((IN(EDGE) | IN(CONTROL)) >> p->role & 1) == 0 &&
	    p->listener_cnt > 0))
		return false;
	for (unsigned i = 0; i < p->listener_cnt; i++)
		if (!is_good_listener(p, &p->listeners[i]) ||
		    !ends(p->places[i], sizeof(p->places[i])))
			return false;
	return true;
}

/* cnt rows from first on, of all there are, for a role of `who`. */
static bool
is_good_run(const struct plan_process *p, unsigned who, uint32_t first,
    uint32_t cnt, uint32_t max, uint32_t all)
{
	return cnt == 0 || ((who >> p->role & 1) != 0 && cnt <= max &&
	    first <= all && cnt <= all - first);
}

static bool
is_good_row(const struct plan_head *h, const struct plan_process *p,
    uint32_t no)
{
	bool has_own;

	if (p->no != no || p->role >= ROLE__COUNT ||
	    (ARE_STARTED >> p->role & 1) == 0 ||
	    p->workers == 0 || p->workers > PLAN_WORKERS_MAX ||
	    p->worker >= p->workers ||
	    !is_good_name(p->block, sizeof(p->block)) ||
	    !are_good_listeners(p) || !ends(p->own_dir, sizeof(p->own_dir)))
		return false;
	if (!is_good_run(p, HAVE_FILES, p->first_file, p->file_cnt,
	    PLAN_FILES_MAX, h->file_cnt) ||
	    !is_good_run(p, HAVE_ENDPOINTS, p->first_endpoint,
	    p->endpoint_cnt, PLAN_ENDPOINTS_MAX, h->endpoint_cnt))
		return false;
	has_own = role_row(p->role)->root == ROOT_OWN;
	if (has_own != (p->own_dir[0] != '\0') ||
	    (has_own && !is_plain_path(p->own_dir, sizeof(p->own_dir))))
		return false;
	return geteuid() != 0 || (p->uid != 0 && p->gid != 0);
}

static bool
is_good_link(const struct plan *p, const struct plan_link *l)
{
	return l->from < p->head.process_cnt && l->to < p->head.process_cnt &&
	    (may_ask[p->rows[l->from].role] >> p->rows[l->to].role & 1) != 0;
}

/* No row has a secret that is not for its role. */
static bool
are_good_secrets(const struct plan *p)
{
	for (uint32_t i = 0; i < p->head.process_cnt; i++)
		for (uint16_t k = 0; k < p->rows[i].file_cnt; k++)
			if (plan_files(p, i)[k].is_secret != 0 &&
			    (HAVE_SECRETS >> p->rows[i].role & 1) == 0)
				return false;
	return true;
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
	p->files = calloc(p->head.file_cnt + 1, sizeof(*p->files));
	p->endpoints = calloc(p->head.endpoint_cnt + 1,
	    sizeof(*p->endpoints));
	for (uint32_t i = 0; p->files != NULL && i < p->head.file_cnt; i++)
		p->files[i].fd = -1;
	if (p->slices != NULL)
		for (uint32_t i = 0; i < p->head.process_cnt; i++)
			p->slices[i] = -1;
	return p->rows == NULL || p->slices == NULL || p->links == NULL ||
	    p->files == NULL || p->endpoints == NULL ? ERR_SYS : OK;
}

static void
drop_fd(int fd)
{
	if (fd != -1)
		close(fd);
}

/* A packet that comes without a descriptor; one that comes is dropped. */
static enum err
receive_plain(int fd, void *buf, size_t len, int64_t until_ms)
{
	int stray;
	enum err e = receive(fd, buf, len, &stray, until_ms);

	drop_fd(stray);
	return e;
}

static enum err
receive_head(struct plan *p, int fd, int64_t until_ms)
{
	enum err e = receive_plain(fd, &p->head, sizeof(p->head), until_ms);

	if (e == OK && is_good_head(&p->head))
		return make_room(p);
	p->head.process_cnt = 0;	/* so that nothing is freed */
	return e == OK ? ERR_PEER : e;
}

static enum err
receive_processes(struct plan *p, int fd, int64_t until_ms)
{
	enum err e = OK;

	for (uint32_t i = 0; e == OK && i < p->head.process_cnt; i++) {
		e = receive(fd, &p->rows[i], sizeof(p->rows[i]),
		    &p->slices[i], until_ms);
		if (e == OK && (!is_good_row(&p->head, &p->rows[i], i) ||
		    p->slices[i] == -1 || !is_good_slice(p->slices[i])))
			e = ERR_PEER;
	}
	return e;
}

/* What it says of fd is ours to say. */
static enum err
receive_file(struct plan_file *f, int fd, int64_t until_ms)
{
	int made = -1;
	enum err e = receive(fd, f, sizeof(*f), &made, until_ms);

	f->fd = made;
	if (e == OK && (!is_plain_path(f->path, sizeof(f->path)) ||
	    f->is_made > 1 || (f->is_made != 0) != (made != -1) ||
	    (made != -1 && !is_good_slice(made))))
		e = ERR_PEER;
	return e;
}

static bool
is_good_endpoint(const struct plan_endpoint *e)
{
	if (e->family == 1)
		return is_plain_path(e->path, sizeof(e->path));
	return (e->family == 4 || e->family == 6) && e->port != 0;
}

static enum err
receive_rest(struct plan *p, int fd, int64_t until_ms)
{
	enum err e = OK;

	for (uint32_t i = 0; e == OK && i < p->head.link_cnt; i++) {
		e = receive_plain(fd, &p->links[i], sizeof(p->links[i]),
		    until_ms);
		if (e == OK && !is_good_link(p, &p->links[i]))
			e = ERR_PEER;
	}
	for (uint32_t i = 0; e == OK && i < p->head.file_cnt; i++)
		e = receive_file(&p->files[i], fd, until_ms);
	for (uint32_t i = 0; e == OK && i < p->head.endpoint_cnt; i++) {
		e = receive_plain(fd, &p->endpoints[i],
		    sizeof(p->endpoints[i]), until_ms);
		if (e == OK && !is_good_endpoint(&p->endpoints[i]))
			e = ERR_PEER;
	}
	return e == OK && !are_good_secrets(p) ? ERR_PEER : e;
}

static enum err
receive_all(struct plan *p, int fd, int64_t until_ms)
{
	enum err e = receive_head(p, fd, until_ms);

	if (e == OK)
		e = receive_processes(p, fd, until_ms);
	return e == OK ? receive_rest(p, fd, until_ms) : e;
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

static void
complain(int error)
{
	struct log_line l;

	log_begin(&l, LOG_trouble);
	shortage_log(&l, "cannot check the configuration", error);
	log_end(&l);
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
	if (e == ERR_CLOSED && WIFEXITED(status) && WEXITSTATUS(status) == 1) {
		log_why(LOG_trouble, "the configuration has mistakes", 0);
		return ERR_NONE;
	}
	if (e == ERR_AGAIN)
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

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
	    pair) == -1) {
		complain(errno);
		return ERR_SYS;
	}
	if ((e = programs_run(&pid, ROLE_CHECK, argv, pair[1])) != OK)
		complain(errno);
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
	for (uint32_t i = 0; p->files != NULL && i < p->head.file_cnt; i++)
		drop_fd(p->files[i].fd);
	free(p->rows);
	free(p->slices);
	free(p->links);
	free(p->files);
	free(p->endpoints);
	free(p);
}

const struct plan_file *
plan_files(const struct plan *p, uint32_t row)
{
	return p->files + (p->rows[row].file_cnt > 0 ?
	    p->rows[row].first_file : 0);
}

const struct plan_endpoint *
plan_endpoints(const struct plan *p, uint32_t row)
{
	return p->endpoints + (p->rows[row].endpoint_cnt > 0 ?
	    p->rows[row].first_endpoint : 0);
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
