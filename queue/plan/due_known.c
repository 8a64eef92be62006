/*
 * due_known.c - destinations and deliveries by their names: made, found, and
 * forgotten, or kept a while when there is something to remember of them.
 */
#include <stdlib.h>
#include <string.h>

#include "queue/plan/flow.h"

static int
cmp_destination(struct destination *a, struct destination *b)
{
	int c = strcmp(a->relay, b->relay);

	return c != 0 ? c : strcmp(a->name, b->name);
}

static int
cmp_delivery(struct delivery *a, struct delivery *b)
{
	int c = id_cmp(a->place.id, b->place.id);

	if (c != 0)
		return c;
	return (a->place.no > b->place.no) - (a->place.no < b->place.no);
}

RB_GENERATE(destination_tree, destination, by_name, cmp_destination)
RB_GENERATE(delivery_tree, delivery, by_name, cmp_delivery)

static void
forget_destination(struct due *due, struct destination *d)
{
	due->calls.vanish(d, due->arg);
	RB_REMOVE(destination_tree, &due->destinations, d);
	free(d);
}

static void
leave_idle(struct due *due, struct destination *d)
{
	if (!d->is_idle)
		return;
	TAILQ_REMOVE(&due->idle, d, idle);
	due->idle_cnt--;
	d->is_idle = false;
}

/* That it answers, or does not, is worth remembering. */
static bool
is_known(const struct destination *d)
{
	return d->answered_ms > 0 || d->patience_ms > 0 || d->host != NULL ||
	    d->standing.state != STANDING_UP;
}

void
due_tidy(struct due *due, struct destination *d)
{
	if (d->flow_cnt > 0 || d->running > 0 || d->is_idle)
		return;
	if (!is_known(d)) {
		forget_destination(due, d);
		return;
	}
	TAILQ_INSERT_TAIL(&due->idle, d, idle);
	d->is_idle = true;
	if (++due->idle_cnt <= DUE_IDLE_MAX)
		return;
	d = TAILQ_FIRST(&due->idle);
	leave_idle(due, d);
	forget_destination(due, d);
}

struct destination *
due_destination_named(struct due *due, struct span relay, struct span name)
{
	struct destination *d = due_find_destination(due, relay, name);

	if (d != NULL) {
		leave_idle(due, d);
		return d;
	}
	if ((d = calloc(1, sizeof(*d))) == NULL)
		return NULL;
	if (!span_cstr(relay, d->relay, sizeof(d->relay)) ||
	    !span_cstr(name, d->name, sizeof(d->name))) {
		free(d);
		return NULL;
	}
	destination_init(d);
	d->is_strange = due->calls.is_strange != NULL &&
	    due->calls.is_strange(d, due->arg);
	RB_INSERT(destination_tree, &due->destinations, d);
	return d;
}

struct delivery *
due_add(struct due *due, struct flow *f, const struct store_place *place)
{
	struct delivery *dl = calloc(1, sizeof(*dl));

	if (dl == NULL)
		return NULL;
	dl->place = *place;
	dl->flow = f;
	STAILQ_INIT(&dl->results);
	RB_INSERT(delivery_tree, &due->deliveries, dl);
	if (f != NULL)
		f->known_cnt++;
	return dl;
}

uint64_t
due_shard_bits(unsigned shard)
{
	return shard == STORE_SHARD_ALL ? UINT64_MAX :
	    UINT64_C(1) << (shard % STORE_SHARDS);
}

bool
due_owns_all(const struct due *due)
{
	return due->owned == UINT64_MAX;
}

bool
due_owns(const struct due *due, struct span flow)
{
	return due_owns_all(due) ||
	    (due->owned & due_shard_bits(store_shard(due->store, flow))) != 0;
}

struct delivery *
due_find(struct due *due, struct id id, uint32_t no)
{
	struct delivery key = { .place = { .id = id, .no = no } };

	return RB_FIND(delivery_tree, &due->deliveries, &key);
}

struct delivery *
due_find_next(struct due *due, struct id id, uint32_t no)
{
	struct delivery key = { .place = { .id = id, .no = no } }, *dl;

	dl = RB_NFIND(delivery_tree, &due->deliveries, &key);
	return dl != NULL && id_cmp(dl->place.id, id) == 0 ? dl : NULL;
}

struct destination *
due_find_destination(struct due *due, struct span relay, struct span name)
{
	struct destination key;

	if (!span_cstr(relay, key.relay, sizeof(key.relay)) ||
	    !span_cstr(name, key.name, sizeof(key.name)))
		return NULL;
	return RB_FIND(destination_tree, &due->destinations, &key);
}

void
due_drop_results(struct delivery *dl)
{
	struct result *r;

	while ((r = STAILQ_FIRST(&dl->results)) != NULL) {
		STAILQ_REMOVE_HEAD(&dl->results, entry);
		free(r);
	}
	dl->result_cnt = 0;
}

struct destination *
due_destination(const struct delivery *dl)
{
	return dl->flow == NULL ? NULL : dl->flow->destination;
}

struct span
due_flow(const struct delivery *dl)
{
	if (dl->flow == NULL)
		return (struct span){ NULL, 0 };
	return (struct span){ dl->flow->name, dl->flow->name_len };
}

void
due_each(struct due *due, void (*fn)(struct destination *, void *), void *arg)
{
	struct destination *d, *next;

	RB_FOREACH_SAFE(d, destination_tree, &due->destinations, next)
		fn(d, arg);
}

uint64_t
due_down_cnt(struct due *due)
{
	struct destination *d;
	uint64_t cnt = 0;

	RB_FOREACH(d, destination_tree, &due->destinations)
		cnt += !d->is_idle && !destination_is_up(d);
	return cnt;
}
