/* one_hop.c - a pool with its settings. */
#include <stdio.h>
#include <stdlib.h>

#include "relay/smtp/one_hop.h"
#include "relay/hop/slow.h"
#include "relay/smtp/smtp_target.h"

enum err
one_hop_new(void **out, size_t size, const struct relay_type_env *env)
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

/*
 * Who offers SMTPUTF8 takes 8BITMIME with it (RFC 6531 3.1).  The target is its
 * owner's first member; that is not const.
 */
static void
take_offers(const struct smtp_client_target *t, const struct ehlo *ehlo)
{
	struct one_hop *h = (struct one_hop *)(uintptr_t)t;
	enum hop_utf8 utf8 = ehlo->has & EHLO_SMTPUTF8 ? HOP_UTF8 : HOP_ASCII;
	bool binary = (~ehlo->has & (EHLO_CHUNKING | EHLO_BINARYMIME)) == 0;
	bool dsn = (ehlo->has & EHLO_DSN) != 0;
	bool eightbit = (ehlo->has & (EHLO_8BITMIME | EHLO_SMTPUTF8)) != 0 ||
	    t->eightbit == SMTP_8BIT_SEND;
	uint64_t size = ehlo->has & EHLO_SIZE ? ehlo->size : 0;

	if (utf8 == h->utf8 && eightbit == h->eightbit &&
	    binary == h->binary && dsn == h->dsn && size == h->size)
		return;
	h->utf8 = utf8;
	h->eightbit = eightbit;
	h->binary = binary;
	h->dsn = dsn;
	h->size = size;
	if (h->env->changed != NULL)
		h->env->changed(h->env->changed_arg);
}

void
one_hop_can(const void *arg, struct msg_relay_can *out)
{
	const struct one_hop *h = arg;

	out->utf8 = (uint8_t)h->utf8;
	out->eightbit = h->eightbit;
	out->binary = h->binary;
	out->dsn = h->dsn;
	out->size = h->size;
	out->hop = span_of(h->name);
}

static void
name_hop(struct one_hop *h)
{
	const struct smtp_client_target *t = &h->target;

	if (t->endpoint != NULL)
		(void)snprintf(h->name, sizeof(h->name), "%.*s",
		    (int)t->endpoint->hop.len, t->endpoint->hop.ptr);
	else
		(void)snprintf(h->name, sizeof(h->name), "%.*s:%u",
		    (int)t->dial.host.len, t->dial.host.ptr, t->dial.port);
}

/* The question. */

#define ASK_MOST_MS	3600000

static void
on_offered(void *arg)
{
	struct one_hop *h = arg;

	smtp_client_quit(h->asking);
}

static void
on_nothing_back(struct delivery *d, void *arg)
{
}

static void
ask_again(struct one_hop *h)
{
	h->ask_ms = h->ask_ms < ASK_MOST_MS / 2 ? h->ask_ms * 2 : ASK_MOST_MS;
	timer_set(&h->ask, h->ask_ms);
}

static void
on_asked(const struct verdict *why, struct span hop, void *arg)
{
	struct one_hop *h = arg;

	smtp_client_free(&h->asking);
	if (h->utf8 == HOP_UNKNOWN)
		ask_again(h);
}

static const struct hop_calls ask_calls = {
	on_offered, on_nothing_back, on_asked
};

static void
ask(struct timer *t, void *arg)
{
	struct one_hop *h = arg;

	if (h->utf8 != HOP_UNKNOWN)
		return;
	h->asking = smtp_client_new(h->loop, h->env->resolve, &h->target,
	    &ask_calls, h);
	if (h->asking == NULL)
		ask_again(h);
	else
		smtp_client_start(h->asking);
}

static void
begin_asking(struct one_hop *h)
{
	const struct boot *boot = h->env->boot;

	timer_init(&h->ask, h->loop, ask, h);
	h->ask_ms = (int64_t)slice_num(&h->env->block, "ask_after");
	if (h->ask_ms > 0 && (boot == NULL || boot_self(boot)->worker == 0))
		timer_set(&h->ask, h->ask_ms);
}

enum err
one_hop_open(void **out, const struct relay_type_env *env)
{
	struct one_hop *h = *out;

	h->loop = env->loop;
	h->env = env;
	h->target.offers = take_offers;
	name_hop(h);
	begin_asking(h);
	return pool_open(&h->pool, env->loop, env->resolve, &smtp_client_hop,
	    &h->target, &h->limits);
}

uint32_t
one_hop_slots(const void *arg)
{
	const struct one_hop *h = arg;

	return SLOTS_EACH * h->limits.connections;
}

static void
on_ended(struct delivery *d, void *arg)
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
	d->on_end = on_ended;
	d->on_end_arg = h;
	pool_take(h->pool, d);
}

void
one_hop_drain(void *arg)
{
	struct one_hop *h = arg;

	timer_stop(&h->ask);
	smtp_client_free(&h->asking);
	pool_drain(h->pool);
}

bool
one_hop_is_busy(const void *arg)
{
	const struct one_hop *h = arg;

	return pool_is_busy(h->pool);
}
