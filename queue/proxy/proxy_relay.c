/*
 * proxy_relay.c - the processes of the relay.  What one has under way when its
 * link is lost is over for us: what it knows of it after that nobody wants.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "queue/proxy/passage.h"
#include "queue/route/route_utf8.h"

void
proxy_settle(struct proxy_worker *w, struct id id, uint64_t attempt)
{
	if (w->link != NULL)
		link_send_delivery_settled(w->link,
		    &(struct msg_delivery_settled){ id, 0, attempt });
}

/* The one this attempt is of, if it is with this process. */
static struct passage *
find(struct proxy_worker *w, struct id id, uint64_t attempt)
{
	struct passage *p = passage_find(w->proxy, attempt);

	return p != NULL && p->worker == w && id_cmp(p->id, id) == 0 ? p :
	    NULL;
}

static enum err
take_word(struct proxy_worker *w, const struct msg_delivery_word *m)
{
	struct passage *p = find(w, m->id, m->attempt);

	return p == NULL ? OK : passage_word(p, m);
}

static enum err
take_pull(struct proxy_worker *w, const struct msg_delivery_pull *m)
{
	struct passage *p = find(w, m->id, m->attempt);

	if (m->part >= PART__COUNT)
		return ERR_PEER;
	return p == NULL ? OK : passage_pull(p, m);
}

static enum err
take_result(struct proxy_worker *w, const struct msg_delivery_result *m)
{
	struct passage *p = find(w, m->id, m->attempt);

	return p == NULL ? OK : passage_result(p, m);
}

static void
take_done(struct proxy_worker *w, const struct msg_delivery_done *m)
{
	struct passage *p = find(w, m->id, m->attempt);

	if (p == NULL)
		proxy_settle(w, m->id, m->attempt);
	else
		passage_done(p);
}

/* Untried: its host has all it takes, or has failed others a moment ago. */
static void
take_back(struct proxy_worker *w, const struct msg_delivery_back *m)
{
	struct passage *p = find(w, m->id, m->attempt);

	if (p == NULL)
		return;
	if (m->why == BACK_DOWN) {
		passage_refuse(p, 451, "4.4.1",
		    "The next hop cannot be reached now");
		return;
	}
	passage_wait_again(p);
	proxy_serve_soon(w->proxy);
}

static enum err
take_can(struct proxy_worker *w, const struct msg_relay_can *m)
{
	struct proxy *px = w->proxy;
	enum err e = able_take(&px->able, w->peer.block, m);

	if (e != OK)
		return e;
	able_tell(&px->able, px->settings.routes);
	proxy_tell_edges(px);
	return OK;
}

static void
take_listed(struct proxy_worker *w, uint32_t slots)
{
	uint32_t most = settings_slots(&w->proxy->settings, w->peer.block);

	w->slots = slots < most ? slots : most;
	later_call(&w->proxy->serve);
}

static enum err
on_message(struct link *l, unsigned type, const union msg *m, struct span piece,
    int fd, void *arg)
{
	struct proxy_worker *w = arg;

	switch (type) {
	case MSG_delivery_running:	/* since before this link */
		proxy_settle(w, m->delivery_running.id,
		    m->delivery_running.attempt);
		return OK;
	case MSG_delivery_listed:
		take_listed(w, m->delivery_listed.slots);
		return OK;
	case MSG_relay_can:
		return take_can(w, &m->relay_can);
	case MSG_delivery_word:
		return take_word(w, &m->delivery_word);
	case MSG_delivery_pull:
		return take_pull(w, &m->delivery_pull);
	case MSG_delivery_result:
		return take_result(w, &m->delivery_result);
	case MSG_delivery_done:
		take_done(w, &m->delivery_done);
		return OK;
	case MSG_delivery_back:
		take_back(w, &m->delivery_back);
		return OK;
	default:
		return ERR_PEER;
	}
}

/* With the dot sent nobody can tell what has become of it. */
static void
lose(struct proxy_worker *w)
{
	struct passage *p;

	w->slots = 0;
	while ((p = LIST_FIRST(&w->passages)) != NULL)
		passage_refuse(p, 451, "4.3.0", p->state == PASSAGE_ENDED ?
		    "The relay is away, and it is not known whether the next "
		    "hop has the message" : "The relay is away, try again");
}

static void
on_gone(struct link *l, enum err why, void *arg)
{
	struct proxy_worker *w = arg;

	boot_link_lost(w->proxy->boot, link_peer(l), why);
	link_close(&w->link);
	lose(w);
}

static struct proxy_worker *
worker_of(struct proxy *px, uint32_t no)
{
	struct proxy_worker *w;

	LIST_FOREACH(w, &px->workers, entry)
		if (w->peer.no == no)
			break;
	return w;
}

void
proxy_take_relay(struct proxy *px, int fd, const struct link_peer *peer)
{
	struct proxy_worker *w = worker_of(px, peer->no);

	if (w != NULL) {
		link_close(&w->link);
		lose(w);
	} else if ((w = calloc(1, sizeof(*w))) != NULL) {
		w->proxy = px;
		LIST_INIT(&w->passages);
		LIST_INSERT_HEAD(&px->workers, w, entry);
	} else {
		close(fd);
		boot_link_lost(px->boot, peer, ERR_SYS);
		return;
	}
	w->peer = *peer;
	if (link_open(&w->link, px->loop, fd, ROLE_PROXY, peer, on_message,
	    on_gone, w) != OK) {
		w->link = NULL;
		boot_link_lost(px->boot, peer, ERR_SYS);
	}
}

void
proxy_drop_relay(struct proxy *px, uint32_t no)
{
	struct proxy_worker *w = worker_of(px, no);

	if (w == NULL)
		return;
	link_close(&w->link);
	lose(w);
	LIST_REMOVE(w, entry);
	free(w);
}

/* The one with the least to do. */
struct proxy_worker *
proxy_worker(struct proxy *px)
{
	struct proxy_worker *w, *best = NULL;

	LIST_FOREACH(w, &px->workers, entry)
		if (w->link != NULL && w->cnt < w->slots &&
		    strcmp(w->peer.block, proxy_relay(px)) == 0 &&
		    (best == NULL || w->cnt < best->cnt))
			best = w;
	return best;
}
