/* from_edge.c - unpack and call. */
#include <unistd.h>

#include "queue/from_edge.h"
#include "queue/intake/intake.h"

static enum err
on_message(struct link *l, unsigned type, const union msg *m, struct span piece,
    int fd, void *arg)
{
	struct edge *ed = arg;

	switch (type) {
	case MSG_mail_open:
		return intake_mail(ed, &m->mail_open);
	case MSG_mail_rcpt:
		return intake_rcpt(ed, &m->mail_rcpt);
	case MSG_mail_body:
		return intake_piece(ed, m->mail_body.stream, PART_BODY, piece);
	case MSG_mail_header:
		return intake_piece(ed, m->mail_header.stream, PART_HEADER,
		    piece);
	case MSG_mail_commit:
		return intake_commit(ed, &m->mail_commit, piece);
	case MSG_mail_abort:
		return intake_abort(ed, m->mail_abort.stream);
	default:
		return ERR_PEER;
	}
}

static void
on_gone(struct link *l, enum err why, void *arg)
{
	struct edge *ed = arg;

	boot_link_lost(intake_queue(ed)->boot, link_peer(l), why);
	intake_edge_gone(&ed);
}

void
from_edge_peer(struct queue *q, int fd, const struct link_peer *peer)
{
	struct edge *ed = intake_edge(q, peer);
	struct link *l;

	if (ed == NULL) {
		close(fd);
		boot_link_lost(q->boot, peer, ERR_SYS);
		return;
	}
	if (link_open(&l, q->loop, fd, ROLE_QUEUE, peer, on_message, on_gone,
	    ed) != OK) {
		intake_edge_gone(&ed);
		boot_link_lost(q->boot, peer, ERR_SYS);
		return;
	}
	intake_edge_linked(ed, l);
}
