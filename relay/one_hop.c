/* one_hop.c - a pool with its settings. */
#include <stdlib.h>

#include "relay/one_hop.h"
#include "relay/slow.h"
#include "relay/smtp_target.h"

enum err
one_hop_new(void **out, size_t size, const struct kind_env *env)
{
	struct one_hop *h = calloc(1, size);
	enum err e;

	if (h == NULL)
		return ERR_SYS;
	e = smtp_target_read(&h->target, &h->limits, env);
	if (e != OK) {
		free(h);
		return e;
	}
	h->target.dial.private_too = true;	/* the block names it */
	*out = h;
	return OK;
}

enum err
one_hop_open(void **out, const struct kind_env *env)
{
	struct one_hop *h = *out;

	h->loop = env->loop;
	return pool_open(&h->pool, env->loop, env->resolve, &h->target,
	    &h->limits);
}

uint32_t
one_hop_slots(const void *arg)
{
	const struct one_hop *h = arg;

	return 2 * h->limits.connections;
}

static void
has_ended(struct delivery *d, void *arg)
{
	struct one_hop *h = arg;

	if (d->late == 0)
		return;
	h->target.patient |= d->late;
	h->patient_until_ms = ev_now_ms(h->loop) + SLOW_HOST_MS;
}

void
one_hop_take(void *arg, struct delivery *d)
{
	struct one_hop *h = arg;

	if (ev_now_ms(h->loop) >= h->patient_until_ms)
		h->target.patient = 0;
	d->on_end = has_ended;
	d->on_end_arg = h;
	pool_take(h->pool, d);
}

void
one_hop_drain(void *arg)
{
	struct one_hop *h = arg;

	pool_drain(h->pool);
}

bool
one_hop_is_busy(const void *arg)
{
	const struct one_hop *h = arg;

	return pool_is_busy(h->pool);
}
