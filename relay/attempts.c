/*
 * attempts.c - ids end in random bytes, so a few of them make a fair hash.
 */
#include <stdlib.h>
#include <string.h>

#include "relay/attempts.h"

static unsigned
place_of(struct id id, uint32_t delivery)
{
	uint32_t n;

	memcpy(&n, id.b + sizeof(id.b) - sizeof(n), sizeof(n));
	return (n ^ delivery) & (ATTEMPTS_PLACES - 1);
}

void
attempts_init(struct attempts *b)
{
	memset(b, 0, sizeof(*b));
	TAILQ_INIT(&b->queues);
	for (unsigned i = 0; i < ATTEMPTS_PLACES; i++)
		LIST_INIT(&b->places[i]);
}

struct attempts_queue *
attempts_queue_of(struct attempts *b, const char *block, void *owner)
{
	struct attempts_queue *q;

	TAILQ_FOREACH(q, &b->queues, entry)
		if (strcmp(q->block, block) == 0)
			return q;
	if ((q = calloc(1, sizeof(*q))) == NULL)
		return NULL;
	if (!span_cstr(span_of(block), q->block, sizeof(q->block))) {
		free(q);
		return NULL;
	}
	q->owner = owner;
	TAILQ_INIT(&q->deliveries);
	TAILQ_INSERT_TAIL(&b->queues, q, entry);
	return q;
}

struct delivery *
attempts_find(const struct attempts *b, const struct attempts_queue *q,
    struct id id, uint32_t delivery, uint64_t attempt)
{
	struct delivery *d;

	LIST_FOREACH(d, &b->places[place_of(id, delivery)], hash_entry)
		if (d->home == q && d->delivery == delivery &&
		    d->attempt == attempt && id_cmp(d->id, id) == 0)
			return d;
	return NULL;
}

void
attempts_add(struct attempts *b, struct attempts_queue *q, struct delivery *d)
{
	d->home = q;
	TAILQ_INSERT_TAIL(&q->deliveries, d, entry);
	LIST_INSERT_HEAD(&b->places[place_of(d->id, d->delivery)], d,
	    hash_entry);
	b->delivery_cnt++;
	b->opening_cnt++;
}

void
attempts_whole(struct attempts *b)
{
	b->opening_cnt--;
}

void
attempts_remove(struct attempts *b, struct delivery *d)
{
	struct attempts_queue *q = d->home;

	if (q->last == d)
		q->last = NULL;
	TAILQ_REMOVE(&q->deliveries, d, entry);
	LIST_REMOVE(d, hash_entry);
	b->delivery_cnt--;
	if (!d->is_passing && !delivery_is_whole(d))
		b->opening_cnt--;
	delivery_free(&d);
}
