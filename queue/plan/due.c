/*
 * due.c - from the start to the end, and what becomes of a delivery.  Which is
 * next is due_take.c's, their rows and whose tenant's turn comes are the flows'
 * (flow.c); what is known, and by which name, due_known.c's.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "queue/plan/flow.h"
#include "queue/store/store_due.h"
#include "queue/store/store_envelope.h"
#include "queue/walk/hasten.h"
#include "sys/clock.h"

/*
 * Whose shards something is under way.  What was adopted may be of any until it
 * is attached.
 */
static uint64_t
busy_shards(struct due *due)
{
	struct delivery *dl;
	uint64_t busy = 0;

	RB_FOREACH(dl, delivery_tree, &due->deliveries)
		busy |= dl->flow == NULL ? UINT64_MAX :
		    due_shard_bits(store_shard(due->store, due_flow(dl)));
	return busy;
}

static void
release(struct due *due, uint64_t shards)
{
	due->leaving &= ~shards;
	if (shards == UINT64_MAX) {
		store_release(due->store, STORE_SHARD_ALL);
		return;
	}
	for (unsigned i = 0; i < STORE_SHARDS; i++)
		if ((shards & due_shard_bits(i)) != 0)
			store_release(due->store, i);
}

/* Once a turn, however much of it ends in one. */
static void
release_rested(struct later *l, void *arg)
{
	struct due *due = arg;

	if (due->leaving != 0)
		release(due, due->leaving & ~busy_shards(due));
}

enum err
due_open(struct due **out, struct ev_loop *loop, struct store *store,
    const struct due_calls *calls, void *arg)
{
	struct due *due = calloc(1, sizeof(*due));

	if (due == NULL)
		return ERR_SYS;
	due->loop = loop;
	due->store = store;
	due->calls = *calls;
	due->arg = arg;
	TAILQ_INIT(&due->idle);
	due->on_set_back = hasten_start;
	later_init(&due->release, loop, release_rested, due);
	flow_init(due);
	*out = due;
	return OK;
}

/* At the end of the process: what is still on its way is never read. */
void
due_close(struct due **d)
{
	struct due *due = *d;
	struct delivery *dl;
	struct destination *to;

	if (due == NULL)
		return;
	while ((dl = RB_MIN(delivery_tree, &due->deliveries)) != NULL) {
		struct delivery *gone = dl;

		RB_REMOVE(delivery_tree, &due->deliveries, dl);
		due_drop_results(gone);
		free(gone->envelope);
		free(gone);
	}
	flow_fini(due);
	while ((to = RB_MIN(destination_tree, &due->destinations)) != NULL) {
		RB_REMOVE(destination_tree, &due->destinations, to);
		due->calls.vanish(to, due->arg);
		free(to);
	}
	free(due->scan);
	hasten_stop(due);
	later_stop(&due->release);
	free(due);
	*d = NULL;
}

static void flows_read(struct store_op *, enum err, void *);

static void
scan_flow(struct due *due, const struct store_flow *name)
{
	struct flow *f;

	if (!due_owns(due, store_flow_span(name)))
		return;
	if ((f = flow_find(due, name)) == NULL) {
		log_why(LOG_trouble, "a flow does not fit in memory", 0);
		return;
	}
	flow_found(f, name->due_ms);
}

static void
flows_read(struct store_op *op, enum err e, void *arg)
{
	struct store_read_flows *r = (struct store_read_flows *)op;
	struct due *due = arg;

	if (e != OK) {
		log_why(LOG_trouble, "the due index cannot be read", 0);
		free(r);
		due->scan = NULL;
		due->is_blind = true;
		return;
	}
	for (unsigned i = 0; i < r->cnt; i++)
		scan_flow(due, &r->flows[i]);
	if (due->scan_again) {
		due->scan_again = false;
		r->after.len = 0;
		store_read_flows(due->store, r, flows_read, due);
		return;
	}
	if (!r->at_end && r->cnt > 0) {
		r->after = r->flows[r->cnt - 1];
		store_read_flows(due->store, r, flows_read, due);
		return;
	}
	free(r);
	due->scan = NULL;
	hasten_start(due);
}

void
due_set_longest(struct due *due, int64_t ms)
{
	bool is_less = ms < due->longest_ms;

	due->longest_ms = ms;
	if (is_less)
		hasten_start(due);
}

void
due_start(struct due *due)
{
	due->scan_again = due->scan != NULL;
	if (due->scan_again)
		return;
	due->scan = calloc(1, sizeof(*due->scan));
	due->is_blind = due->scan == NULL;
	if (due->is_blind) {
		log_why(LOG_trouble, "no memory to read the due index", 0);
		return;
	}
	store_read_flows(due->store, due->scan, flows_read, due);
}

void
due_own(struct due *due, unsigned shard)
{
	due->owned |= due_shard_bits(shard);
	due->leaving &= ~due->owned;
	due_start(due);
}

/*
 * What is under way ends here: its result is kept, and what is to be tried
 * again then is another's.
 */
void
due_disown(struct due *due, unsigned shard)
{
	struct delivery *dl, *next;

	due->leaving |= due->owned & due_shard_bits(shard);
	due->owned &= ~due_shard_bits(shard);
	RB_FOREACH_SAFE(dl, delivery_tree, &due->deliveries, next) {
		struct flow *f = dl->flow;

		if (f == NULL || due_owns(due, due_flow(dl)) ||
		    (dl->state != DELIVERY_WAITING &&
		    dl->state != DELIVERY_SUSPECT))
			continue;
		f->known_cnt++;		/* flow_leave() frees it */
		due_forget(due, &dl);
		f->known_cnt--;
	}
	flow_leave_others(due);
	later_call(&due->release);
}

void
due_release_all(struct due *due)
{
	uint64_t all = due->owned | due->leaving;

	due->owned = 0;
	release(due, all);
}

void
due_resume(struct due *due, const char *relay, const char *domain)
{
	hasten_resumed(due, relay, domain);
}

bool
due_is_blind(const struct due *due)
{
	return due->is_blind;
}

bool
due_is_empty(const struct due *due)
{
	return due->scan == NULL && RB_EMPTY(&due->flows) &&
	    RB_EMPTY(&due->deliveries);
}

struct delivery *
due_adopt(struct due *due, struct id id, uint32_t no)
{
	struct store_place place = store_place(0, id, no);
	struct delivery *dl = due_add(due, NULL, &place);

	if (dl != NULL)
		dl->state = DELIVERY_ADOPTING;
	return dl;
}

bool
due_attach(struct due *due, struct delivery *dl, const struct envelope *env)
{
	struct store_flow name;

	dl->place.due_ms = (int64_t)env->delivery.due_ms;
	if (dl->flow != NULL)
		return true;
	if (!store_flow_name(&name, env->delivery.relay,
	    env->delivery.destination, env->delivery.tenant))
		return false;
	if ((dl->flow = flow_find(due, &name)) == NULL)
		return false;
	dl->flow->known_cnt++;
	if (due->leaving != 0)
		later_call(&due->release);	/* it is of one by now */
	return true;
}

void
due_forget(struct due *due, struct delivery **d)
{
	struct delivery *dl = *d;
	struct flow *f = dl->flow;

	due_pick(due, dl);
	RB_REMOVE(delivery_tree, &due->deliveries, dl);
	due_drop_results(dl);
	free(dl->envelope);
	free(dl);
	*d = NULL;
	if (due->leaving != 0)
		later_call(&due->release);
	if (f != NULL) {
		f->known_cnt--;
		if (f->known_cnt == 0)
			flow_tidy(f);
	}
}

void
due_put_back(struct due *due, struct delivery **d)
{
	struct store_place place = (*d)->place;
	struct flow *f = (*d)->flow;

	if (f == NULL || !due_owns(due, due_flow(*d))) {
		due_forget(due, d);
		return;
	}
	f->known_cnt++;		/* keeps the flow while we do this */
	due_forget(due, d);
	f->known_cnt--;
	flow_wind_back(f, &place);
}
