/*
 * postern-relay - hands mail on, in one of the ways of relay_type.h.
 *
 * Files in the mail's order:
 *
 *	from_queue  worker  attempts  delivery  relay_type
 *	static	    lmtp  one_hop  smtp_target  pool  dial
 *		    smtp_client, which lists its own  verdict  slow
 *	mx	    mx_attempt  mx_lookup  mx_choose  mx_down  mx_number
 *		    ourselves  mx_pools  places  sources
 *	maildir	    maildir_path  maildir_file  maildir_quota
 *	pipe	    agent  pipe_args  pipe_run  launcher  runner
 *		    pipe_verdict
 *	local	    pipe  local  launcher  task  become  who  box  mbox
 *		    asking  forward
 *	blackhole
 *	to_queue
 *
 * It is crash-only: what it has under way is known to the queue, which gives
 * it out again; the results it keeps are lost only together with it.
 */
#include <unistd.h>

#include "bus/boot.h"
#include "relay/from_queue.h"
#include "relay/relay_type.h"
#include "relay/worker.h"

struct relay {
	struct worker	 worker;
	struct resolve	*resolve;
	struct keys	*keys;
	struct relay_type_env	 env;
};

static void
take_peer(struct boot *b, int fd, const struct link_peer *peer, void *arg)
{
	enum role mine = boot_self(b)->role;
	struct relay *r = arg;
	enum err e = OK;

	if (peer->role == ROLE_QUEUE || peer->role == ROLE_PROXY)
		from_queue_link(&r->worker, fd, peer);
	else if (peer->role == ROLE_RESOLVER && r->resolve != NULL)
		e = resolve_set_link(r->resolve, fd, mine, peer);
	else if (peer->role == ROLE_KEYS && r->keys != NULL)
		e = keys_set_link(r->keys, fd, mine, peer);
	else
		close(fd);
	if (e != OK)
		boot_link_lost(b, peer, ERR_SYS);
}

static void
peer_gone(struct boot *b, uint32_t no, void *arg)
{
	struct relay *r = arg;

	from_queue_gone(&r->worker, no);
}

static void
drain(struct boot *b, uint32_t patience_ms, void *arg)
{
	struct relay *r = arg;

	worker_drain(&r->worker);
}

static void
peer_lost(const struct link_peer *peer, enum err why, void *arg)
{
	struct relay *r = arg;

	boot_link_lost(r->worker.boot, peer, why);
}

static const struct boot_calls calls = {
	.peer = take_peer, .peer_gone = peer_gone, .drain = drain,
};

int
main(int argc, char **argv)
{
	static struct relay r;
	struct boot *b = boot_start(argc, argv, &calls, &r);
	const struct relay_type *type;
	struct slice process;
	void *relay_type_arg = NULL;
	int status;

	if (slice_open(&r.env.block, boot_slice(b)) != OK)
		boot_fatal("the slice is damaged", 0);
	process = slice_process(&r.env.block);
	type = relay_type_find(slice_text(&r.env.block, "type", 0),
	    slice_text(&r.env.block, "user", 0), boot_self(b)->role);
	if (type == NULL)
		boot_fatal("no such type of relay", 0);
	r.env.loop = boot_loop(b);
	r.env.hostname = slice_text(&process, "hostname", 0);
	if (boot_self(b)->role == ROLE_RELAY && (resolve_open(&r.resolve,
	    r.env.loop, peer_lost, &r) != OK || keys_open(&r.keys, r.env.loop,
	    peer_lost, &r) != OK))
		boot_fatal("out of memory", 0);
	r.env.resolve = r.resolve;
	r.env.keys = r.keys;
	r.env.boot = b;
	r.env.changed = worker_changed;
	r.env.changed_arg = &r.worker;
	if (type->prepare != NULL &&
	    type->prepare(&relay_type_arg, &r.env) != OK)
		boot_fatal("the relay cannot begin its work", 0);
	boot_seal(b);
	r.env.root = boot_root(b);
	if (type->open(&relay_type_arg, &r.env) != OK)
		boot_fatal("the relay cannot begin its work", 0);
	worker_init(&r.worker, b, type, relay_type_arg);
	status = boot_run(b);
	worker_end(&r.worker);
	return status;
}
