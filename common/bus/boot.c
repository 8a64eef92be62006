/*
 * boot.c - the child's half of master/process.c: beginning and end.
 *
 * Until boot_go the loop runs only to collect what master says; peers that
 * are named before boot_run() wait in a list, in order.
 */
#include <sys/prctl.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "bus/boot_inside.h"
#include "sys/logfile.h"
#include "sys/slack.h"

#define MASTER_FD	3	/* where master leaves our end		*/

void
boot_fatal(const char *why, int err)
{
	log_why(LOG_trouble, why, err);
	exit(1);
}

void
boot_damaged(const char *why, int err)
{
	log_why(LOG_trouble, why, err);
	exit(BOOT_DAMAGED);
}

static void
out_of_patience(struct timer *t, void *arg)
{
	struct boot *b = arg;

	log_why(LOG_stopped, "not all work was done in time", 0);
	b->status = 0;
	ev_stop(b->loop);
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
	b->marks = -1;
	TAILQ_INIT(&b->waiting);
	if ((b->self.role = role_of_program(argv[0])) == ROLE__COUNT)
		boot_fatal("no such role", 0);
	/* Run by descriptor, we are called after its number. */
	(void)prctl(PR_SET_NAME, role_row(b->self.role)->program);
	if (fcntl(MASTER_FD, F_SETFD, FD_CLOEXEC) == -1 ||
	    ev_open(&b->loop) != OK ||
	    link_open(&b->master, b->loop, MASTER_FD, b->self.role, &master,
	    boot_received, boot_orphaned, b) != OK)
		boot_fatal("cannot talk to master", errno);
	boot_endpoint_init(b);
	timer_init(&b->patience, b->loop, out_of_patience, b);
	while (!b->going)
		if (ev_run(b->loop) != OK)
			boot_fatal("event loop", errno);
	return b;
}

void
boot_limit_ports(struct boot *b, const uint16_t *ports, unsigned cnt)
{
	b->ports = ports;
	b->port_cnt = cnt;
}

void
boot_seal(struct boot *b)
{
	struct sandbox box = {
		.role = b->self.role, .uid = b->uid, .gid = b->gid,
		.root = b->root, .wish = b->wish, .debug = b->debug,
		.ports = b->ports, .port_cnt = b->port_cnt,
	};

	if (sandbox_enter(&box) != OK)
		boot_fatal("the sandbox cannot be entered", errno);
}

int
boot_run(struct boot *b)
{
	struct msg_work_ready ready = { b->generation };
	struct boot_waiting *w;
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
	slack_watch(&b->slack, b->loop);
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
boot_anew(struct boot *b, const char *why)
{
	log_why(LOG_stopped, why, 0);
	b->status = BOOT_ANEW;
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

int
boot_file(const struct boot *b, unsigned index)
{
	return index < b->files.cnt ? b->files.fds[index] : -1;
}

unsigned
boot_file_cnt(const struct boot *b)
{
	return b->files.cnt;
}

int
boot_marks(const struct boot *b)
{
	return b->marks;
}

void
boot_ids(const struct boot *b, uint32_t *uid, uint32_t *gid)
{
	*uid = b->uid;
	*gid = b->gid;
}

struct link *
boot_master(struct boot *b)
{
	return b->master;
}

const char *
boot_root(const struct boot *b)
{
	const char *inside = sandbox_path();

	return inside[0] != '\0' ? inside : b->root;
}
