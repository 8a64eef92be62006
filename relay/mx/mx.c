/*
 * mx.c - relay type mx: mail goes to the hosts that the DNS names for its
 * recipients' domain.
 *
 * What is here is the block's settings and the row; the way of a delivery is
 * mx_attempt.c, the hosts that there are mx_lookup.c, their order mx_choose.c,
 * their connections mx_pools.c.
 */
#include <stdlib.h>

#include "relay/relay_type.h"
#include "relay/mx/mx_attempt.h"
#include "relay/smtp/smtp_target.h"
#include "relay/hop/sources.h"

struct mx {
	struct mx_attempts attempts;
	struct mx_pools_common common;
	struct sources	 sources;
	unsigned	 value_cnt;	/* of force_mx read so far	*/
};

/* Pairs of domain and host; the host's number is its port, 0 the block's. */
static void
add_force(struct span text, uint64_t number, void *arg)
{
	struct mx *m = arg;
	struct mx_lookups *l = &m->attempts.lookups;
	struct mx_force *force = &l->forces[m->value_cnt / 2];

	if (m->value_cnt++ % 2 == 0) {
		force->domain = text;
		return;
	}
	force->host = text;
	force->port = number > 0 ? (uint16_t)number : l->port;
	l->force_cnt++;
}

static enum err
read_forces(struct mx *m, const struct slice *block)
{
	unsigned cnt = slice_count(block, "force_mx") / 2;
	struct mx_lookups *l = &m->attempts.lookups;

	if ((l->forces = calloc(cnt + 1, sizeof(*l->forces))) == NULL)
		return ERR_SYS;
	slice_each(block, "force_mx", add_force, m);
	return OK;
}

static enum err
prepare(void **out, const struct relay_type_env *env)
{
	struct mx *m = calloc(1, sizeof(*m));
	enum err e;

	if (m == NULL)
		return ERR_SYS;
	if ((e = smtp_target_read(&m->common.target, &m->common.limits,
	    env)) != OK) {
		free(m);
		return e;
	}
	*out = m;
	return OK;
}

/* *out is what prepare() made; nothing of it is given back on an error. */
static enum err
open_mx(void **out, const struct relay_type_env *env)
{
	struct mx *m = *out;
	struct mx_attempts *a = &m->attempts;
	struct mx_lookups *l = &a->lookups;
	struct dial_target *dial = &m->common.target.dial;
	enum err e;

	sources_read(&m->sources, &env->block);
	if ((e = ourselves_read(&l->ourselves, &env->block,
	    env->hostname)) != OK)
		return e;
	dial->sources = &m->sources;
	dial->ourselves = l->ourselves;
	dial->private_too = slice_flag(&env->block, "private_targets");
	a->loop = env->loop;
	l->resolve = env->resolve;
	l->port = (uint16_t)slice_num(&env->block, "port");
	l->families = dial->families;
	l->seed = arc4random() | 1;
	arc4random_buf(&a->number_seed, sizeof(a->number_seed));
	LIST_INIT(&a->under_way);
	if ((e = read_forces(m, &env->block)) != OK)
		return e;
	m->common.loop = env->loop;
	m->common.resolve = env->resolve;
	return mx_pools_open(&l->pools, &m->common, mx_attempt_go_on, a);
}

static uint32_t
slots(const void *arg)
{
	return SLOTS_MX;	/* how they are shared is the queue's to say */
}

static void
take(void *arg, struct delivery *d)
{
	struct mx *m = arg;

	mx_attempt_begin(&m->attempts, d);
}

static void
drain(void *arg)
{
	struct mx *m = arg;

	mx_attempt_drain(&m->attempts);
	mx_pools_drain(m->attempts.lookups.pools);
}

static bool
is_busy(const void *arg)
{
	const struct mx *m = arg;

	return !LIST_EMPTY(&m->attempts.under_way) ||
	    mx_pools_is_busy(m->attempts.lookups.pools);
}

const struct relay_type relay_type_mx = {
	.prepare = prepare, .open = open_mx,
	.slots = slots, .take = take, .drain = drain, .is_busy = is_busy,
	.takes_binary = true,
};
