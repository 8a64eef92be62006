/* from_relay.c - unpack, check numbers against their enums, call. */
#include <unistd.h>

#include "queue/route/able.h"
#include "queue/plan/dispatch.h"
#include "queue/from_relay.h"

static enum err
check_result(struct worker *w, const struct msg_delivery_result *m)
{
	if (m->class >= CLASS__COUNT || m->scope >= SCOPE__COUNT ||
	    m->stage >= STAGE__COUNT || m->code > 999 ||
	    (m->flags & ~RESULT_FLAGS) != 0)
		return ERR_PEER;
	return dispatch_result(w, m);
}

/* It can be asked from now on. */
static enum err
listed(struct worker *w, uint32_t slots)
{
	enum err e = dispatch_listed(w, slots);

	if (e == OK)
		user_there(&w->queue->users);
	return e;
}

static enum err
on_message(struct link *l, unsigned type, const union msg *m, struct span piece,
    int fd, void *arg)
{
	struct worker *w = arg;

	switch (type) {
	case MSG_delivery_running:
		return dispatch_running(w, &m->delivery_running);
	case MSG_delivery_listed:
		return listed(w, m->delivery_listed.slots);
	case MSG_relay_can:
		return queue_can(w->queue, w->peer.block, &m->relay_can);
	case MSG_delivery_pull:
		if (m->delivery_pull.part >= PART__COUNT)
			return ERR_PEER;
		return dispatch_pull(w, &m->delivery_pull);
	case MSG_delivery_result:
		return check_result(w, &m->delivery_result);
	case MSG_delivery_done:
		return dispatch_done(w, &m->delivery_done);
	case MSG_user_answer:
		return m->user_answer.found >= USER__COUNT ? ERR_PEER :
		    user_answered(&w->queue->users, w, &m->user_answer);
	case MSG_delivery_back:
		if (m->delivery_back.why >= BACK__COUNT)
			return ERR_PEER;
		return dispatch_back(w, &m->delivery_back);
	default:
		return ERR_PEER;
	}
}

static void
on_gone(struct link *l, enum err why, void *arg)
{
	struct worker *w = arg;

	boot_link_lost(w->queue->boot, link_peer(l), why);
	dispatch_unlinked(w);
	user_lost(&w->queue->users, w);
	link_close(&l);
}

void
from_relay_peer(struct queue *q, int fd, const struct link_peer *peer)
{
	struct worker *w = dispatch_worker(q, peer);
	struct link *l;

	if (w == NULL) {
		close(fd);
		return;
	}
	user_lost(&q->users, w);
	if (link_open(&l, q->loop, fd, ROLE_QUEUE, peer, on_message, on_gone,
	    w) != OK) {
		boot_link_lost(q->boot, peer, ERR_SYS);
		return;
	}
	dispatch_linked(w, l);
}
