/*
 * blackhole.c - relay type blackhole: every message counts as delivered.
 */
#include "relay/relay_type.h"

static enum err
open_hole(void **out, const struct relay_type_env *env)
{
	*out = NULL;
	return OK;
}

static uint32_t
slots(const void *hole)
{
	return SLOTS_BLACKHOLE;
}

static void
take(void *hole, struct delivery *d)
{
	struct verdict v = verdict_own(OWN_discarded, STAGE_STORE);

	delivery_end(d, &v, SPAN("blackhole"));
}

static void
drain(void *hole)
{
}

static bool
is_busy(const void *hole)
{
	return false;
}

const struct relay_type relay_type_blackhole = {
	.open = open_hole,
	.slots = slots, .take = take, .drain = drain, .is_busy = is_busy,
	.takes_binary = true,
};
