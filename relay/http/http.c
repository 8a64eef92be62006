/*
 * http.c - relay type http: the mail goes to a program that takes it by HTTP,
 * as an edge of type http does.
 *
 * What it can is known without asking: 8 bits and addresses of any kind pass,
 * and nothing is heard of reports, so they are ours to send.
 */
#include <stdlib.h>

#include "relay/hop/hop_path.h"
#include "relay/hop/sources.h"
#include "relay/http/http_client.h"

struct http {
	struct http_target target;
	struct pool_limits limits;
	struct sources	 sources;
	struct hop_path	 path;
	struct http_learnt learnt;
	struct pool	*pool;
};

static enum err
prepare(void **out, const struct relay_type_env *env)
{
	struct http *h = calloc(1, sizeof(*h));
	enum err e;

	if (h == NULL)
		return ERR_SYS;
	if ((e = http_target_read(&h->target, &h->limits, env)) != OK) {
		free(h);
		return e;
	}
	sources_read(&h->sources, &env->block);
	h->target.dial.sources = &h->sources;
	h->target.learnt = &h->learnt;
	if (slice_text(&env->block, "path", 0).len > 0)
		h->target.endpoint = hop_path_open(&h->path, env);
	*out = h;
	return OK;
}

static enum err
open_http(void **out, const struct relay_type_env *env)
{
	struct http *h = *out;

	return pool_open(&h->pool, env->loop, env->resolve, &http_client_hop,
	    &h->target, &h->limits);
}

static uint32_t
slots(const void *arg)
{
	const struct http *h = arg;

	return SLOTS_EACH * h->limits.connections;
}

static void
take(void *arg, struct delivery *d)
{
	struct http *h = arg;

	pool_take(h->pool, d);
}

static void
drain(void *arg)
{
	struct http *h = arg;

	pool_drain(h->pool);
}

static bool
is_busy(const void *arg)
{
	const struct http *h = arg;

	return pool_is_busy(h->pool);
}

static void
can(const void *arg, struct msg_relay_can *out)
{
	const struct http *h = arg;

	out->utf8 = HOP_UTF8;
	out->eightbit = true;
	out->binary = out->dsn = false;
	out->size = 0;
	out->hop = h->target.endpoint != NULL ? h->target.endpoint->hop :
	    h->target.host;
}

const struct relay_type relay_type_http = {
	.prepare = prepare, .open = open_http, .slots = slots, .take = take,
	.drain = drain, .is_busy = is_busy, .can = can,
};
