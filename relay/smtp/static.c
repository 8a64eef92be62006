/*
 * static.c - relay type static: all mail goes to one host, with a login where
 * the block has credentials.
 */
#include "relay/smtp/one_hop.h"

static enum err
prepare(void **out, const struct relay_type_env *env)
{
	struct one_hop *h;
	enum err e = one_hop_new(out, sizeof(*h), env);

	if (e != OK)
		return e;
	h = *out;
	sources_read(&h->sources, &env->block);
	h->target.dial.sources = &h->sources;
	return OK;
}

const struct relay_type relay_type_static = {
	.prepare = prepare,
	.open = one_hop_open, .slots = one_hop_slots, .take = one_hop_take,
	.drain = one_hop_drain, .is_busy = one_hop_is_busy,
	.can = one_hop_can,
	.takes_binary = true,
};
