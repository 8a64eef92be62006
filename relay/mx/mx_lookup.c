/*
 * mx_lookup.c - each thing that is asked is a step, and what follows from its
 * answer stands in the table of steps.
 */
#include <string.h>

#include "relay/mx/mx_lookup.h"

/* What is asked comes back as one of the two. */
struct answer {
	enum resolve_status status;
	enum resolve_trust trust;
	struct span	 records;		/* of STEP_MX		*/
};

static void	ask(struct mx_lookup *, enum mx_lookup_step);

static void
end(struct mx_lookup *l, enum own own)
{
	l->calls->none(own, l->arg);
}

/* One host, whose name or address is known. */
static void
go_to(struct mx_lookup *l, struct span host, uint16_t port)
{
	l->hosts.cnt = 1;
	l->hosts.left_out = false;
	l->hosts.hosts[0].preference = 0;
	l->port = port;
	if (span_cstr(host, l->hosts.hosts[0].name,
	    sizeof(l->hosts.hosts[0].name)))
		l->calls->hosts(l->arg);
	else
		end(l, OWN_domain_invalid);
}

static bool
is_ours(struct span name, const void *arg)
{
	return ourselves_has_name(arg, name);
}

static void
end_unanswered(struct mx_lookup *l, const struct answer *answer)
{
	end(l, answer->trust == TRUST_BOGUS ? OWN_domain_forged :
	    OWN_domain_unanswered);
}

/* It is a host, but none for us. */
static void
end_for_others(struct mx_lookup *l, const struct answer *answer)
{
	struct resolve_found none = { .status = RESOLVED_NODATA };

	mx_pools_log_unusable(l->home->pools, span_of(l->domain), &none);
	end(l, OWN_mx_no_address);
}

/* Neither MX nor address; or one, of a family that the block leaves out. */
static void
try_others(struct mx_lookup *l, const struct answer *answer)
{
	if (l->home->families == RESOLVE_BOTH)
		end(l, OWN_domain_bare);
	else
		ask(l, STEP_OTHERS);
}

/* No MX: is the domain itself a host?  RFC 5321 5.1, implicit MX. */
static void
try_domain(struct mx_lookup *l, const struct answer *answer)
{
	if (ourselves_has_name(l->home->ourselves, span_of(l->domain)))
		end(l, OWN_loop);
	else
		ask(l, STEP_ADDRESSES);
}

static void
go_to_domain(struct mx_lookup *l, const struct answer *answer)
{
	go_to(l, span_of(l->domain), l->home->port);
}

static void
take_records(struct mx_lookup *l, const struct answer *answer)
{
	switch (mx_choose(&l->hosts, answer->records, is_ours,
	    l->home->ourselves, &l->home->seed)) {
	case MX_HOSTS:
		l->calls->hosts(l->arg);
		break;
	case MX_NULL:
		end(l, OWN_mx_null);
		break;
	case MX_OURSELVES:
		end(l, OWN_loop);
		break;
	case MX_UNUSABLE:
		end(l, OWN_mx_no_host);
		break;
	}
}

/* The table of steps. */

#define GO(call)	{ .go = call }
#define END(why)	{ .own = OWN_##why }

static const struct {
	struct {
		void	(*go)(struct mx_lookup *, const struct answer *);
		enum own own;		/* the end, where there is no call */
	} on[RESOLVE__COUNT];
} steps[] = {
	[STEP_MX] = { {
		[RESOLVED] =		GO(take_records),
		[RESOLVED_NODATA] =	GO(try_domain),
		[RESOLVED_NXDOMAIN] =	END(domain_unknown),
		[RESOLVED_FAILED] =	GO(end_unanswered),
	} },
	[STEP_ADDRESSES] = { {
		[RESOLVED] =		GO(go_to_domain),
		[RESOLVED_NODATA] =	GO(try_others),
		[RESOLVED_NXDOMAIN] =	END(domain_unknown),
		[RESOLVED_FAILED] =	GO(end_unanswered),
	} },
	[STEP_OTHERS] = { {
		[RESOLVED] =		GO(end_for_others),
		[RESOLVED_NODATA] =	END(domain_bare),
		[RESOLVED_NXDOMAIN] =	GO(end_for_others),
		[RESOLVED_FAILED] =	GO(end_for_others),
	} },
};

#undef GO
#undef END

static void
take(struct mx_lookup *l, const struct answer *answer)
{
	l->query = NULL;
	if (steps[l->step].on[answer->status].go != NULL)
		steps[l->step].on[answer->status].go(l, answer);
	else
		end(l, steps[l->step].on[answer->status].own);
}

static void
take_answer(const struct resolve_answer *r, void *arg)
{
	take(arg, &(struct answer){ .status = r->status, .trust = r->trust,
	    .records = r->records });
}

static void
take_found(const struct resolve_found *f, void *arg)
{
	take(arg, &(struct answer){ .status = f->status, .trust = f->trust });
}

/* The one place where anything is asked. */
static void
ask(struct mx_lookup *l, enum mx_lookup_step step)
{
	struct span name = span_of(l->domain);

	l->step = step;
	l->query = step == STEP_MX ?
	    resolve_ask(l->home->resolve, RESOLVE_MX, name, take_answer, l) :
	    resolve_addresses(l->home->resolve, name, step == STEP_OTHERS ?
	    RESOLVE_BOTH : l->home->families, take_found, l);
	if (l->query == NULL)
		end(l, OWN_no_memory);
}

/* [192.0.2.1] or [IPv6:2001:db8::1], RFC 5321 4.1.3. */
static bool
read_literal(struct span domain, char *out, size_t cap)
{
	struct resolve_address a;
	struct span inner;

	if (domain.len < 3 || domain.ptr[0] != '[' ||
	    domain.ptr[domain.len - 1] != ']')
		return false;
	inner = span_head(span_tail(domain, 1), domain.len - 2);
	if (span_begins_nocase(inner, SPAN("IPv6:")))
		inner = span_tail(inner, 5);
	return resolve_literal(inner, &a) && span_cstr(inner, out, cap);
}

static const struct mx_force *
find_force(const struct mx_lookups *home, struct span domain)
{
	for (unsigned i = 0; i < home->force_cnt; i++)
		if (span_eq(home->forces[i].domain, domain))
			return &home->forces[i];
	return NULL;
}

/* An old queue may hold a destination that is none yet. */
void
mx_lookup_begin(struct mx_lookup *l, struct mx_lookups *home,
    struct span destination, const struct mx_lookup_calls *calls, void *arg)
{
	struct span domain = { l->domain, domain_key(destination, l->domain) };
	const struct mx_force *force = find_force(home, domain);
	char address[DNSNAME_MAX + 1], name[DNSNAME_MAX + 1];

	l->home = home;
	l->calls = calls;
	l->arg = arg;
	l->query = NULL;
	l->port = home->port;
	l->is_forced = force != NULL;
	if (force != NULL) {
		go_to(l, force->host, force->port);
	} else if (read_literal(domain, address, sizeof(address))) {
		go_to(l, span_of(address), home->port);
	} else if (!dnsname_fold(domain, name)) {
		end(l, OWN_domain_invalid);
	} else {
		ask(l, STEP_MX);
	}
}

void
mx_lookup_cancel(struct mx_lookup *l)
{
	resolve_cancel(&l->query);
}
