/* lane.c - rings and shares. */
#include <limits.h>
#include <string.h>

#include "base/crc.h"
#include "queue/plan/dispatch.h"
#include "queue/plan/lane.h"

#define PARTS		8	/* that slots are shared by		*/
#define HOST_PARTS	2
#define LEFT_PARTS	1	/* for the proven that had nothing	*/

static const unsigned parts[RANK__COUNT] = {
	[RANK_PROVEN] = 6, [RANK_NEW] = 3, [RANK_SLOW] = 1, [RANK_STUCK] = 2,
	[RANK_DOWN] = 1,
};

void
lane_init(struct lane *l, struct queue *q, const char *relay, unsigned no,
    unsigned cnt)
{
	memset(l, 0, sizeof(*l));
	l->queue = q;
	strlcpy(l->relay, relay, sizeof(l->relay));
	l->no = no;
	l->cnt = cnt;
	for (unsigned i = 0; i < RANK__COUNT; i++) {
		TAILQ_INIT(&l->fresh[i].line);
		TAILQ_INIT(&l->others[i].line);
	}
	RB_INIT(&l->hosts);
}

void
lane_fini(struct lane *l)
{
	timer_stop(&l->press);
}

unsigned
lane_no(const char *name, unsigned cnt)
{
	return crc_of(0, name, strlen(name)) % cnt;
}

bool
lane_owns(const struct lane *l, const struct destination *d)
{
	return strcmp(l->relay, d->relay) == 0 &&
	    lane_no(d->name, l->cnt) == l->no;
}

static unsigned
share_of(unsigned slots, unsigned of_eight)
{
	unsigned share = slots * of_eight / PARTS;

	return share > 0 ? share : 1;
}

static bool
is_shared(const struct lane *l)
{
	return l->destination_cnt > 1 && l->worker != NULL;
}

unsigned
lane_host_share(const struct lane *l)
{
	return is_shared(l) ? share_of(l->worker->slots, HOST_PARTS) :
	    UINT_MAX;
}

/* May one of this rank be given a slot? */
static bool
has_share(const struct lane *l, enum destination_rank rank, bool is_fresh)
{
	const struct worker *w = l->worker;

	if (w == NULL || w->used >= w->slots)
		return false;
	if (!is_shared(l) || (rank == RANK_PROVEN && is_fresh))
		return true;
	if (rank != RANK_PROVEN && l->read_cnt >= LANE_READS_MAX)
		return false;
	if (w->rank_used[rank] >= share_of(w->slots, parts[rank]))
		return false;
	return w->used < w->slots - w->slots * LEFT_PARTS / PARTS;
}

unsigned
lane_pressed(const struct lane *l, enum destination_rank rank)
{
	return l->read_cnt >= LANE_READS_MAX || has_share(l, rank, false) ? 0 :
	    l->fresh[rank].cnt + l->others[rank].cnt;
}

void
lane_remove(struct destination *d)
{
	if (d->ring == NULL)
		return;
	TAILQ_REMOVE(&d->ring->line, d, ready);
	d->ring->cnt--;
	d->ring = NULL;
}

struct destination *
lane_any(struct lane *l)
{
	struct destination *d = NULL;

	for (unsigned i = 0; i < RANK__COUNT && d == NULL; i++) {
		d = TAILQ_FIRST(&l->fresh[i].line);
		if (d == NULL)
			d = TAILQ_FIRST(&l->others[i].line);
	}
	if (d != NULL)
		lane_remove(d);
	return d;
}

void
lane_set(struct destination *d, struct lane *l)
{
	if (d->lane != NULL)
		d->lane->destination_cnt--;
	d->lane = l;
	if (l != NULL)
		l->destination_cnt++;
}

void
lane_put(struct destination *d, int64_t now_ms)
{
	enum destination_rank rank = destination_rank(d, now_ms);
	bool is_fresh = d->has_fresh && d->running == 0;
	struct ring *ring = is_fresh ? &d->lane->fresh[rank] :
	    &d->lane->others[rank];

	d->has_fresh = false;
	if (d->ring == ring || d->ring == &d->lane->fresh[rank])
		return;
	lane_remove(d);
	if (is_fresh)
		TAILQ_INSERT_HEAD(&ring->line, d, ready);
	else
		TAILQ_INSERT_TAIL(&ring->line, d, ready);
	ring->cnt++;
	d->ring = ring;
}

/* Three times of four the front of the fresh, then what waits longest. */
static struct destination *
pick(struct lane *l, enum destination_rank rank)
{
	struct ring *fresh = &l->fresh[rank], *others = &l->others[rank];
	bool may_others = others->cnt > 0 && has_share(l, rank, false);
	bool is_turn = l->pick_cnt % 4 == 3;

	if (fresh->cnt > 0 && has_share(l, rank, true) &&
	    !(is_turn && may_others))
		return is_turn ? TAILQ_LAST(&fresh->line, destinations) :
		    TAILQ_FIRST(&fresh->line);
	return may_others ? TAILQ_FIRST(&others->line) : NULL;
}

struct destination *
lane_next(struct lane *l)
{
	struct destination *d;

	for (unsigned i = 0; i < RANK__COUNT; i++) {
		unsigned rank = (l->rank + i) % RANK__COUNT;

		if ((d = pick(l, rank)) == NULL)
			continue;
		/* Until it has had its turn: its rows may be still to read. */
		d->has_fresh |= d->ring == &l->fresh[rank];
		lane_remove(d);
		l->rank = (rank + 1) % RANK__COUNT;
		l->pick_cnt++;
		return d;
	}
	return NULL;
}
