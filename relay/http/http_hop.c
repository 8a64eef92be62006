/* http_hop.c - a connection of http_client.h as its pool sees it. */
#include "relay/http/http_client.h"

static void *
make(struct ev_loop *loop, struct resolve *resolve, const void *target,
    const struct hop_calls *calls, void *arg)
{
	return http_client_new(loop, resolve, target, calls, arg);
}

static void
free_it(void *arg)
{
	struct http_client *c = arg;

	http_client_free(&c);
}

static void
start(void *c)
{
	http_client_start(c);
}

static bool
is_free(const void *c)
{
	return http_client_is_free(c);
}

static bool
was_used(const void *c)
{
	return http_client_was_used(c);
}

static bool
is_alive(void *c)
{
	return http_client_is_alive(c);
}

static struct place *
place(void *c)
{
	return http_client_place(c);
}

static void
deliver(void *c, struct delivery *d)
{
	http_client_deliver(c, d);
}

/* HTTP has no word for it. */
static void
close_it(void *c)
{
	http_client_close(c);
}

const struct hop_kind http_client_hop = {
	.make = make, .free = free_it, .start = start, .is_free = is_free,
	.was_used = was_used, .is_alive = is_alive, .place = place,
	.deliver = deliver, .quit = close_it, .close = close_it,
};
