/* from_control.c - unpack and call. */
#include <unistd.h>

#include "queue/control/browse.h"
#include "queue/from_control.h"

static enum err
on_message(struct link *l, unsigned type, const union msg *m, struct span piece,
    int fd, void *arg)
{
	struct control *c = arg;

	switch (type) {
	case MSG_queue_ask:
		return control_totals(c, &m->queue_ask);
	case MSG_list_ask:
		browse_list(c, &m->list_ask);
		return OK;
	case MSG_show_ask:
		browse_show(c, &m->show_ask);
		return OK;
	case MSG_aside_ask:
		return control_aside(c, &m->aside_ask);
	case MSG_found_ask:
		return control_found(c, &m->found_ask);
	case MSG_story_ask:
		return control_story(c, &m->story_ask);
	case MSG_text_ask:
		return control_text(c, &m->text_ask);
	case MSG_edit_ask:
		return control_edit(c, &m->edit_ask);
	case MSG_suspend_ask:
		return control_suspend(c, &m->suspend_ask);
	case MSG_suspended_ask:
		control_suspended(c, &m->suspended_ask);
		return OK;
	case MSG_alias_ask:
		return control_alias(c, &m->alias_ask);
	case MSG_route_ask:
		control_route(c, &m->route_ask);
		return OK;
	default:
		return ERR_PEER;
	}
}

static void
on_gone(struct link *l, enum err why, void *arg)
{
	struct control *c = arg;

	boot_link_lost(c->queue->boot, link_peer(l), why);
	control_gone(&c);
}

void
from_control_peer(struct queue *q, int fd, const struct link_peer *peer)
{
	struct control *c = control_new(q);
	struct link *l;

	if (c == NULL) {
		close(fd);
		boot_link_lost(q->boot, peer, ERR_SYS);
		return;
	}
	if (link_open(&l, q->loop, fd, ROLE_QUEUE, peer, on_message, on_gone,
	    c) != OK) {
		control_gone(&c);
		boot_link_lost(q->boot, peer, ERR_SYS);
		return;
	}
	control_linked(c, l);
}
