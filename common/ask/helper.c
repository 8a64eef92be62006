/* helper.c - one link at a time, and its questions. */
#include <stddef.h>

#include "ask/helper.h"

static enum err
on_msg(struct link *l, unsigned type, const union msg *m, struct span piece,
    int fd, void *arg)
{
	struct helper *h = arg;

	return h->calls->on_msg(h, type, m);
}

/* Nobody will answer what was asked over a link that is gone. */
static void
drop_link(struct helper *h)
{
	link_close(&h->link);
	if (h->calls->on_link == NULL)
		questions_lose(&h->questions);
}

static void
on_gone(struct link *l, enum err why, void *arg)
{
	struct link_peer peer = *link_peer(l);
	struct helper *h = arg;

	drop_link(h);
	h->on_lost(&peer, why, h->arg);
}

void
helper_init(struct helper *h, struct ev_loop *loop,
    const struct helper_calls *calls, helper_lost_fn *on_lost, void *arg)
{
	*h = (struct helper){
		.loop = loop, .calls = calls, .on_lost = on_lost, .arg = arg,
	};
	questions_init(&h->questions, loop, calls->max, calls->on_end);
}

void
helper_fini(struct helper *h)
{
	link_close(&h->link);
}

enum err
helper_set_link(struct helper *h, int fd, enum role mine,
    const struct link_peer *peer)
{
	struct question *q;
	enum err e;

	drop_link(h);
	e = link_open(&h->link, h->loop, fd, mine, peer, on_msg, on_gone, h);
	if (e != OK) {
		h->link = NULL;
		return e;
	}
	if (h->calls->on_link == NULL)
		return OK;
	for (q = questions_first(&h->questions); q != NULL;
	    q = questions_next(q))
		if (!q->has_ended)
			h->calls->on_link(h, q);
	return OK;
}

bool
helper_ask(struct helper *h, struct question *q)
{
	if (!question_ask(&h->questions, q, h->calls->patience_ms))
		return false;
	if (h->link == NULL && h->calls->on_link == NULL)
		question_fail(q, ERR_CLOSED);
	return h->link != NULL;
}
