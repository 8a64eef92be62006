/*
 * shaking.c - one list, in the order of their last steps.
 *
 * It is short, so a network's share is counted by walking it.  Whoever has to
 * go is ended at the end of the turn: within it he may be the next in somebody
 * else's walk over the clients.
 */
#include <stddef.h>

#include "edge/client/shaking.h"

static void
make_room(struct later *later, void *arg)
{
	struct shaking *s = arg;
	struct shaking_row *row, *next;

	for (row = TAILQ_FIRST(&s->rows); row != NULL; row = next) {
		next = TAILQ_NEXT(row, entry);
		if (row->must_go || s->cnt > SHAKING_MAX)
			s->end(row->client);
	}
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
	TAILQ_REMOVE(&s->rows, row, entry);
	s->cnt--;
}
