/*
 * queue.c - links come and go, a queue's place stays.
 */
#include <stdlib.h>
#include <unistd.h>

#include "ctl/control/ask.h"
#include "ctl/control/from_queue.h"
#include "ctl/control/queue.h"

static enum err
take(struct link *l, unsigned type, const union msg *m, struct span piece,
    int fd, void *arg)
{
	return from_queue_take(arg, type, m);
}

static void
unlink_queue(struct queue *q)
{
	link_close(&q->link);
	questions_lose(&q->queries);
}

static void
gone(struct link *l, enum err why, void *arg)
{
	struct queue *q = arg;
	struct control *c = q->control;

	c->calls->lost(&q->peer, why, c->arg);
	unlink_queue(q);
}

static struct queue *
find_no(struct control *c, uint32_t no)
{
	struct queue *q;

	LIST_FOREACH(q, &c->queues, entry)
		if (q->peer.no == no)
			return q;
	return NULL;
}

void
queue_link(struct control *c, int fd, const struct link_peer *peer)
{
	struct queue *q = find_no(c, peer->no);

	if (q == NULL) {
		if ((q = calloc(1, sizeof(*q))) == NULL) {
			close(fd);
			c->calls->lost(peer, ERR_SYS, c->arg);
			return;
		}
		q->control = c;
		ask_init(&q->queries, c->loop, QUEUE_ASKS_MAX);
		LIST_INSERT_HEAD(&c->queues, q, entry);
	}
	unlink_queue(q);
	q->peer = *peer;
	if (link_open(&q->link, c->loop, fd, ROLE_CONTROL, peer, take, gone,
	    q) != OK)
		c->calls->lost(peer, ERR_SYS, c->arg);
}

static void
free_queue(struct queue *q)
{
	link_close(&q->link);
	ask_fail_all(&q->queries);
	LIST_REMOVE(q, entry);
	free(q);
}

void
queue_gone(struct control *c, uint32_t no)
{
	struct queue *q = find_no(c, no);

	if (q != NULL)
		free_queue(q);
}

struct queue *
queue_find(struct control *c, struct span name)
{
	struct queue *q;

	LIST_FOREACH(q, &c->queues, entry)
		if (span_eq(name, span_of(q->peer.block)))
			return q;
	return NULL;
}

void
queue_close_all(struct control *c)
{
	struct queue *q;

	while ((q = LIST_FIRST(&c->queues)) != NULL)
		free_queue(q);
}
