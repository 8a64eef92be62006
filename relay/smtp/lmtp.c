/*
 * lmtp.c - relay type lmtp: the mail goes to a server that delivers it for
 * good, and says so for each recipient (RFC 2033).
 *
 * At a unix socket TLS is not tried unless the block asks for it, for nobody
 * can listen there; the name in its certificate is then "localhost".
 */
#include "relay/hop/hop_path.h"
#include "relay/smtp/one_hop.h"

struct lmtp {
	struct one_hop	 hop;		/* first: one_hop.c sees no more */
	struct hop_path path;
};

static void
go_by_path(struct lmtp *l, const struct relay_type_env *env)
{
	struct smtp_client_target *t = &l->hop.target;

	t->endpoint = hop_path_open(&l->path, env);
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
