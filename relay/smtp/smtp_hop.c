/* smtp_hop.c - a connection of smtp_client.h as its pool sees it. */
#include "relay/smtp/smtp_client.h"

static void *
make(struct ev_loop *loop, struct resolve *resolve, const void *target,
    const struct hop_calls *calls, void *arg)
{
	return smtp_client_new(loop, resolve, target, calls, arg);
}

static void
free_it(void *arg)
{
	struct smtp_client *c = arg;

	smtp_client_free(&c);
}

static void
start(void *c)
{
	smtp_client_start(c);
}

static bool
is_free(const void *c)
{
	return smtp_client_is_free(c);
}

static bool
was_used(const void *c)
{
	return smtp_client_was_used(c);
}

static bool
is_alive(void *c)
{
	return smtp_client_is_alive(c);
}

static struct place *
place(void *c)
{
	return smtp_client_place(c);
}

static void
deliver(void *c, struct delivery *d)
{
	smtp_client_deliver(c, d);
}

static void
quit(void *c)
{
	smtp_client_quit(c);
}

static void
close_it(void *c)
{
	smtp_client_close(c);
}

const struct hop_kind smtp_client_hop = {
	.make = make, .free = free_it, .start = start, .is_free = is_free,
	.was_used = was_used, .is_alive = is_alive, .place = place,
	.deliver = deliver, .quit = quit, .close = close_it,
};
