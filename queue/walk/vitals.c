/*
 * vitals.c - looked at now and then: to keep account at each change would be
 * dearer, and nobody looks that often.  With very many destinations it is
 * looked at less often, so that no more than one part in a hundred of the
 * loop's time goes there.
 */
#include <stdlib.h>

#include "queue/plan/due.h"
#include "queue/store/store_list.h"
#include "queue/walk/vitals.h"
#include "sys/clock.h"
#include "sys/counters.h"

#define VITALS_MS	5000
#define PART		100	/* of the loop's time, at most		*/

struct vitals {
	struct queue	*queue;
	struct timer	 timer;
	struct store_read_totals read;
};

static void
totals_read(struct store_op *op, enum err e, void *arg)
{
	struct vitals *v = arg;
	int64_t begun_ms = clock_mono_ms();

	if (e == OK)
		counter_set(COUNTER_oldest, v->read.messages == 0 ? 0 :
		    (uint64_t)due_id_ms(v->read.oldest));
	counter_set(COUNTER_down, due_down_cnt(v->queue->due));
	timer_set(&v->timer, VITALS_MS + PART * (clock_mono_ms() - begun_ms));
}

static void
look(struct timer *t, void *arg)
{
	struct vitals *v = arg;

	store_read_totals(v->queue->store, &v->read, totals_read, v);
}

enum err
vitals_open(struct vitals **out, struct queue *q)
{
	struct vitals *v = calloc(1, sizeof(*v));

	if (v == NULL)
		return ERR_SYS;
	v->queue = q;
	timer_init(&v->timer, q->loop, look, v);
	timer_set(&v->timer, VITALS_MS);
	*out = v;
	return OK;
}

void
vitals_close(struct vitals **vp)
{
	if (*vp == NULL)
		return;
	timer_stop(&(*vp)->timer);
	free(*vp);
	*vp = NULL;
}
