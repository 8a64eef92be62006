/*
 * link.c - one end's life: opened, read from and written to as the loop says,
 * given up, closed.  link_send.c and link_receive.c have the frames.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus/build.h"
#include "bus/link_inside.h"

#define READ_ROUNDS	4	/* batches a link may read in one turn,	*/
#define READ_FRAMES	256	/* and none after so many frames	*/

static void
release(struct link *l)
{
	link_drop_all(l);
	free(l);
}

void
link_close(struct link **lp)
{
	struct link *l = *lp;

	*lp = NULL;
	if (l == NULL)
		return;
	ev_fini(&l->ev);
	later_stop(&l->flush);
	close(l->fd);
	l->closed = true;
	if (!l->reading)
		release(l);
}

static void
flush_later(struct later *later, void *arg)
{
	struct link *l = arg;

	if (l->failed)
		l->on_gone(l, l->why, l->arg);
	else
		link_flush(l);
}

/* Others have their turn too. */
static enum err
read_some(struct link *l)
{
	unsigned frame_cnt = 0;
	enum err e = OK;

	for (int i = 0; i < READ_ROUNDS && e == OK &&
	    frame_cnt < READ_FRAMES && !l->closed && !l->failed; i++)
		e = link_receive_batch(l, &frame_cnt);
	return e;
}

static void
link_ready(struct ev *ev, unsigned what, void *arg)
{
	struct link *l = arg;
	enum err e = OK;

	l->reading = true;
	if (what & EV_WRITE)
		link_flush(l);
	if (what & EV_READ)
		e = read_some(l);
	l->reading = false;
	if (l->closed)
		release(l);
	else if (e != OK && e != ERR_AGAIN)
		link_fail(l, e);
}

enum err
link_receive(struct link *l)
{
	if (!l->failed)
		link_ready(&l->ev, EV_READ, l);
	return l->failed ? ERR_CLOSED : OK;
}

enum err
link_open(struct link **out, struct ev_loop *loop, int fd, enum role mine,
    const struct link_peer *peer, link_msg_fn *on_msg, link_gone_fn *on_gone,
    void *arg)
{
	struct msg_hello hello = { BUS_VERSION, span_of(build_id()) };
	const char *topics = getenv("POSTERN_TRACE");
	struct link *l = calloc(1, sizeof(*l));

	if (l == NULL) {
		close(fd);
		return ERR_SYS;
	}
	l->loop = loop;
	l->fd = fd;
	l->mine = mine;
	l->peer = *peer;
	l->on_msg = on_msg;
	l->on_gone = on_gone;
	l->arg = arg;
	l->queue_max = LINK_QUEUE_MAX;
	l->traced = topics != NULL && strstr(topics, "bus") != NULL;
	TAILQ_INIT(&l->queue);
	later_init(&l->flush, loop, flush_later, l);
	if (ev_init(&l->ev, loop, fd, EV_READ, link_ready, l) != OK) {
		close(fd);
		free(l);
		return ERR_SYS;
	}
	(void)link_send_hello(l, &hello);	/* told of by gone() */
	*out = l;
	return OK;
}

size_t
link_unsent(const struct link *l)
{
	return l->unsent;
}

const struct link_peer *
link_peer(const struct link *l)
{
	return &l->peer;
}

void
link_set_role(struct link *l, enum role mine)
{
	l->mine = mine;
}

void
link_set_queue_max(struct link *l, size_t bytes)
{
	l->queue_max = bytes;
}
