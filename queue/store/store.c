/*
 * store.c - the one door to whatever engine a queue has, and what is the same
 * for all of them: names of flows, and who holds a delivery.
 */
#include <errno.h>
#include <string.h>

#include "queue/store/store_engine.h"

static const struct store_engine *const engines[] = {
	&store_lmdb, &store_memory,
};

const struct store_engine *
store_engine_find(struct span word)
{
	for (size_t i = 0; i < sizeof(engines) / sizeof(engines[0]); i++)
		if (span_eq(word, span_of(engines[i]->word)))
			return engines[i];
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
store_engine_owned(const struct store_base *b, unsigned shard)
{
	if (b->calls.owned != NULL)
		b->calls.owned(shard, b->arg);
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

/* Version 1 did not say it. */
enum held
store_held_by(const struct record_delivery *d)
{
	if ((int64_t)d->due_ms != STORE_HELD_MS || d->held >= HELD__COUNT)
		return HELD_UNSAID;
	if (d->held == HELD_UNSAID && d->deaths >= STORE_DEATHS_MAX)
		return HELD_DEATHS;
	return d->held;
}

static bool
append_name(struct store_flow *f, struct span s)
{
	if (s.len + 1 > sizeof(f->name) - f->len ||
	    span_find(s, '\0') != s.len)
		return false;
	if (s.len > 0)
		memcpy(f->name + f->len, s.ptr, s.len);
	f->len += s.len;
	f->name[f->len++] = '\0';
	return true;
}

bool
store_flow_name(struct store_flow *f, struct span relay,
    struct span destination, struct span tenant)
{
	f->len = 0;
	return append_name(f, relay) && append_name(f, destination) &&
	    append_name(f, span_head(tenant, STORE_TURN_MAX));
}

/* The next string of a name, without its NUL. */
static struct span
take_name(struct span *rest)
{
	struct span name = span_head(*rest, span_find(*rest, '\0'));

	*rest = span_tail(*rest, name.len + 1);
	return name;
}

struct store_names
store_flow_names(struct span flow)
{
	struct store_names n;

	n.relay = take_name(&flow);
	n.destination = take_name(&flow);
	n.tenant = take_name(&flow);
	return n;
}
