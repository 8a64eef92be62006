/*
 * sweep_kit - to the end of what the writer of a store sweeps by itself,
 * however long that takes it.
 */
#ifndef TESTS_SWEEP_KIT_H
#define TESTS_SWEEP_KIT_H

#include "queue_kit.h"
#include "queue/store/lmdb/store_inside.h"

/* It has nothing more to sweep, and commits before the store is closed. */
static inline void
sweep_wait(struct kit *k)
{
	const volatile struct store_state *state = &k->store->state;

	kit_until(k, state->loose_cnt == 0);
}

#endif
