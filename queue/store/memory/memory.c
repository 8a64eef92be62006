/*
 * memory.c - the engine that keeps nothing longer than this process lives: for
 * tests, and for a queue that stands in front of a real one.  All that was
 * handed over is done in one turn of the loop, in order, and then told.
 */
#include <stdlib.h>

#include "base/log.h"
#include "queue/store/memory/memory.h"
#include "sys/clock.h"

static struct memory *
memory_of(struct store *st)
{
	return (struct memory *)st;
}

/* Full at max_bytes, and no longer where a part of that is free again. */
static void
look_for_room(struct memory *m)
{
	uint64_t most = m->max_bytes;

	m->is_full = most > 0 &&
	    m->bytes > (m->is_full ? most - most / 32 : most);
	if (m->is_full == m->was_full)
		return;
	m->was_full = m->is_full;
	m->base.calls.space(m->is_full ? QUEUE_FULL : QUEUE_HAS_ROOM,
	    "max_bytes is reached", m->base.arg);
}

static void
tell_ready(struct memory *m)
{
	struct store_ready r = { .message_cnt = 0 };

	if (m->is_ready)
		return;
	m->is_ready = true;
	if (suspension_new(&r.suspensions) != OK) {
		m->is_out = true;
		return;
	}
	store_engine_ready(&m->base, &r);
	store_engine_owned(&m->base, STORE_SHARD_ALL);
}

static void
tell_held(struct memory *m)
{
	if (m->cnt[MEMORY_MESSAGE] == m->held_cnt)
		return;
	m->held_cnt = m->cnt[MEMORY_MESSAGE];
	store_engine_held(&m->base, m->held_cnt);
}

static void
do_one(struct memory *m, struct store_op *op)
{
	op->err = OK;
	op->err = op->kind < STORE_READS ? memory_apply(m, op) :
	    memory_answer(m, op);
}

/* What callbacks hand over has the next turn. */
static void
take_turn(struct timer *t, void *arg)
{
	struct memory *m = arg;
	struct memory_ops ops = STAILQ_HEAD_INITIALIZER(ops);
	struct store_op *op;

	STAILQ_CONCAT(&ops, &m->ops);
	tell_ready(m);
	STAILQ_FOREACH(op, &ops, entry)
		do_one(m, op);
	memory_story_sweep(m);
	if (m->is_out) {
		m->base.calls.broken("memory is out", 0, m->base.arg);
		return;
	}
	look_for_room(m);
	tell_held(m);
	while ((op = STAILQ_FIRST(&ops)) != NULL) {
		STAILQ_REMOVE_HEAD(&ops, entry);
		op->fn(op, op->err, op->arg);
	}
}

static void
hand(struct store *st, struct store_op *op)
{
	struct memory *m = memory_of(st);

	STAILQ_INSERT_TAIL(&m->ops, op, entry);
	if (!timer_running(&m->turn))
		timer_set(&m->turn, 0);
}

static void
set_limits(struct store *st, const struct store_limits *limits)
{
	struct memory *m = memory_of(st);

	m->max_bytes = limits->max_bytes;
	m->history_bytes = limits->history_bytes;
	m->history_ms = limits->history_ms;
}

static enum err
open_memory(struct store **out, const struct store_start *start)
{
	struct memory *m = calloc(1, sizeof(*m));

	if (m == NULL)
		return ERR_SYS;
	store_engine_init(&m->base, start);
	STAILQ_INIT(&m->ops);
	set_limits((struct store *)m, start->limits);
	m->opened_ms = clock_mono_ms();
	timer_init(&m->turn, start->loop, take_turn, m);
	timer_set(&m->turn, 0);
	*out = (struct store *)m;
	return OK;
}

static void
close_memory(struct store **st)
{
	struct memory *m = memory_of(*st);

	timer_stop(&m->turn);
	memory_clear(m);
	free(m);
	*st = NULL;
}

static int64_t
lived_ms(const struct store *st)
{
	return clock_mono_ms() - ((const struct memory *)st)->opened_ms;
}

const struct store_engine store_memory = {
	.keeps = false, .open = open_memory,
	.close = close_memory, .set_limits = set_limits, .hand = hand,
	.lived_ms = lived_ms,
};
