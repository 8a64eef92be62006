/*
 * boot.c - the child's half of master/child.c.
 *
 * Until boot_go the loop runs only to collect what master says; peers that
 * are named before boot_run() wait in a list, in order.
 */
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/log.h"
#include "bus/boot.h"
#include "sys/logfile.h"
#include "sys/sandbox.h"

#define MASTER_FD	3	/* where master leaves our end		*/
#define ORPHAN_MS	5000	/* to finish in when master has died	*/
#define SLICE_MAX	(16u << 20)	/* bytes we are ready to map	*/
#define PATH_LEN	1024	/* bytes of our directory's name	*/

struct waiting_peer {
	TAILQ_ENTRY(waiting_peer) entry;
	struct link_peer peer;
	int		 fd;
};

struct boot {
	struct ev_loop	*loop;
	struct link	*master;
	const struct boot_calls *calls;
	void		*arg;

	struct link_peer self;
	uint32_t	 generation, uid, gid;
	char		 root[PATH_LEN];
	bool		 debug, has_slice, going, running, draining;
	enum sandbox_wish wish;
	struct span	 slice;
	int		 listeners[BOOT_LISTENERS_MAX];
	unsigned	 listener_cnt;
	TAILQ_HEAD(, waiting_peer) waiting;
	struct timer	 patience;
	int		 status;
};

void
boot_fatal(const char *why, int err)
{
	log_why(LOG_trouble, why, err);
	exit(1);
}

/* What master says. */

static enum err
map_slice(struct span *out, int fd)
{
	struct stat st;
	void *at;

	if (fstat(fd, &st) == -1 || st.st_size <= 0 || st.st_size > SLICE_MAX)
		return ERR_PEER;
	at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (at == MAP_FAILED)
		return ERR_SYS;
	*out = (struct span){ at, (size_t)st.st_size };
	return OK;
}

static void
unmap_slice(struct span s)
{
	if (s.len > 0)
		munmap((void *)(uintptr_t)s.ptr, s.len);
}

/* "edge in/0[123]" in logs, "postern: edge in/0" in ps. */
static void
name_process(const struct boot *b)
{
	char name[LINK_NAME_MAX], prefix[LINK_NAME_MAX + 16];

	link_name(&b->self, name);
	snprintf(prefix, sizeof(prefix), "%s[%d]", name, (int)getpid());
	logfile_open(prefix, b->debug);
	setproctitle("-postern: %s", name);
}

static enum err
take_slice(struct boot *b, const struct msg_boot_slice *m, int fd)
{
	enum err e = OK;

	if (b->has_slice || m->role >= ROLE__COUNT ||
	    role_row(m->role)->program != role_row(b->self.role)->program ||
	    !span_cstr(m->block, b->self.block, sizeof(b->self.block)) ||
	    !span_cstr(m->root, b->root, sizeof(b->root)))
		e = ERR_PEER;
	if (e == OK)
		e = map_slice(&b->slice, fd);
	close(fd);
	if (e != OK)
		return e;
	b->has_slice = true;
	b->self.role = m->role;
	b->self.no = m->no;
	b->self.start = m->start;
	b->self.worker = m->worker;
	b->self.workers = m->workers;
	b->generation = m->generation;
	b->uid = m->uid;
	b->gid = m->gid;
	b->debug = m->debug != 0;
	b->wish = m->sandbox == SANDBOX_PREFER ?
	    SANDBOX_PREFER : SANDBOX_REQUIRE;
	link_set_role(b->master, b->self.role);
	name_process(b);
	return OK;
}

static enum err
take_listener(struct boot *b, const struct msg_boot_listener *m, int fd)
{
	if (b->going || m->index != b->listener_cnt ||
	    b->listener_cnt == BOOT_LISTENERS_MAX) {
		close(fd);
		return ERR_PEER;
	}
	b->listeners[b->listener_cnt++] = fd;
	return OK;
}

static enum err
take_peer(struct boot *b, const struct msg_peer_link *m, int fd)
{
	struct link_peer peer = {
		.role = m->role, .no = m->no, .start = m->start,
		.worker = m->worker, .workers = m->workers,
	};
	struct waiting_peer *w;

	if (m->role >= ROLE__COUNT ||
	    !span_cstr(m->block, peer.block, sizeof(peer.block))) {
		close(fd);
		return ERR_PEER;
	}
	if (b->running) {
		b->calls->peer(b, fd, &peer, b->arg);
		return OK;
	}
	if ((w = calloc(1, sizeof(*w))) == NULL) {
		close(fd);
		return ERR_SYS;
	}
	w->peer = peer;
	w->fd = fd;
	TAILQ_INSERT_TAIL(&b->waiting, w, entry);
	return OK;
}

/* A slice that cannot be used leaves the old one in force, and says so. */
static enum err
take_new_slice(struct boot *b, const struct msg_slice_new *m, int fd)
{
	struct msg_work_ready ready = { m->generation };
	struct span new;
	enum err e = map_slice(&new, fd);

	close(fd);
	if (e != OK)
		return e;
	if (b->calls->reload == NULL ||
	    (e = b->calls->reload(b, new, b->arg)) != OK) {
		log_why(LOG_trouble, "the new configuration cannot be used", 0);
		unmap_slice(new);
		return OK;
	}
	unmap_slice(b->slice);
	b->slice = new;
	b->generation = m->generation;
	return link_send_work_ready(b->master, &ready);
}

static void
out_of_patience(struct timer *t, void *arg)
{
	struct boot *b = arg;

	log_why(LOG_stopped, "not all work was done in time", 0);
	b->status = 0;
	ev_stop(b->loop);
}

static void
drain(struct boot *b, uint32_t patience_ms)
{
	if (b->draining && b->patience.due_ms <=
	    ev_now_ms(b->loop) + (int64_t)patience_ms)
		return;
	timer_set(&b->patience, patience_ms);
	b->draining = true;
	b->calls->drain(b, patience_ms, b->arg);
}

static enum err
tell_holding(struct boot *b)
{
	struct msg_holding m = { 0 };

	if (b->calls->holding != NULL)
		m.messages = b->calls->holding(b, b->arg);
	return link_send_holding(b->master, &m);
}

/*
 * Master may say more in the turn of boot_go, when the program has nothing
 * made yet that could do it.  Peers wait; told to end, it just ends; and for
 * the rest it is started anew, from what is current then.
 */
static enum err
early(struct boot *b, unsigned type, const union msg *m, int fd)
{
	if (type == MSG_peer_link)
		return take_peer(b, &m->peer_link, fd);
	if (type == MSG_peer_gone)
		return OK;
	exit(type == MSG_work_drain ? 0 : 1);
}

static enum err
master_says(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	struct boot *b = arg;

	if (type == MSG_boot_slice)
		return take_slice(b, &m->boot_slice, fd);
	if (type == MSG_process_ping)
		return link_send_process_pong(l, &(struct msg_process_pong){
		    m->process_ping.turn });
	if (!b->has_slice) {
		if (fd != -1)
			close(fd);
		return ERR_PEER;
	}
	if (b->going && !b->running)
		return early(b, type, m, fd);
	switch (type) {
	case MSG_boot_listener:
		return take_listener(b, &m->boot_listener, fd);
	case MSG_boot_go:
		b->going = true;
		ev_stop(b->loop);
		return OK;
	case MSG_peer_link:
		return take_peer(b, &m->peer_link, fd);
	case MSG_peer_gone:
		if (b->running && b->calls->peer_gone != NULL)
			b->calls->peer_gone(b, m->peer_gone.no, b->arg);
		return OK;
	case MSG_slice_new:
		return take_new_slice(b, &m->slice_new, fd);
	case MSG_work_drain:
		drain(b, m->work_drain.patience_ms);
		return OK;
	case MSG_holding_ask:
		return tell_holding(b);
	default:
		return ERR_PEER;
	}
}

/* Without master nobody mends our links: finish what can be, and end. */
static void
master_gone(struct link *l, enum err why, void *arg)
{
	struct boot *b = arg;

	link_close(&b->master);
	if (!b->running)
		exit(1);
	log_why(LOG_unlinked, "master is gone", 0);
	drain(b, ORPHAN_MS);
}

/* Starting. */

/* The row of this program; of several, the first: master says which. */
static enum role
role_of_program(const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;

	for (unsigned r = 0; r < ROLE__COUNT; r++)
		if (strcmp(role_row(r)->program, name) == 0)
			return r;
	return ROLE__COUNT;
}

/* Ctrl-C reaches the whole group, but only master decides about the end. */
static void
ignore_signals(void)
{
	static const int signals[] = { SIGPIPE, SIGINT, SIGHUP };
	struct sigaction sa = { .sa_handler = SIG_IGN };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (sigaction(signals[i], &sa, NULL) == -1)
			boot_fatal("cannot ignore a signal", errno);
}

static void
want_master(const char *program)
{
	struct stat st;

	if (fstat(MASTER_FD, &st) == 0 && S_ISSOCK(st.st_mode))
		return;
	fprintf(stderr, "%s: started by postern(8), not by hand\n", program);
	exit(2);
}

struct boot *
boot_start(int argc, char **argv, const struct boot_calls *calls, void *arg)
{
	const struct link_peer master = { .role = ROLE_MASTER };
	struct boot *b = calloc(1, sizeof(*b));

	setproctitle_init(argc, argv, environ);
	want_master(argv[0]);
	logfile_open(argv[0], false);
	ignore_signals();
	if (b == NULL)
		boot_fatal("out of memory", 0);
	b->calls = calls;
	b->arg = arg;
	TAILQ_INIT(&b->waiting);
	if ((b->self.role = role_of_program(argv[0])) == ROLE__COUNT)
		boot_fatal("no such role", 0);
	/* Run by descriptor, we are called after its number. */
	(void)prctl(PR_SET_NAME, role_row(b->self.role)->program);
	if (fcntl(MASTER_FD, F_SETFD, FD_CLOEXEC) == -1 ||
	    ev_open(&b->loop) != OK ||
	    link_open(&b->master, b->loop, MASTER_FD, b->self.role, &master,
	    master_says, master_gone, b) != OK)
		boot_fatal("cannot talk to master", errno);
	timer_init(&b->patience, b->loop, out_of_patience, b);
	while (!b->going)
		if (ev_run(b->loop) != OK)
			boot_fatal("event loop", errno);
	return b;
}

void
boot_seal(struct boot *b)
{
	struct sandbox box = {
		.role = b->self.role, .uid = b->uid, .gid = b->gid,
		.root = b->root, .wish = b->wish, .debug = b->debug,
	};

	if (sandbox_enter(&box) != OK)
		boot_fatal("the sandbox cannot be entered", errno);
}

int
boot_run(struct boot *b)
{
	struct msg_work_ready ready = { b->generation };
	struct waiting_peer *w;
	struct log_line l;

	b->running = true;
	while ((w = TAILQ_FIRST(&b->waiting)) != NULL) {
		TAILQ_REMOVE(&b->waiting, w, entry);
		b->calls->peer(b, w->fd, &w->peer, b->arg);
		free(w);
	}
	if (b->master != NULL)
		(void)link_send_work_ready(b->master, &ready);
	log_begin(&l, LOG_ready);
	log_end(&l);
	if (ev_run(b->loop) != OK)
		boot_fatal("event loop", errno);
	if (b->master != NULL)
		link_flush(b->master);
	return b->status;
}

void
boot_done(struct boot *b)
{
	timer_stop(&b->patience);
	log_why(LOG_stopped, "all work is done", 0);
	b->status = 0;
	ev_stop(b->loop);
}

void
boot_link_lost(struct boot *b, const struct link_peer *peer, enum err why)
{
	struct msg_link_lost m = { peer->no, peer->start, (uint8_t)why };
	char name[LINK_NAME_MAX];
	struct log_line l;

	link_name(peer, name);
	log_begin(&l, LOG_unlinked);
	log_text(&l, LOG_KEY_peer, name);
	log_text(&l, LOG_KEY_why, err_name(why));
	log_end(&l);
	if (b->master != NULL)
		(void)link_send_link_lost(b->master, &m);
}

/* What we know. */

struct ev_loop *
boot_loop(struct boot *b)
{
	return b->loop;
}

const struct link_peer *
boot_self(const struct boot *b)
{
	return &b->self;
}

struct span
boot_slice(const struct boot *b)
{
	return b->slice;
}

int
boot_listener(const struct boot *b, unsigned index)
{
	return index < b->listener_cnt ? b->listeners[index] : -1;
}

unsigned
boot_listener_cnt(const struct boot *b)
{
	return b->listener_cnt;
}

bool
boot_debug(const struct boot *b)
{
	return b->debug;
}

const char *
boot_root(const struct boot *b)
{
	return sandbox_path();
}
