/*
 * main.c - postern-control: answers the administrator's tool.
 *
 * The files, in the order a question meets them:
 *
 *	listen tool ask to_queue from_queue (a queue) house (master)
 *
 * It listens on one unix socket and has links to master and to each queue;
 * what it may say to them is what messages.def lets a CONTROL say.
 */
#include <errno.h>
#include <unistd.h>

#include "base/log.h"
#include "bus/boot.h"
#include "ctl/control/control.h"
#include "ctl/control/processes.h"
#include "ctl/control/listen.h"
#include "ctl/control/queue.h"
#include "ctl/control/rights.h"

struct program {
	struct boot	*boot;
	struct control	*control;
	struct listen	*listen;
};

static void
peer(struct boot *b, int fd, const struct link_peer *p, void *arg)
{
	struct program *program = arg;

	if (p->role == ROLE_QUEUE || p->role == ROLE_PROXY)
		queue_link(program->control, fd, p);
	else
		close(fd);
}

static void
peer_gone(struct boot *b, uint32_t no, void *arg)
{
	struct program *program = arg;

	queue_gone(program->control, no);
	processes_gone(program->control, no);
}

/* Nothing in the slice changes what control does; the new one is taken. */
static enum err
reload(struct boot *b, struct span slice, void *arg)
{
	return OK;
}

static void
drain(struct boot *b, uint32_t patience_ms, void *arg)
{
	struct program *program = arg;

	listen_close(&program->listen);
	control_drain(program->control);
}

static struct link *
master(void *arg)
{
	struct program *program = arg;

	return boot_master(program->boot);
}

static void
lost(const struct link_peer *p, enum err why, void *arg)
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

/* Made when it is first needed: master speaks before boot_start() is done. */
static struct control *
control_of(struct program *program, struct boot *b)
{
	static const struct control_calls calls = {
		.master = master, .lost = lost, .drained = drained,
	};

	if (program->control == NULL && control_new(&program->control,
	    boot_loop(b), &calls, program) != OK)
		boot_fatal("no memory", errno);
	return program->control;
}

static enum err
on_message(struct boot *b, unsigned type, const union msg *m, int fd, void *arg)
{
	struct program *program = arg;

	return processes_receive(control_of(program, b), type, m, fd);
}

int
main(int argc, char **argv)
{
	static const struct boot_calls calls = {
		.peer = peer, .peer_gone = peer_gone, .reload = reload,
		.drain = drain, .on_message = on_message,
	};
	static struct program program;
	struct control *c;

	rights_learn();
	program.boot = boot_start(argc, argv, &calls, &program);
	c = control_of(&program, program.boot);
	boot_seal(program.boot);
	if (boot_listener_cnt(program.boot) != 1 || listen_open(
	    &program.listen, c, boot_listener(program.boot, 0)) != OK)
		boot_fatal("there is no listener", errno);
	return boot_run(program.boot);
}
