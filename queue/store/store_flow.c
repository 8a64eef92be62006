/*
 * store_flow.c - what is the same for all engines: names of flows, and who
 * holds a delivery.
 */
#include <string.h>

#include "queue/store/store.h"

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
	f->len = 0;
	return append_name(f, relay) && append_name(f, destination) &&
	    append_name(f, span_head(tenant, STORE_TURN_MAX));
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
