/*
 * shaking.c - one list, in the order of their last steps.
 *
 * It is short, so a network's share is counted by walking it, and so is a
 * neighbourhood's, whenever one comes or goes.  Whoever has to go is ended at
 * the end of the turn: within it he may be the next in somebody else's walk
 * over the clients.
 */
#include <stddef.h>
#include <string.h>

#include "edge/client/shaking.h"

/* Whoever has a few addresses has them here; loopback has none. */
static bool
is_near(const struct client_address *a, const struct client_address *b)
{
	return a->family == b->family && !client_address_is_loopback(a) &&
	    memcmp(a->bytes, b->bytes, a->family == 6 ? 6 :
	    a->family == 4 ? 3 : 4) == 0;
}

/* It has come, or has gone, and is listed just now. */
static void
count_near(struct shaking *s, struct shaking_row *one, bool has_come)
{
	struct shaking_row *row;

	one->near_cnt = 1;
	TAILQ_FOREACH(row, &s->rows, entry) {
		if (row == one || !is_near(&row->address, &one->address))
			continue;
		if (has_come) {
			row->near_cnt++;
			one->near_cnt++;
		} else {
			row->near_cnt--;
		}
	}
}

/* The first of those that have most neighbours. */
static struct shaking_row *
find_fullest(const struct shaking *s)
{
	struct shaking_row *row, *most = TAILQ_FIRST(&s->rows);

	TAILQ_FOREACH(row, &s->rows, entry)
		if (row->near_cnt > most->near_cnt)
			most = row;
	return most;
}

static void
make_room(struct later *later, void *arg)
{
	struct shaking *s = arg;
	struct shaking_row *row, *next;

	for (row = TAILQ_FIRST(&s->rows); row != NULL; row = next) {
		next = TAILQ_NEXT(row, entry);
		if (row->must_go)
			s->end(row->client);
	}
	while (s->cnt > SHAKING_MAX)
		s->end(find_fullest(s)->client);
}

/* Of a network that now has too many, the first goes. */
static void
mark_first(struct shaking *s, const struct client_address *address)
{
	struct shaking_row *row, *first = NULL;
	unsigned cnt = 0;

	TAILQ_FOREACH(row, &s->rows, entry) {
		if (row->must_go ||
		    !client_address_is_same(&row->address, address))
			continue;
		if (cnt++ == 0)
			first = row;
	}
	if (cnt > SHAKING_OF_NETWORK)
		first->must_go = true;
}

void
shaking_init(struct shaking *s, struct ev_loop *loop, shaking_end_fn *end)
{
	TAILQ_INIT(&s->rows);
	s->end = end;
	later_init(&s->later, loop, make_room, s);
}

void
shaking_fini(struct shaking *s)
{
	later_stop(&s->later);
}

void
shaking_begin(struct shaking *s, struct shaking_row *row, void *client,
    const struct client_address *address)
{
	row->address = *address;
	row->client = client;
	row->is_listed = true;
	row->must_go = false;
	TAILQ_INSERT_TAIL(&s->rows, row, entry);
	count_near(s, row, true);
	s->cnt++;
	if (s->cnt <= SHAKING_OF_NETWORK)
		return;
	if (!client_address_is_loopback(address))
		mark_first(s, address);
	later_call(&s->later);
}

void
shaking_moved(struct shaking *s, struct shaking_row *row)
{
	if (!row->is_listed)
		return;
	TAILQ_REMOVE(&s->rows, row, entry);
	TAILQ_INSERT_TAIL(&s->rows, row, entry);
}

void
shaking_over(struct shaking *s, struct shaking_row *row)
{
	if (!row->is_listed)
		return;
	row->is_listed = false;
	count_near(s, row, false);
	TAILQ_REMOVE(&s->rows, row, entry);
	s->cnt--;
}
