/*
 * main.c - postern-edge: takes mail in by SMTP, LMTP or HTTP and hands it to
 * its queue.
 *
 * The files, in the order a message meets them:
 *
 *	listen client channel shaking protocol smtp session session_table
 *	session_end cmd_* auth session_say session_move stage checks rules
 *	origin transaction envelope framing text tap stream trace to_queue
 *	from_queue checks_queue session_wait
 *
 * Of type http: http post_head post_talk post_answer stand between client and
 * session.
 *
 * As pickup (an edge of type drop) it has no listener: drop finds files (found,
 * odd), carry speaks for one of them with a session (hear; notice for those who
 * are refused).
 *
 * Everything that comes from the world ends in session.c; this process has no
 * file system, but as pickup the drop directory, and no network but the sockets
 * it accepts.
 */
#include <sys/random.h>

#include <errno.h>
#include <unistd.h>

#include "ask/keys.h"
#include "ask/login.h"
#include "bus/boot.h"
#include "edge/drop/drop.h"
#include "edge/edge.h"
#include "edge/from_queue.h"
#include "edge/client/listen.h"

struct program {
	struct boot	*boot;
	struct edge	*edge;
	struct drop	*drop;		/* NULL: we have listeners	*/
};

static void
peer(struct boot *b, int fd, const struct link_peer *p, void *arg)
{
	struct program *program = arg;
	struct edge *edge = program->edge;
	enum err e = OK;

	if (p->role == ROLE_QUEUE || p->role == ROLE_PROXY) {
		from_queue_link(edge, fd, p);
		if (program->drop != NULL)
			drop_look(program->drop);
	} else if (p->role == ROLE_KEYS && edge->keys != NULL)
		e = keys_set_link(edge->keys, fd, ROLE_EDGE, p);
	else if (p->role == ROLE_USERS && edge->users != NULL)
		e = login_set_link(edge->users, fd, ROLE_EDGE, p);
	else if (p->role == ROLE_RESOLVER)
		e = edge_link_resolver(edge, fd, p);
	else
		close(fd);
	if (e != OK)
		boot_link_lost(b, p, e);
}

static void
on_room(void *arg)
{
	struct program *program = arg;

	if (program->drop != NULL)
		drop_look(program->drop);
}

static void
peer_gone(struct boot *b, uint32_t no, void *arg)
{
	struct program *program = arg;
	const struct link *queue = program->edge->queue;

	if (queue != NULL && link_peer(queue)->no == no)
		from_queue_close(program->edge);
}

static void
drain(struct boot *b, uint32_t patience_ms, void *arg)
{
	struct program *program = arg;

	if (program->drop != NULL)
		drop_end(program->drop);
	edge_drain(program->edge, patience_ms);
}

static void
link_is_lost(const struct link_peer *p, enum err why, void *arg)
{
	struct program *program = arg;

	boot_link_lost(program->boot, p, why);
}

static void
drained(void *arg)
{
	struct program *program = arg;

	boot_done(program->boot);
}

static void
listen_all(struct program *program)
{
	unsigned cnt = boot_listener_cnt(program->boot);
	int fds[BOOT_LISTENERS_MAX];

	for (unsigned i = 0; i < cnt; i++)
		fds[i] = boot_listener(program->boot, i);
	if (listen_open(&program->edge->listen, program->edge, fds, cnt) != OK)
		boot_fatal("cannot watch the listeners", errno);
}

static void
ask_vault(struct program *program)
{
	const struct settings *set = &program->edge->set;
	int fd = -1;

	if (set->has_tls)
		fd = boot_file(program->boot, set->certificate);
	if (edge_ask_vault(program->edge, fd) != OK)
		boot_fatal("the certificate cannot be used", errno);
}

/* Before and after the seal. */
static void
watch_drop(struct program *program)
{
	if (drop_new(&program->drop, program->edge,
	    boot_root(program->boot)) != OK)
		boot_fatal("cannot watch the drop directory", errno);
}

static void
open_drop(struct program *program)
{
	if (drop_open(program->drop, boot_root(program->boot)) != OK)
		boot_fatal("cannot open the drop directory", errno);
}

int
main(int argc, char **argv)
{
	static const struct boot_calls calls = {
		.peer = peer, .peer_gone = peer_gone, .drain = drain,
	};
	static const struct edge_calls edge_calls = {
		.lost = link_is_lost, .drained = drained, .on_room = on_room,
	};
	static struct program program;
	struct settings set;
	uint64_t secret;
	bool is_pickup;

	program.boot = boot_start(argc, argv, &calls, &program);
	if (settings_init(&set, boot_slice(program.boot)) != OK)
		boot_fatal("the slice makes no sense", 0);
	if (getrandom(&secret, sizeof(secret), 0) != sizeof(secret))
		boot_fatal("no random bytes", errno);
	if (edge_new(&program.edge, boot_loop(program.boot), &set, secret,
	    &edge_calls, &program) != OK)
		boot_fatal("no memory", errno);
	ask_vault(&program);
	is_pickup = boot_self(program.boot)->role == ROLE_PICKUP;
	program.edge->role = boot_self(program.boot)->role;
	if (is_pickup)
		watch_drop(&program);
	boot_seal(program.boot);
	if (is_pickup)
		open_drop(&program);
	else
		listen_all(&program);
	return boot_run(program.boot);
}
