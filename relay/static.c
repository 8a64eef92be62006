/*
 * static.c - relay type static: all mail goes to one host.
 *
 * Twice as many deliveries are held as there are connections, so that one is
 * ready, its first pieces here, whenever a connection becomes free.
 */
#include <stdlib.h>

#include "relay/kind.h"
#include "relay/pool.h"

struct smarthost {
	struct smtp_client_target target;
	struct pool_limits limits;
	struct pool	*pool;
};

static void
read_slice(struct smarthost *s, const struct kind_env *env)
{
	const struct slice *b = &env->block;

	s->target.dial.host = slice_text(b, "host", 0);
	s->target.dial.port = (uint16_t)slice_num(b, "port");
	s->target.dial.ipv4_only = slice_flag(b, "ipv4_only");
	s->target.dial.connect_ms = (int64_t)slice_num(b, "connect_timeout");
	s->target.command_ms = (int64_t)slice_num(b, "command_timeout");
	s->target.data_ms = (int64_t)slice_num(b, "data_timeout");
	s->target.ehlo_as = slice_text(b, "ehlo_as", 0);
	if (s->target.ehlo_as.len == 0)
		s->target.ehlo_as = env->hostname;
	s->limits.connections =
	    (unsigned)slice_num(b, "concurrent_connections");
	s->limits.idle_ms = (int64_t)slice_num(b, "idle_timeout");
}

static enum err
open_smarthost(void **out, const struct kind_env *env)
{
	struct smarthost *s = calloc(1, sizeof(*s));
	enum err e;

	if (s == NULL)
		return ERR_SYS;
	read_slice(s, env);
	e = pool_open(&s->pool, env->loop, env->resolve, &s->target,
	    &s->limits);
	if (e != OK) {
		free(s);
		return e;
	}
	*out = s;
	return OK;
}

static uint32_t
slots(const void *arg)
{
	const struct smarthost *s = arg;

	return 2 * s->limits.connections;
}

static void
take(void *arg, struct delivery *d)
{
	struct smarthost *s = arg;

	pool_take(s->pool, d);
}

static void
drain(void *arg)
{
	struct smarthost *s = arg;

	pool_drain(s->pool);
}

static bool
is_busy(const void *arg)
{
	const struct smarthost *s = arg;

	return pool_is_busy(s->pool);
}

const struct kind kind_static = {
	.word = "static", .role = ROLE_RELAY, .open = open_smarthost,
	.slots = slots, .take = take, .drain = drain, .is_busy = is_busy,
};
