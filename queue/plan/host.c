/*
 * host.c - a host lives as long as a destination is linked to it or a delivery
 * is under way to it.  All that changes it ends in host_look(), which wakes as
 * many as may send, sets the clock, or frees it.
 */
#include <limits.h>
#include <stdlib.h>

#include "base/log.h"
#include "queue/queue.h"
#include "queue/plan/host.h"
#include "queue/plan/lane.h"

#define BUSY_MS		1000	/* nothing under way: ask it again	*/

static int
cmp_host(struct host *a, struct host *b)
{
	return (a->key > b->key) - (a->key < b->key);
}

#define LOCAL	__attribute__((unused)) static
RB_GENERATE_INTERNAL(host_tree, host, by_key, cmp_host, LOCAL)

static int64_t
now_of(const struct host *h)
{
	return ev_now_ms(h->lane->queue->loop);
}

/* A pause is over: the host's own, or that of one which takes no more. */
static void
look_again(struct timer *t, void *arg)
{
	struct host *h = arg;

	if (h->running == 0 && h->limit == 0)
		h->limit = 1;
	host_look(h);
}

static struct host *
find(struct lane *l, uint64_t key)
{
	struct host find = { .key = key };
	struct host *h = RB_FIND(host_tree, &l->hosts, &find);

	if (h != NULL || (h = calloc(1, sizeof(*h))) == NULL)
		return h;
	h->key = key;
	h->lane = l;
	h->limit = UINT_MAX;
	TAILQ_INIT(&h->resting);
	timer_init(&h->timer, l->queue->loop, look_again, h);
	RB_INSERT(host_tree, &l->hosts, h);
	return h;
}

void
host_unlink(struct destination *d)
{
	struct host *h = d->host;

	if (h == NULL)
		return;
	host_rest_no_more(d);
	d->host = NULL;
	h->linked_cnt--;
	host_look(h);
}

/* Without memory the destination just goes on by itself. */
void
host_link(struct destination *d, uint64_t key)
{
	struct host *h;

	if (d->host != NULL && d->host->key == key)
		return;
	host_unlink(d);
	if ((h = find(d->lane, key)) == NULL)
		return;
	d->host = h;
	h->linked_cnt++;
}

void
host_takes(struct host *h, unsigned room)
{
	h->limit = h->running + room;
}

void
host_refuses(struct host *h)
{
	h->limit = h->running;
	if (h->standing.state == STANDING_DOWN)
		standing_wait(&h->standing, now_of(h));
	host_look(h);
}

bool
host_may_send(const struct host *h, int64_t now_ms, unsigned most)
{
	return h->running < (h->limit < most ? h->limit : most) &&
	    standing_may_send(&h->standing, now_ms);
}

void
host_sent(struct host *h)
{
	h->running++;
	standing_sent(&h->standing);
}

void
host_back(struct host *h)
{
	h->running--;
}

void
host_rest(struct destination *d)
{
	TAILQ_INSERT_TAIL(&d->host->resting, d, rest);
	d->is_resting = true;
	host_look(d->host);
}

void
host_rest_no_more(struct destination *d)
{
	if (d->is_resting)
		TAILQ_REMOVE(&d->host->resting, d, rest);
	d->is_resting = false;
}

static void
free_host(struct host *h)
{
	timer_stop(&h->timer);
	RB_REMOVE(host_tree, &h->lane->hosts, h);
	free(h);
}

/* A probe is one; else as many as there is room for. */
static void
wake(struct host *h, unsigned most)
{
	unsigned cnt = h->limit < most ? h->limit : most;
	struct destination *d;

	cnt = h->standing.state == STANDING_DOWN ? 1 : cnt - h->running;
	while (cnt-- > 0 && (d = TAILQ_FIRST(&h->resting)) != NULL) {
		host_rest_no_more(d);
		h->lane->on_ready(d);
	}
}

void
host_look(struct host *h)
{
	unsigned most = lane_host_share(h->lane);
	int64_t now_ms = now_of(h), wait_ms = BUSY_MS;

	if (h->linked_cnt == 0 && h->running == 0) {
		free_host(h);
		return;
	}
	if (TAILQ_EMPTY(&h->resting))
		return;
	if (host_may_send(h, now_ms, most)) {
		wake(h, most);
		return;
	}
	if (h->standing.state == STANDING_DOWN)
		wait_ms = h->standing.next_try_ms - now_ms;
	else if (h->running > 0)
		return;			/* what comes back wakes */
	if (wait_ms < BUSY_MS / 10)
		wait_ms = BUSY_MS / 10;
	timer_set(&h->timer, wait_ms);
}

void
host_free_all(struct host_tree *hosts)
{
	struct host *h;

	while ((h = RB_MIN(host_tree, hosts)) != NULL)
		free_host(h);
}
