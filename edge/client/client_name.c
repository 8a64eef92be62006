/*
 * client_name.c - from the address to names, from each name back.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ask/dnsname.h"
#include "ask/resolve.h"
#include "edge/client/client_name.h"

struct client_name {
	struct resolve	*resolve;
	struct resolve_query *query;
	struct client_address address;
	client_name_fn	*fn;
	void		*arg;
	unsigned	 cnt, tried;
	char		 names[CLIENT_NAMES_MAX][DNSNAME_MAX + 1];
};

const char *
client_name_own(const struct client_address *a)
{
	static const uint8_t own4[4] = { 127, 0, 0, 1 };
	static const uint8_t own6[16] = { [15] = 1 };

	if (a->family == 4 && memcmp(a->bytes, own4, sizeof(own4)) == 0)
		return "localhost";
	if (a->family == 6 && memcmp(a->bytes, own6, sizeof(own6)) == 0)
		return "localhost";
	return NULL;
}

/* Tells, and is gone; the one told may do as it likes. */
static void
tell(struct client_name *n, const char *name)
{
	client_name_fn *fn = n->fn;
	void *arg = n->arg;
	char kept[DNSNAME_MAX + 1];

	if (name != NULL)
		snprintf(kept, sizeof(kept), "%s", name);
	free(n);
	fn(name != NULL ? kept : NULL, arg);
}

static bool
has_address(const struct resolve_found *f, const struct client_address *a)
{
	size_t len = a->family == 4 ? 4 : 16;

	for (unsigned i = 0; i < f->address_cnt; i++)
		if (f->addresses[i].family == a->family &&
		    memcmp(f->addresses[i].bytes, a->bytes, len) == 0)
			return true;
	return false;
}

static void confirm(struct client_name *);

static void
on_addresses(const struct resolve_found *f, void *arg)
{
	struct client_name *n = arg;

	n->query = NULL;
	if (has_address(f, &n->address))
		tell(n, n->names[n->tried - 1]);
	else
		confirm(n);
}

/* The next name that is one. */
static void
confirm(struct client_name *n)
{
	struct span name;

	if (n->tried < n->cnt) {
		name = span_of(n->names[n->tried++]);
		n->query = resolve_addresses(n->resolve, name,
		    n->address.family == 4 ? RESOLVE_IPV4 : RESOLVE_IPV6,
		    on_addresses, n);
	}
	if (n->query == NULL)
		tell(n, NULL);
}

/* One of a host: an address is no name of itself. */
static bool
is_name(struct span wire, char out[DNSNAME_MAX + 1])
{
	struct resolve_address unused;
	char text[DNSNAME_TEXT];

	return dnsname_of_wire(wire, text) &&
	    dnsname_fold(span_of(text), out) &&
	    !resolve_literal(span_of(out), &unused);
}

static void
on_names(const struct resolve_answer *a, void *arg)
{
	struct client_name *n = arg;
	struct span records = a->records, one = { NULL, 0 };

	n->query = NULL;
	while (n->cnt < CLIENT_NAMES_MAX && resolve_record(&records, &one))
		n->cnt += is_name(one, n->names[n->cnt]);
	confirm(n);
}

struct client_name *
client_name_ask(struct resolve *resolve, const struct client_address *a,
    client_name_fn *fn, void *arg)
{
	char name[DNSNAME_MAX + 1];
	struct client_name *n;

	if (resolve == NULL || client_address_is_local(a) ||
	    (n = calloc(1, sizeof(*n))) == NULL)
		return NULL;
	n->resolve = resolve;
	n->address = *a;
	n->fn = fn;
	n->arg = arg;
	if (dnsname_reversed(name, a->bytes, a->family == 4 ? 4 : 16,
	    a->family == 4 ? SPAN("in-addr.arpa") : SPAN("ip6.arpa")))
		n->query = resolve_ask(resolve, RESOLVE_PTR, span_of(name),
		    on_names, n);
	if (n->query == NULL) {
		free(n);
		return NULL;
	}
	return n;
}

void
client_name_cancel(struct client_name **np)
{
	struct client_name *n = *np;

	*np = NULL;
	if (n == NULL)
		return;
	resolve_cancel(&n->query);
	free(n);
}
