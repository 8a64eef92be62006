/*
 * store.c - the one front of whatever engine a queue has.
 */
#include "queue/store/store_engine.h"

/* Of each type of queue that has one. */
static const struct {
	const char	*word;
	const struct store_engine *engine;
} engines[] = {
#define STORE(engine)	&engine
#define NO_STORE	NULL
#define QUEUE_KIND(word, role, facts, by)	{ #word, by },
#include "conf/kinds.def"
};

const struct store_engine *
store_engine_find(struct span word)
{
	for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++)
		if (span_eq(word, span_of(engines[i].word)))
			return engines[i].engine;
	return NULL;
}

bool
store_engine_keeps(const struct store_engine *engine)
{
	return engine->keeps;
}

static struct store_base *
base(struct store *st)
{
	return (struct store_base *)st;
}

static const struct store_engine *
engine(const struct store *st)
{
	return ((const struct store_base *)st)->engine;
}

enum err
store_open(struct store **out, const struct store_start *start)
{
	return start->engine->open(out, start);
}

void
store_close(struct store **st)
{
	if (*st != NULL)
		engine(*st)->close(st);
}

void
store_set_limits(struct store *st, const struct store_limits *limits)
{
	engine(st)->set_limits(st, limits);
}

int64_t
store_lived_ms(const struct store *st)
{
	return engine(st)->lived_ms(st);
}

int64_t
store_deadline(const struct store *st)
{
	return engine(st)->deadline == NULL ? INT64_MAX :
	    engine(st)->deadline(st);
}

unsigned
store_shard(const struct store *st, struct span flow)
{
	return engine(st)->shard == NULL ? 0 : engine(st)->shard(st, flow);
}

void
store_release(struct store *st, unsigned shard)
{
	if (engine(st)->release != NULL)
		engine(st)->release(st, shard);
}

/* A message knows how long the store had lived when it came. */
static void
stamp(struct store *st, struct store_accept *a)
{
	if (a != NULL)
		a->message.lived_ms = (uint64_t)store_lived_ms(st);
}

static void
stamp_op(struct store *st, struct store_op *op)
{
	switch (op->kind) {
	case STORE_ACCEPT:
		stamp(st, (struct store_accept *)op);
		break;
	case STORE_REPORT:
		stamp(st, ((struct store_report *)op)->bounce);
		break;
	case STORE_DIGEST:
		stamp(st, ((struct store_digest *)op)->message);
		break;
	}
}

static void
hand(struct store *st, struct store_op *op, enum store_kind kind, store_fn *fn,
    void *arg)
{
	op->kind = kind;
	op->fn = fn;
	op->arg = arg;
	stamp_op(st, op);
	base(st)->engine->hand(st, op);
}

#define WRITE(call, type, kind)						\
void									\
store_##call(struct store *st, struct store_##type *op, store_fn *fn,	\
    void *arg)								\
{									\
	hand(st, &op->op, STORE_##kind, fn, arg);			\
}
#define READ(call, type, kind)	WRITE(call, type, kind)
#include "queue/store/store_ops.def"
#undef WRITE
#undef READ
