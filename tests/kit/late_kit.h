/*
 * late_kit - an engine that answers when the test says so: between a store and
 * its engine, calls of some kinds are held back, and go on in their order.
 * What changes something waits behind what changes something, as with any.
 */
#ifndef TESTS_LATE_KIT_H
#define TESTS_LATE_KIT_H

#include "queue_play.h"

#include "queue/store/store_engine.h"

#define LATE_ALL	UINT64_MAX
#define LATE(kind)	(UINT64_C(1) << STORE_##kind)

static struct {
	struct store_engine engine;	/* the store's, meanwhile	*/
	const struct store_engine *real;
	struct store	*store;
	uint64_t	 kinds;		/* bits: these are held back	*/
	unsigned	 held_cnt, writes_held;
	STAILQ_HEAD(, store_op) held;
	struct timer	 timer;		/* one after the other goes on	*/
	int64_t		 each_ms;
} late;

static inline void
late_hand(struct store *st, struct store_op *op)
{
	bool is_write = op->kind < STORE_READS;

	if ((late.kinds >> op->kind & 1) == 0 &&
	    !(is_write && late.writes_held > 0)) {
		late.real->hand(st, op);
		return;
	}
	late.writes_held += is_write;
	STAILQ_INSERT_TAIL(&late.held, op, entry);
	late.held_cnt++;
	if (late.each_ms > 0 && !timer_running(&late.timer))
		timer_set(&late.timer, late.each_ms);
}

static inline void
late_pass_one(void)
{
	struct store_op *op = STAILQ_FIRST(&late.held);

	STAILQ_REMOVE_HEAD(&late.held, entry);
	late.held_cnt--;
	late.writes_held -= op->kind < STORE_READS;
	late.real->hand(late.store, op);
}

static inline void
late_tick(struct timer *t, void *arg)
{
	late_pass_one();
	if (late.held_cnt > 0)
		timer_set(t, late.each_ms);
}

/* From now on calls of these kinds do not reach the engine of the queue. */
static inline void
late_begin(struct play *p, uint64_t kinds)
{
	struct store_base *base = (struct store_base *)p->q.store;

	memset(&late, 0, sizeof(late));
	late.real = base->engine;
	late.engine = *base->engine;
	late.engine.hand = late_hand;
	late.store = p->q.store;
	late.kinds = kinds;
	STAILQ_INIT(&late.held);
	timer_init(&late.timer, p->kit.loop, late_tick, NULL);
	base->engine = &late.engine;
}

/* All that was held back goes on, and no more is held. */
static inline void
late_end(void)
{
	late.kinds = 0;
	timer_stop(&late.timer);
	while (late.held_cnt > 0)
		late_pass_one();
	((struct store_base *)late.store)->engine = late.real;
}

#endif
