/* store_engine.c - what every engine begins with, and says of itself. */
#include "queue/store/store_engine.h"

void
store_engine_init(struct store_base *b, const struct store_start *s)
{
	b->engine = s->engine;
	b->loop = s->loop;
	b->calls = *s->calls;
	b->arg = s->arg;
}

void
store_engine_ready(const struct store_base *b, const struct store_ready *r)
{
	b->calls.ready(r, b->arg);
}

void
store_engine_held(const struct store_base *b, uint64_t message_cnt)
{
	if (b->calls.held != NULL)
		b->calls.held(message_cnt, b->arg);
}

void
store_engine_owned(const struct store_base *b, unsigned shard)
{
	if (b->calls.owned != NULL)
		b->calls.owned(shard, b->arg);
}
