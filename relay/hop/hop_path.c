/* hop_path.c - see the header. */
#include <stddef.h>

#include "relay/hop/hop_path.h"

static const struct hop_path *
path_of(const struct hop_endpoint *e)
{
	return (const void *)((const char *)e -
	    offsetof(struct hop_path, endpoint));
}

static uint64_t
open_endpoint(const struct hop_endpoint *e, boot_endpoint_fn *fn, void *arg)
{
	const struct hop_path *p = path_of(e);

	return boot_endpoint(p->boot, p->index, fn, arg);
}

static void
cancel_endpoint(const struct hop_endpoint *e, uint64_t request)
{
	boot_endpoint_cancel(path_of(e)->boot, request);
}

const struct hop_endpoint *
hop_path_open(struct hop_path *p, const struct relay_type_env *env)
{
	p->boot = env->boot;
	p->index = (unsigned)slice_num(&env->block, "path");
	p->endpoint = (struct hop_endpoint){
		.open = open_endpoint, .cancel = cancel_endpoint,
		.hop = slice_text(&env->block, "path", 0),
	};
	return &p->endpoint;
}
