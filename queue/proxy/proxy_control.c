/*
 * proxy_control.c - the questions that any queue is asked.  There is no message
 * to be listed, shown, changed or suspended: each gets the answer of an empty
 * queue; where an address goes is known as well as elsewhere.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "queue/proxy/proxy.h"
#include "queue/route/route_utf8.h"
#include "queue/to_control.h"

struct proxy_control {
	LIST_ENTRY(proxy_control) entry;
	struct proxy	*proxy;
	struct link	*link;
};

static void
tell_totals(const struct proxy_control *c, uint64_t request)
{
	const struct proxy *px = c->proxy;
	const struct routes *routes = px->settings.routes;
	struct msg_queue_status status = {
		.request = request, .active = px->passage_cnt,
	};
	int lacks;

	status.utf8 = (uint8_t)route_utf8(routes, &lacks);
	if (lacks != -1) {
		status.utf8_relay = span_of(route_relay(routes,
		    (unsigned)lacks));
		status.utf8_hop = (uint8_t)able_hop(&px->able,
		    status.utf8_relay.ptr);
	}
	to_control_status(c->link, &status);
}

static void
tell_route(const struct proxy_control *c, const struct msg_route_ask *m)
{
	struct msg_route_answer answer = { .request = m->request };
	struct route_ask ask = { m->address, m->sender, m->login, m->bounce };
	struct route_reply reply;
	struct route r;

	(void)route_judge(c->proxy->settings.routes, &ask, &r, &reply);
	answer.code = reply.code;
	answer.dsn = span_of(reply.dsn);
	answer.text = span_of(reply.text);
	answer.by = (uint8_t)r.by;
	if (r.relay != NULL) {
		answer.relay = span_of(r.relay);
		answer.destination = span_of(r.destination);
	}
	to_control_route(c->link, &answer);
}

static enum err
on_message(struct link *l, unsigned type, const union msg *m, struct span piece,
    int fd, void *arg)
{
	static const struct id none;
	struct proxy_control *c = arg;

	switch (type) {
	case MSG_queue_ask:
		tell_totals(c, m->queue_ask.request);
		return OK;
	case MSG_list_ask:
		to_control_listed(l, m->list_ask.request, none, STATUS_DONE);
		return OK;
	case MSG_show_ask:
		to_control_listed(l, m->show_ask.request, none, STATUS_NONE);
		return OK;
	case MSG_aside_ask:
		to_control_asides(l, m->aside_ask.request, SPAN(""),
		    STATUS_DONE);
		return OK;
	case MSG_text_ask:
		to_control_text(l, m->text_ask.request, SPAN(""), STATUS_NONE);
		return OK;
	case MSG_edit_ask:
		to_control_edited(l, m->edit_ask.request, STATUS_NONE);
		return OK;
	case MSG_suspend_ask:
		to_control_suspend_done(l, m->suspend_ask.request,
		    STATUS_REFUSED);
		return OK;
	case MSG_suspended_ask:
		to_control_suspended_end(l, m->suspended_ask.request,
		    STATUS_DONE);
		return OK;
	case MSG_route_ask:
		tell_route(c, &m->route_ask);
		return OK;
	default:
		return ERR_PEER;
	}
}

static void
drop(struct proxy_control *c)
{
	LIST_REMOVE(c, entry);
	link_close(&c->link);
	free(c);
}

static void
on_gone(struct link *l, enum err why, void *arg)
{
	struct proxy_control *c = arg;

	boot_link_lost(c->proxy->boot, link_peer(l), why);
	drop(c);
}

void
proxy_take_control(struct proxy *px, int fd, const struct link_peer *peer)
{
	struct proxy_control *c = calloc(1, sizeof(*c));

	if (c == NULL) {
		close(fd);
		boot_link_lost(px->boot, peer, ERR_SYS);
		return;
	}
	c->proxy = px;
	if (link_open(&c->link, px->loop, fd, ROLE_PROXY, peer, on_message,
	    on_gone, c) != OK) {
		free(c);
		boot_link_lost(px->boot, peer, ERR_SYS);
		return;
	}
	LIST_INSERT_HEAD(&px->controls, c, entry);
}

void
proxy_drop_controls(struct proxy *px)
{
	struct proxy_control *c;

	while ((c = LIST_FIRST(&px->controls)) != NULL)
		drop(c);
}
