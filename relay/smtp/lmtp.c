/*
 * lmtp.c - relay type lmtp: the mail goes to a server that delivers it for
 * good, and says so for each recipient (RFC 2033).
 *
 * A unix socket is an endpoint: it lies outside of our empty root, so master
 * connects.  TLS is not tried there unless the block asks for it, for nobody
 * can listen; the name in its certificate is then "localhost".
 */
#include "relay/smtp/one_hop.h"

struct lmtp {
	struct one_hop	 hop;		/* first: one_hop.c sees no more */
	struct hop_endpoint endpoint;
	struct boot	*boot;
	unsigned	 index;		/* of it, in our slice		*/
};

static const struct lmtp *
lmtp_of(const struct hop_endpoint *e)
{
	return (const void *)((const char *)e -
	    offsetof(struct lmtp, endpoint));
}

static uint64_t
open_endpoint(const struct hop_endpoint *e, boot_endpoint_fn *fn, void *arg)
{
	const struct lmtp *l = lmtp_of(e);

	return boot_endpoint(l->boot, l->index, fn, arg);
}

static void
cancel_endpoint(const struct hop_endpoint *e, uint64_t request)
{
	boot_endpoint_cancel(lmtp_of(e)->boot, request);
}

static void
go_by_path(struct lmtp *l, const struct relay_type_env *env)
{
	struct smtp_client_target *t = &l->hop.target;

	l->boot = env->boot;
	l->index = (unsigned)slice_num(&env->block, "path");
	l->endpoint = (struct hop_endpoint){
		.open = open_endpoint, .cancel = cancel_endpoint,
		.hop = slice_text(&env->block, "path", 0),
	};
	t->endpoint = &l->endpoint;
	t->dial.host = SPAN("localhost");	/* who TLS must find */
}

static enum err
prepare(void **out, const struct relay_type_env *env)
{
	struct lmtp *l;
	enum err e = one_hop_new(out, sizeof(*l), env);

	if (e != OK)
		return e;
	l = *out;
	l->hop.target.is_lmtp = true;
	if (slice_text(&env->block, "path", 0).len > 0)
		go_by_path(l, env);
	return OK;
}

const struct relay_type relay_type_lmtp = {
	.prepare = prepare,
	.open = one_hop_open, .slots = one_hop_slots, .take = one_hop_take,
	.drain = one_hop_drain, .is_busy = one_hop_is_busy,
	.can = one_hop_can,
	.takes_binary = true,
};
