/*
 * due.c - what is known of destinations and deliveries; which of them is next
 * is due_take.c's, their rows and whose tenant's turn comes are the flows'
 * (flow.c).
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "queue/plan/flow.h"
#include "queue/walk/hasten.h"
#include "sys/clock.h"

static int
cmp_destination(struct destination *a, struct destination *b)
{
	int c = strcmp(a->relay, b->relay);

	return c != 0 ? c : strcmp(a->name, b->name);
}

static int
cmp_delivery(struct delivery *a, struct delivery *b)
{
	int c = id_cmp(a->place.id, b->place.id);

	if (c != 0)
		return c;
	return (a->place.no > b->place.no) - (a->place.no < b->place.no);
}

#define LOCAL	__attribute__((unused)) static
RB_GENERATE_INTERNAL(destination_tree, destination, by_name, cmp_destination,
    LOCAL)
RB_GENERATE_INTERNAL(delivery_tree, delivery, by_name, cmp_delivery, LOCAL)

static void
forget_destination(struct due *due, struct destination *d)
{
	due->calls.vanish(d, due->arg);
	RB_REMOVE(destination_tree, &due->destinations, d);
	free(d);
}

static void
leave_idle(struct due *due, struct destination *d)
{
	if (!d->is_idle)
		return;
	TAILQ_REMOVE(&due->idle, d, idle);
	due->idle_cnt--;
	d->is_idle = false;
}

/* That it answers, or does not, is worth remembering. */
static bool
is_known(const struct destination *d)
{
	return d->answered_ms > 0 || d->patience_ms > 0 || d->host != NULL ||
	    d->standing.state != STANDING_UP;
}

void
due_tidy(struct due *due, struct destination *d)
{
	if (d->flow_cnt > 0 || d->running > 0 || d->is_idle)
		return;
	if (!is_known(d)) {
		forget_destination(due, d);
		return;
	}
	TAILQ_INSERT_TAIL(&due->idle, d, idle);
	d->is_idle = true;
	if (++due->idle_cnt <= DUE_IDLE_MAX)
		return;
	d = TAILQ_FIRST(&due->idle);
	leave_idle(due, d);
	forget_destination(due, d);
}

struct destination *
due_destination_named(struct due *due, struct span relay, struct span name)
{
	struct destination *d = due_find_destination(due, relay, name);

	if (d != NULL) {
		leave_idle(due, d);
		return d;
	}
	if ((d = calloc(1, sizeof(*d))) == NULL)
		return NULL;
	if (!span_cstr(relay, d->relay, sizeof(d->relay)) ||
	    !span_cstr(name, d->name, sizeof(d->name))) {
		free(d);
		return NULL;
	}
	destination_init(d);
	d->is_strange = due->calls.is_strange != NULL &&
	    due->calls.is_strange(d, due->arg);
	RB_INSERT(destination_tree, &due->destinations, d);
	return d;
}

struct delivery *
due_add(struct due *due, struct flow *f, const struct store_place *place)
{
	struct delivery *dl = calloc(1, sizeof(*dl));

	if (dl == NULL)
		return NULL;
	dl->place = *place;
	dl->flow = f;
	STAILQ_INIT(&dl->results);
	RB_INSERT(delivery_tree, &due->deliveries, dl);
	if (f != NULL)
		f->known_cnt++;
	return dl;
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

static uint64_t
shard_bits(unsigned shard)
{
	return shard == STORE_SHARD_ALL ? UINT64_MAX :
	    UINT64_C(1) << (shard % STORE_SHARDS);
}

bool
due_owns_all(const struct due *due)
{
	return due->owned == UINT64_MAX;
}

bool
due_owns(const struct due *due, struct span flow)
{
	return due_owns_all(due) ||
	    (due->owned & shard_bits(store_shard(due->store, flow))) != 0;
}

void
due_own(struct due *due, unsigned shard)
{
	due->owned |= shard_bits(shard);
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

	due->owned &= ~shard_bits(shard);
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

void
due_note_flow(struct due *due, const struct store_flow *name,
    const struct store_place *place)
{
	struct flow *f;

	if (!due_owns(due, store_flow_span(name)))
		return;
	if ((f = flow_find(due, name)) == NULL)
		log_why(LOG_trouble, "a due row waits for the next start", 0);
	else
		flow_note(f, place);
}

void
due_moved(struct due *due, const struct store_flow *flow,
    const struct store_place *place)
{
	struct delivery *dl = due_find(due, place->id, place->no);

	if (dl != NULL)
		dl->place.due_ms = place->due_ms;
	due_note_flow(due, flow, place);
}

void
due_note(struct due *due, struct span relay, struct span destination,
    struct span tenant, const struct store_place *place)
{
	struct store_flow name;

	if (store_flow_name(&name, relay, destination, tenant))
		due_note_flow(due, &name, place);
	else
		log_why(LOG_trouble, "a due row waits for the next start", 0);
}

struct delivery *
due_find(struct due *due, struct id id, uint32_t no)
{
	struct delivery key = { .place = { .id = id, .no = no } };

	return RB_FIND(delivery_tree, &due->deliveries, &key);
}

struct delivery *
due_find_next(struct due *due, struct id id, uint32_t no)
{
	struct delivery key = { .place = { .id = id, .no = no } }, *dl;

	dl = RB_NFIND(delivery_tree, &due->deliveries, &key);
	return dl != NULL && id_cmp(dl->place.id, id) == 0 ? dl : NULL;
}

struct destination *
due_find_destination(struct due *due, struct span relay, struct span name)
{
	struct destination key;

	if (!span_cstr(relay, key.relay, sizeof(key.relay)) ||
	    !span_cstr(name, key.name, sizeof(key.name)))
		return NULL;
	return RB_FIND(destination_tree, &due->destinations, &key);
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
	return true;
}

void
due_drop_results(struct delivery *dl)
{
	struct result *r;

	while ((r = STAILQ_FIRST(&dl->results)) != NULL) {
		STAILQ_REMOVE_HEAD(&dl->results, entry);
		free(r);
	}
	dl->result_cnt = 0;
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

struct destination *
due_destination(const struct delivery *dl)
{
	return dl->flow == NULL ? NULL : dl->flow->destination;
}

struct span
due_flow(const struct delivery *dl)
{
	if (dl->flow == NULL)
		return (struct span){ NULL, 0 };
	return (struct span){ dl->flow->name, dl->flow->name_len };
}

void
due_each(struct due *due, void (*fn)(struct destination *, void *), void *arg)
{
	struct destination *d, *next;

	RB_FOREACH_SAFE(d, destination_tree, &due->destinations, next)
		fn(d, arg);
}

uint64_t
due_down_cnt(struct due *due)
{
	struct destination *d;
	uint64_t cnt = 0;

	RB_FOREACH(d, destination_tree, &due->destinations)
		cnt += !d->is_idle && !destination_is_up(d);
	return cnt;
}
