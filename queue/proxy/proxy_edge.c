/* proxy_edge.c - a link to an edge: unpack and call. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "queue/proxy/passage.h"
#include "queue/route/route_utf8.h"
#include "queue/to_edge.h"

static enum err
on_message(struct link *l, unsigned type, const union msg *m, struct span piece,
    int fd, void *arg)
{
	struct proxy_edge *ed = arg;

	switch (type) {
	case MSG_mail_open:
		return passage_mail(ed, &m->mail_open);
	case MSG_mail_rcpt:
		return passage_rcpt(ed, &m->mail_rcpt);
	case MSG_mail_data:
		return passage_data(ed, &m->mail_data);
	case MSG_mail_header:
		return passage_piece(ed, m->mail_header.stream, PART_HEADER,
		    piece);
	case MSG_mail_body:
		return passage_piece(ed, m->mail_body.stream, PART_BODY,
		    piece);
	case MSG_mail_commit:
		return passage_commit(ed, &m->mail_commit, piece);
	case MSG_mail_abort:
		return passage_abort(ed, m->mail_abort.stream);
	default:
		return ERR_PEER;
	}
}

/* Each is over, and the relay hears so; there is nobody else to tell. */
void
proxy_drop_edge(struct proxy_edge *ed)
{
	struct passage *p;

	while ((p = RB_MIN(passage_tree, &ed->passages)) != NULL)
		passage_end(p);
	LIST_REMOVE(ed, entry);
	link_close(&ed->link);
	free(ed);
}

static void
on_gone(struct link *l, enum err why, void *arg)
{
	struct proxy_edge *ed = arg;

	boot_link_lost(ed->proxy->boot, link_peer(l), why);
	proxy_drop_edge(ed);
}

/* What its one hop offers; of many hops each recipient's says what it can. */
static enum queue_utf8
utf8_of(const struct proxy *px, const struct msg_relay_can *hop)
{
	int lacks;

	if (!proxy_has_one_hop(px))
		return route_utf8(px->settings.routes, &lacks);
	return hop->utf8 == HOP_UTF8 ? QUEUE_UTF8 : QUEUE_ASCII;
}

/*
 * A recipient is always asked about, and MAIL is answered by the next hop.
 * What a client is offered is what that one offers us, and nothing before it
 * is known: what it asks for then could not be kept, and nobody could be told.
 * 8BITMIME is offered until a hop is known to lack it: a client that converts
 * for nothing breaks signatures, and MAIL hears of one that lacks it.
 */
static void
tell(const struct proxy_edge *ed)
{
	const struct proxy *px = ed->proxy;
	struct msg_relay_can hop;

	(void)able_says(&px->able, proxy_relay(px), &hop);
	to_edge_state(ed->link, &(struct msg_queue_state){
	    .full = QUEUE_HAS_ROOM, .asks = 1, .waits = 1,
	    .utf8 = (uint8_t)utf8_of(px, &hop), .eightbit = hop.eightbit,
	    .binary = hop.binary, .dsn = hop.dsn, .size = hop.size });
}

void
proxy_tell_edges(struct proxy *px)
{
	struct proxy_edge *ed;

	LIST_FOREACH(ed, &px->edges, entry)
		tell(ed);
}

void
proxy_take_edge(struct proxy *px, int fd, const struct link_peer *peer)
{
	struct proxy_edge *ed = calloc(1, sizeof(*ed));

	if (ed == NULL) {
		close(fd);
		boot_link_lost(px->boot, peer, ERR_SYS);
		return;
	}
	ed->proxy = px;
	strlcpy(ed->name, peer->block, sizeof(ed->name));
	RB_INIT(&ed->passages);
	if (link_open(&ed->link, px->loop, fd, ROLE_PROXY, peer, on_message,
	    on_gone, ed) != OK) {
		free(ed);
		boot_link_lost(px->boot, peer, ERR_SYS);
		return;
	}
	LIST_INSERT_HEAD(&px->edges, ed, entry);
	tell(ed);
}
