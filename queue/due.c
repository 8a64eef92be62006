/*
 * due.c - the cursor of a flow, and how it stays right.
 *
 * `cursor` is the last row taken into memory; all rows up to it are in memory,
 * under way, or gone.  A row noted behind the cursor is found by the next read;
 * one noted before it winds the cursor back.  While a read is on its way, notes
 * are only remembered, for nobody can tell whether its snapshot had them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "queue/due.h"
#include "sys/clock.h"

#define LOOK_MS		60000	/* wall time is looked at this often	*/

struct flow {
	RB_ENTRY(flow)	 by_name;
	RB_ENTRY(flow)	 by_wake;
	TAILQ_ENTRY(flow) turn;
	struct due	*due;
	struct destination *destination;
	bool		 has_turn;	/* in destination->turns	*/
	bool		 has_wake;	/* in due->wakes		*/
	bool		 at_end;	/* nothing unread before next_ms */
	bool		 noted;		/* ... while reading		*/
	int64_t		 next_ms;	/* due of the next unread row	*/
	int64_t		 wake_ms;	/* key of by_wake		*/
	struct store_place cursor;
	struct store_place noted_first;
	struct store_read_due *read;	/* on its way, or NULL		*/
	struct deliveries waiting;
	unsigned	 waiting_cnt;
	unsigned	 known_cnt;	/* deliveries that point here	*/
	struct store_flow name;
};

RB_HEAD(destination_tree, destination);
RB_HEAD(flow_tree, flow);
RB_HEAD(wake_tree, flow);
RB_HEAD(delivery_tree, delivery);

struct due {
	struct ev_loop	*loop;
	struct store	*store;
	struct due_calls calls;
	void		*arg;
	struct timer	 timer;
	struct destination_tree destinations;
	struct flow_tree flows;
	struct wake_tree wakes;
	struct delivery_tree deliveries;
	struct store_read_flows *scan;
};

static int
cmp_destination(struct destination *a, struct destination *b)
{
	int c = strcmp(a->relay, b->relay);

	return c != 0 ? c : strcmp(a->name, b->name);
}

static int
cmp_flow(struct flow *a, struct flow *b)
{
	if (a->name.len != b->name.len)
		return a->name.len < b->name.len ? -1 : 1;
	return memcmp(a->name.name, b->name.name, a->name.len);
}

static int
cmp_wake(struct flow *a, struct flow *b)
{
	if (a->wake_ms != b->wake_ms)
		return a->wake_ms < b->wake_ms ? -1 : 1;
	return cmp_flow(a, b);
}

static int
cmp_delivery(struct delivery *a, struct delivery *b)
{
	int c = id_cmp(a->place.id, b->place.id);

	if (c != 0)
		return c;
	return (a->place.no > b->place.no) - (a->place.no < b->place.no);
}

static int
cmp_place(const struct store_place *a, const struct store_place *b)
{
	int c;

	if (a->due_ms != b->due_ms)
		return a->due_ms < b->due_ms ? -1 : 1;
	if ((c = id_cmp(a->id, b->id)) != 0)
		return c;
	return (a->no > b->no) - (a->no < b->no);
}

#define LOCAL	__attribute__((unused)) static
RB_GENERATE_INTERNAL(destination_tree, destination, by_name, cmp_destination,
    LOCAL)
RB_GENERATE_INTERNAL(flow_tree, flow, by_name, cmp_flow, LOCAL)
RB_GENERATE_INTERNAL(wake_tree, flow, by_wake, cmp_wake, LOCAL)
RB_GENERATE_INTERNAL(delivery_tree, delivery, by_name, cmp_delivery, LOCAL)

static void
arm(struct due *due)
{
	struct flow *f = RB_MIN(wake_tree, &due->wakes);
	int64_t wait_ms;

	if (f == NULL) {
		timer_stop(&due->timer);
		return;
	}
	wait_ms = f->wake_ms - clock_wall_ms();
	if (wait_ms < 0)
		wait_ms = 0;
	timer_set(&due->timer, wait_ms < LOOK_MS ? wait_ms : LOOK_MS);
}

static void
drop_wake(struct flow *f)
{
	if (f->has_wake)
		RB_REMOVE(wake_tree, &f->due->wakes, f);
	f->has_wake = false;
}

static void
give_turn(struct flow *f)
{
	drop_wake(f);
	if (!f->has_turn)
		TAILQ_INSERT_TAIL(&f->destination->turns, f, turn);
	f->has_turn = true;
	f->due->calls.ready(f->destination, f->due->arg);
}

static void
drop_turn(struct flow *f)
{
	if (f->has_turn)
		TAILQ_REMOVE(&f->destination->turns, f, turn);
	f->has_turn = false;
}

static void
set_wake(struct flow *f)
{
	drop_wake(f);
	f->wake_ms = f->next_ms;
	RB_INSERT(wake_tree, &f->due->wakes, f);
	f->has_wake = true;
	if (RB_MIN(wake_tree, &f->due->wakes) == f)
		arm(f->due);
}

static bool
has_more(const struct flow *f)
{
	return !f->at_end || f->next_ms <= clock_wall_ms();
}

void
due_tidy(struct due *due, struct destination *d)
{
	/* Down is worth remembering: whoever finds it up again tidies. */
	if (d->flow_cnt > 0 || d->running > 0 ||
	    d->state != DESTINATION_ALIVE)
		return;
	due->calls.vanish(d, due->arg);
	RB_REMOVE(destination_tree, &due->destinations, d);
	free(d);
}

/* Free a flow that nothing is left of. */
static void
free_flow(struct flow *f)
{
	struct destination *d = f->destination;
	struct due *due = f->due;

	if (f->known_cnt > 0 || f->read != NULL || !f->at_end ||
	    f->next_ms != INT64_MAX)
		return;
	drop_turn(f);
	drop_wake(f);
	RB_REMOVE(flow_tree, &due->flows, f);
	d->flow_cnt--;
	free(f);
	due_tidy(due, d);
}

/* Put the flow where its state says: a turn, a wake, or nothing. */
static void
place_flow(struct flow *f)
{
	if (f->waiting_cnt > 0 || (f->read == NULL && has_more(f)))
		give_turn(f);
	else if (f->read == NULL && f->next_ms != INT64_MAX)
		set_wake(f);
	else
		free_flow(f);
}

static struct destination *
find_destination(struct due *due, struct span relay, struct span name)
{
	struct destination key, *d;

	if (!span_cstr(relay, key.relay, sizeof(key.relay)) ||
	    !span_cstr(name, key.name, sizeof(key.name)))
		return NULL;
	if ((d = RB_FIND(destination_tree, &due->destinations, &key)) != NULL)
		return d;
	if ((d = calloc(1, sizeof(*d))) == NULL)
		return NULL;
	memcpy(d->relay, key.relay, sizeof(d->relay));
	memcpy(d->name, key.name, sizeof(d->name));
	destination_init(d);
	RB_INSERT(destination_tree, &due->destinations, d);
	return d;
}

static struct flow *
add_flow(struct due *due, const struct store_flow *name)
{
	struct span relay = span_of(name->name);
	struct span destination = span_of(name->name + relay.len + 1);
	struct flow *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->destination = find_destination(due, relay, destination);
	if (f->destination == NULL) {
		free(f);
		return NULL;
	}
	f->due = due;
	f->at_end = true;
	f->next_ms = INT64_MAX;
	f->name = *name;
	TAILQ_INIT(&f->waiting);
	RB_INSERT(flow_tree, &due->flows, f);
	f->destination->flow_cnt++;
	return f;
}

static struct flow *
find_flow(struct due *due, const struct store_flow *name)
{
	struct flow key, *f;

	key.name.len = name->len;
	memcpy(key.name.name, name->name, name->len);
	f = RB_FIND(flow_tree, &due->flows, &key);
	return f != NULL ? f : add_flow(due, name);
}

static struct delivery *
add_delivery(struct due *due, struct flow *f, const struct store_place *place)
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

/* Take a row into memory, unless it is there.  False when memory is out. */
static bool
add_waiting(struct flow *f, const struct store_place *place)
{
	struct delivery *dl;

	if (due_find(f->due, place->id, place->no) == NULL) {
		if ((dl = add_delivery(f->due, f, place)) == NULL)
			return false;
		TAILQ_INSERT_TAIL(&f->waiting, dl, entry);
		f->waiting_cnt++;
	}
	f->cursor = *place;
	return true;
}

/* Have everything from this row on read again. */
static void
wind_back(struct flow *f, const struct store_place *place)
{
	f->cursor = (struct store_place){ .due_ms = place->due_ms };
	f->at_end = false;
}

static void
note_row(struct flow *f, const struct store_place *place)
{
	bool now_due = place->due_ms <= clock_wall_ms();

	if (cmp_place(place, &f->cursor) <= 0)
		wind_back(f, place);
	else if (f->at_end && now_due && place->due_ms < f->next_ms &&
	    f->waiting_cnt < STORE_DUE_MAX && add_waiting(f, place))
		return;
	else if (place->due_ms < f->next_ms)
		f->next_ms = place->due_ms;
}

static void
rows_read(struct store_op *op, enum err e, void *arg)
{
	struct store_read_due *r = (struct store_read_due *)op;
	struct flow *f = arg;
	bool kept = e == OK;

	f->read = NULL;
	for (unsigned i = 0; kept && i < r->cnt; i++)
		kept = add_waiting(f, &r->rows[i]);
	if (e == OK) {
		f->at_end = kept && r->at_end;
		f->next_ms = r->next_ms;
	} else {
		/* Later: what cannot be read now will be asked for again. */
		log_why(LOG_trouble, "due rows could not be read", 0);
		f->at_end = true;
		f->next_ms = clock_wall_ms() + 1000;
	}
	/* More rows than the first may have been noted: all are unread. */
	if (f->noted && cmp_place(&f->noted_first, &f->cursor) <= 0)
		wind_back(f, &f->noted_first);
	else if (f->noted)
		f->at_end = false;
	f->noted = false;
	free(r);
	place_flow(f);
}

static void
read_rows(struct flow *f)
{
	struct store_read_due *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		f->next_ms = clock_wall_ms() + 1000;
		f->at_end = true;
		return;
	}
	r->flow = (struct span){ f->name.name, f->name.len };
	r->after = f->cursor;
	r->until_ms = clock_wall_ms();
	f->read = r;
	store_read_due(f->due->store, r, rows_read, f);
}

static void
look(struct timer *t, void *arg)
{
	struct due *due = arg;
	int64_t now_ms = clock_wall_ms();
	struct flow *f;

	while ((f = RB_MIN(wake_tree, &due->wakes)) != NULL &&
	    f->wake_ms <= now_ms)
		give_turn(f);
	arm(due);
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
	timer_init(&due->timer, loop, look, due);
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
	struct flow *f;

	if (due == NULL)
		return;
	timer_stop(&due->timer);
	while ((dl = RB_MIN(delivery_tree, &due->deliveries)) != NULL) {
		struct delivery *gone = dl;

		RB_REMOVE(delivery_tree, &due->deliveries, dl);
		free(gone->envelope);
		free(gone);
	}
	while ((f = RB_MIN(flow_tree, &due->flows)) != NULL) {
		RB_REMOVE(flow_tree, &due->flows, f);
		free(f->read);
		free(f);
	}
	while ((to = RB_MIN(destination_tree, &due->destinations)) != NULL) {
		RB_REMOVE(destination_tree, &due->destinations, to);
		due->calls.vanish(to, due->arg);
		free(to);
	}
	free(due->scan);
	free(due);
	*d = NULL;
}

static void flows_read(struct store_op *, enum err, void *);

static void
scan_flow(struct due *due, const struct store_flow *name)
{
	struct flow *f = find_flow(due, name);

	if (f == NULL) {
		log_why(LOG_trouble, "a flow does not fit in memory", 0);
		return;
	}
	/* A flow noted meanwhile has not seen what lies on disk either. */
	f->cursor = (struct store_place){ .due_ms = 0 };
	if (f->read != NULL && !f->noted) {
		f->noted = true;
		f->noted_first = f->cursor;
	}
	if (name->due_ms < f->next_ms)
		f->next_ms = name->due_ms;
	place_flow(f);
}

static void
flows_read(struct store_op *op, enum err e, void *arg)
{
	struct store_read_flows *r = (struct store_read_flows *)op;
	struct due *due = arg;

	if (e != OK) {
		log_why(LOG_trouble, "the due index cannot be read", 0);
		return;
	}
	for (unsigned i = 0; i < r->cnt; i++)
		scan_flow(due, &r->flows[i]);
	if (!r->at_end && r->cnt > 0) {
		r->after = r->flows[r->cnt - 1];
		store_read_flows(due->store, r, flows_read, due);
		return;
	}
	free(r);
	due->scan = NULL;
}

void
due_start(struct due *due)
{
	if ((due->scan = calloc(1, sizeof(*due->scan))) == NULL) {
		log_why(LOG_trouble, "no memory to read the due index", 0);
		return;
	}
	store_read_flows(due->store, due->scan, flows_read, due);
}

void
due_note(struct due *due, struct span relay, struct span destination,
    struct span tenant, const struct store_place *place)
{
	struct store_flow name;
	struct flow *f;

	if (!store_flow_name(&name, relay, destination, tenant) ||
	    (f = find_flow(due, &name)) == NULL) {
		log_why(LOG_trouble, "a due row waits for the next start", 0);
		return;
	}
	if (f->read == NULL) {
		note_row(f, place);
		place_flow(f);
	} else if (!f->noted || cmp_place(place, &f->noted_first) < 0) {
		f->noted = true;
		f->noted_first = *place;
	}
}

void
due_pick(struct due *due, struct delivery *dl)
{
	struct flow *f = dl->flow;

	if (dl->state != DELIVERY_WAITING)
		return;
	TAILQ_REMOVE(&f->waiting, dl, entry);
	f->waiting_cnt--;
	dl->state = DELIVERY_LOADING;
}

/* Nothing waits: read on.  False when there is nothing to read either. */
static bool
start_read(struct flow *f)
{
	if (has_more(f))
		read_rows(f);
	if (f->read != NULL)
		return true;
	place_flow(f);
	return false;
}

struct delivery *
due_take(struct due *due, struct destination *d)
{
	struct delivery *dl;
	struct flow *f;

	while ((f = TAILQ_FIRST(&d->turns)) != NULL) {
		drop_turn(f);
		if ((dl = TAILQ_FIRST(&f->waiting)) == NULL) {
			bool last = d->flow_cnt == 1;

			if (f->read == NULL && !start_read(f) && last)
				return NULL;	/* d may be gone */
			continue;
		}
		due_pick(due, dl);
		if (f->waiting_cnt > 0 || has_more(f)) {
			TAILQ_INSERT_TAIL(&d->turns, f, turn);
			f->has_turn = true;
		} else {
			place_flow(f);
		}
		return dl;
	}
	return NULL;
}

/* The time in an id (RFC 9562 5.7) is when its message began to arrive. */
static int64_t
id_ms(struct id id)
{
	int64_t ms = 0;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id.b[i];
	return ms;
}

struct delivery *
due_take_old(struct due *due, struct destination *d, int64_t age_ms)
{
	int64_t before_ms = clock_wall_ms() - age_ms;
	struct delivery *dl;
	struct flow *f, *next;

	for (f = TAILQ_FIRST(&d->turns); f != NULL; f = next) {
		next = TAILQ_NEXT(f, turn);
		dl = TAILQ_FIRST(&f->waiting);
		if (dl == NULL && f->read == NULL && has_more(f))
			read_rows(f);
		if (dl == NULL || id_ms(dl->place.id) > before_ms)
			continue;
		due_pick(due, dl);
		return dl;
	}
	return NULL;
}

struct delivery *
due_find(struct due *due, struct id id, uint32_t no)
{
	struct delivery key = { .place = { .id = id, .no = no } };

	return RB_FIND(delivery_tree, &due->deliveries, &key);
}

struct delivery *
due_adopt(struct due *due, struct id id, uint32_t no)
{
	struct store_place place = { .id = id, .no = no };
	struct delivery *dl = add_delivery(due, NULL, &place);

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
	if ((dl->flow = find_flow(due, &name)) == NULL)
		return false;
	dl->flow->known_cnt++;
	return true;
}

void
due_forget(struct due *due, struct delivery **d)
{
	struct delivery *dl = *d;
	struct result *r;
	struct flow *f = dl->flow;

	due_pick(due, dl);
	RB_REMOVE(delivery_tree, &due->deliveries, dl);
	while ((r = STAILQ_FIRST(&dl->results)) != NULL) {
		STAILQ_REMOVE_HEAD(&dl->results, entry);
		free(r);
	}
	free(dl->envelope);
	free(dl);
	*d = NULL;
	if (f != NULL) {
		f->known_cnt--;
		if (f->known_cnt == 0)
			free_flow(f);
	}
}

void
due_put_back(struct due *due, struct delivery **d)
{
	struct store_place place = (*d)->place;
	struct flow *f = (*d)->flow;

	if (f == NULL) {
		due_forget(due, d);
		return;
	}
	f->known_cnt++;		/* keeps the flow while we do this */
	due_forget(due, d);
	f->known_cnt--;
	if (f->read == NULL) {
		wind_back(f, &place);
		place_flow(f);
	} else if (!f->noted || cmp_place(&place, &f->noted_first) < 0) {
		f->noted = true;
		f->noted_first = place;
	}
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
	return (struct span){ dl->flow->name.name, dl->flow->name.len };
}

void
due_each(struct due *due, void (*fn)(struct destination *, void *), void *arg)
{
	struct destination *d, *next;

	RB_FOREACH_SAFE(d, destination_tree, &due->destinations, next)
		fn(d, arg);
}
