/*
 * tls_policy.c - see the header.
 */
#include "relay/hop/tls_policy.h"

struct tls_policy
tls_policy_of(const struct tls_policy_known *k)
{
	struct tls_policy p = { k->wanted, k->immediately, k->is_named };

	if (k->is_unix && k->wanted == TLS_OPPORTUNISTIC)
		p.security = TLS_OFF;
	return p;
}

int
tls_policy_compare(const struct tls_policy *a, const struct tls_policy *b)
{
	if (a->security != b->security)
		return a->security < b->security ? -1 : 1;
	if (a->immediately != b->immediately)
		return a->immediately ? 1 : -1;
	return (int)a->is_named - (int)b->is_named;
}

bool
tls_policy_starts(const struct tls_policy *p)
{
	return p->security != TLS_OFF;
}

bool
tls_policy_requires(const struct tls_policy *p)
{
	return p->security >= TLS_REQUIRED;
}

bool
tls_policy_verifies(const struct tls_policy *p)
{
	return p->security == TLS_VERIFIED;
}

bool
tls_policy_may_go_clear(const struct tls_policy *p, bool has_login,
    bool is_local)
{
	return p->security == TLS_OPPORTUNISTIC && !p->immediately &&
	    (!has_login || is_local);
}
