/*
 * store_flow.c - what is the same for all engines: names of flows, places in
 * them, and who holds a delivery.
 */
#include <string.h>

#include "queue/store/store.h"

#define TURN_MARK	'\n'	/* between tenant and domain	*/

/* Whose it is, is said whole; of his line's domain what there is room for. */
_Static_assert(BLOCK_NAME_MAX + DOMAIN_MAX + STORE_TENANT_MAX + 3 <=
    STORE_FLOW_MAX, "every flow has a name");

/* Version 1 did not say it. */
enum held
store_held_by(const struct record_delivery *d)
{
	if ((int64_t)d->due_ms != STORE_HELD_MS || d->held >= HELD__COUNT)
		return HELD_UNSAID;
	if (d->held == HELD_UNSAID && d->deaths >= STORE_DEATHS_MAX)
		return HELD_DEATHS;
	return d->held;
}

static bool
append_name(struct store_flow *f, struct span s)
{
	if (s.len + 1 > sizeof(f->name) - f->len ||
	    span_find(s, '\0') != s.len)
		return false;
	if (s.len > 0)
		memcpy(f->name + f->len, s.ptr, s.len);
	f->len += s.len;
	f->name[f->len++] = '\0';
	return true;
}

bool
store_flow_name(struct store_flow *f, struct span relay,
    struct span destination, struct span tenant)
{
	size_t room;

	f->len = 0;
	if (!append_name(f, relay) || !append_name(f, destination) ||
	    f->len == sizeof(f->name))
		return false;
	room = sizeof(f->name) - f->len - 1;
	return append_name(f, span_head(tenant, room < STORE_TURN_MAX ? room :
	    STORE_TURN_MAX));
}

/* The next string of a name, without its NUL. */
static struct span
take_name(struct span *rest)
{
	struct span name = span_head(*rest, span_find(*rest, '\0'));

	*rest = span_tail(*rest, name.len + 1);
	return name;
}

struct store_names
store_flow_names(struct span flow)
{
	struct store_names n;

	n.relay = take_name(&flow);
	n.destination = take_name(&flow);
	n.tenant = take_name(&flow);
	return n;
}

struct span
store_flow_span(const struct store_flow *f)
{
	return (struct span){ f->name, f->len };
}

struct span
store_flow_tenant(struct span flow)
{
	size_t end = span_find(flow, TURN_MARK);

	return span_head(flow, end < flow.len ? end : flow.len - 1);
}

size_t
store_turn_put(char *at, struct span tenant, struct span domain)
{
	if (tenant.len > 0)
		memcpy(at, tenant.ptr, tenant.len);
	if (domain.len == 0)
		return tenant.len;
	at[tenant.len] = TURN_MARK;
	memcpy(at + tenant.len + 1, domain.ptr, domain.len);
	return tenant.len + 1 + domain.len;
}

struct store_place
store_place(int64_t due_ms, struct id id, uint32_t no)
{
	return (struct store_place){ due_ms, id, no };
}

struct store_place
store_place_before(int64_t due_ms)
{
	return (struct store_place){ .due_ms = due_ms };
}

int
store_place_cmp(const struct store_place *a, const struct store_place *b)
{
	int c;

	if (a->due_ms != b->due_ms)
		return a->due_ms < b->due_ms ? -1 : 1;
	if ((c = id_cmp(a->id, b->id)) != 0)
		return c;
	return (a->no > b->no) - (a->no < b->no);
}
