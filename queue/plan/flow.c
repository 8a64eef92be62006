/*
 * flow.c - the cursor of a flow, and how it stays right.
 *
 * `cursor` is the last row taken into memory; all rows up to it are in memory,
 * under way, or gone.  A row noted behind the cursor is found by the next read;
 * one noted before it winds the cursor back.  While a read is on its way, notes
 * are only remembered, for nobody can tell whether its snapshot had them.
 */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "queue/plan/flow.h"
#include "queue/plan/turn.h"
#include "sys/clock.h"

#define LOOK_MS		60000	/* wall time is looked at this often	*/
#define SET_BACK_MS	2000	/* less is how clocks are kept right	*/

static int
cmp_flow(struct flow *a, struct flow *b)
{
	if (a->name_len != b->name_len)
		return a->name_len < b->name_len ? -1 : 1;
	return memcmp(a->name, b->name, a->name_len);
}

static int
cmp_wake(struct flow *a, struct flow *b)
{
	if (a->wake_ms != b->wake_ms)
		return a->wake_ms < b->wake_ms ? -1 : 1;
	return cmp_flow(a, b);
}

#define LOCAL	__attribute__((unused)) static
RB_GENERATE_INTERNAL(flow_tree, flow, by_name, cmp_flow, LOCAL)
RB_GENERATE_INTERNAL(wake_tree, flow, by_wake, cmp_wake, LOCAL)

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
	turn_give(f);
	f->due->calls.ready(f->destination, f->due->arg);
}

/* Wakes are reckoned by it: that it goes back is only seen by look(). */
static void
note_clock(struct due *due)
{
	int64_t clock_ms = clock_wall_ms() - clock_mono_ms();

	if (clock_ms > due->clock_ms)
		due->clock_ms = clock_ms;
}

static void
set_wake(struct flow *f)
{
	drop_wake(f);
	note_clock(f->due);
	f->wake_ms = f->next_ms;
	RB_INSERT(wake_tree, &f->due->wakes, f);
	f->has_wake = true;
	if (RB_MIN(wake_tree, &f->due->wakes) == f)
		arm(f->due);
}

bool
flow_is_reading(const struct flow *f)
{
	return f->read != NULL || f->wants_read;
}

/* Rows that are due by then are taken. */
static int64_t
horizon(const struct flow *f)
{
	return f->destination->is_strange ? STORE_HELD_MS - 1 :
	    clock_wall_ms();
}

bool
flow_has_more(const struct flow *f)
{
	return !f->at_end || f->next_ms <= horizon(f);
}

void
flow_tidy(struct flow *f)
{
	struct destination *d = f->destination;
	struct due *due = f->due;

	if (f->known_cnt > 0 || flow_is_reading(f) || !f->at_end ||
	    f->next_ms != INT64_MAX)
		return;
	turn_leave(f);
	drop_wake(f);
	RB_REMOVE(flow_tree, &due->flows, f);
	d->flow_cnt--;
	free(f);
	due_tidy(due, d);
}

void
flow_place(struct flow *f)
{
	if (f->waiting_cnt > 0 || (!flow_is_reading(f) && flow_has_more(f)))
		give_turn(f);
	else if (!flow_is_reading(f) && f->next_ms != INT64_MAX)
		set_wake(f);
	else
		flow_tidy(f);
}

static struct flow *
add_flow(struct due *due, const struct store_flow *name)
{
	struct store_names names = store_flow_names(store_flow_span(name));
	struct flow *f = calloc(1, sizeof(*f) + name->len);

	if (f == NULL)
		return NULL;
	memcpy(f + 1, name->name, name->len);
	f->name = (char *)(f + 1);
	f->name_len = name->len;
	f->due = due;
	f->at_end = true;
	f->next_ms = INT64_MAX;
	TAILQ_INIT(&f->waiting);
	f->destination = due_destination_named(due, names.relay,
	    names.destination);
	if (f->destination == NULL || !turn_join(f)) {
		if (f->destination != NULL)
			due_tidy(due, f->destination);
		free(f);
		return NULL;
	}
	RB_INSERT(flow_tree, &due->flows, f);
	f->destination->flow_cnt++;
	return f;
}

struct flow *
flow_find(struct due *due, const struct store_flow *name)
{
	struct flow key = { .name = name->name, .name_len = name->len }, *f;

	f = RB_FIND(flow_tree, &due->flows, &key);
	return f != NULL ? f : add_flow(due, name);
}

/* Take a row into memory, unless it is there.  False when memory is out. */
static bool
add_waiting(struct flow *f, const struct store_place *place)
{
	struct delivery *dl;

	if (due_find(f->due, place->id, place->no) == NULL) {
		if ((dl = due_add(f->due, f, place)) == NULL)
			return false;
		TAILQ_INSERT_TAIL(&f->waiting, dl, entry);
		f->waiting_cnt++;
		f->tenant->row_cnt++;
	}
	f->cursor = *place;
	return true;
}

/* Only ever back: what lies between is not known to be read. */
static void
wind_back(struct flow *f, const struct store_place *place)
{
	struct store_place to = store_place_before(place->due_ms);

	if (store_place_cmp(&to, &f->cursor) < 0)
		f->cursor = to;
	f->at_end = false;
}

static void
note_row(struct flow *f, const struct store_place *place)
{
	bool now_due = place->due_ms <= horizon(f);

	if (store_place_cmp(place, &f->cursor) <= 0)
		wind_back(f, place);
	else if (f->at_end && now_due && place->due_ms < f->next_ms &&
	    f->waiting_cnt < STORE_DUE_MAX &&
	    f->tenant->row_cnt < TURN_ROWS_MAX && add_waiting(f, place))
		return;
	else if (place->due_ms < f->next_ms)
		f->next_ms = place->due_ms;
}

/* A read is on its way: whether its snapshot had the row, nobody can tell. */
static void
remember(struct flow *f, const struct store_place *place)
{
	if (f->noted && store_place_cmp(place, &f->noted_first) >= 0)
		return;
	f->noted = true;
	f->noted_first = *place;
}

/* No memory, or the disk failed: what cannot be read now is asked for again. */
static void
put_off(struct flow *f)
{
	f->next_ms = clock_wall_ms() + 1000;
	f->at_end = true;
}

static void	rows_read(struct store_op *, enum err, void *);

static void
start_read(struct flow *f)
{
	struct store_read_due *r = calloc(1, sizeof(*r));

	if (r == NULL) {
		f->tenant->read_cnt--;
		put_off(f);
		return;
	}
	r->flow = (struct span){ f->name, f->name_len };
	r->row_max = turn_row_max(f->tenant);
	r->after = f->cursor;
	r->until_ms = horizon(f);
	f->read = r;
	f->due->read_cnt++;
	store_read_due(f->due->store, r, rows_read, f);
}

/* Those that are known to move read first. */
void
flow_read(struct flow *f)
{
	struct due *due = f->due;

	f->tenant->read_cnt++;
	if (due->read_cnt < FLOW_READS_MAX) {
		start_read(f);
		return;
	}
	f->wants_read = true;
	if (f->destination->answered_ms > 0)
		TAILQ_INSERT_HEAD(&due->wants, f, want);
	else
		TAILQ_INSERT_TAIL(&due->wants, f, want);
}

static void
read_next(struct due *due)
{
	struct flow *f = TAILQ_FIRST(&due->wants);

	if (f == NULL)
		return;
	TAILQ_REMOVE(&due->wants, f, want);
	f->wants_read = false;
	start_read(f);
	if (f->read == NULL)
		flow_place(f);
}

/* It is another's now, and nothing waits in it.  May free it. */
static void
leave(struct flow *f)
{
	f->at_end = true;
	f->next_ms = INT64_MAX;
	f->noted = false;
	turn_drop(f);
	drop_wake(f);
	flow_tidy(f);
}

static void
rows_read(struct store_op *op, enum err e, void *arg)
{
	struct store_read_due *r = (struct store_read_due *)op;
	struct flow *f = arg;
	bool kept = e == OK;

	f->read = NULL;
	f->due->read_cnt--;
	f->tenant->read_cnt--;
	read_next(f->due);
	if (!due_owns(f->due, r->flow)) {
		free(r);
		leave(f);
		return;
	}
	for (unsigned i = 0; kept && i < r->cnt; i++)
		kept = add_waiting(f, &r->rows[i]);
	if (e == OK) {
		f->at_end = kept && r->at_end;
		f->next_ms = r->next_ms;
	} else {
		log_why(LOG_trouble, "due rows could not be read", 0);
		put_off(f);
	}
	/* More rows than the first may have been noted: all are unread. */
	if (f->noted && store_place_cmp(&f->noted_first, &f->cursor) <= 0)
		wind_back(f, &f->noted_first);
	else if (f->noted)
		f->at_end = false;
	f->noted = false;
	free(r);
	if (turn_go_on(f->tenant))
		f->due->calls.ready(f->destination, f->due->arg);
	flow_place(f);
}

void
flow_note(struct flow *f, const struct store_place *place)
{
	if (place->due_ms <= clock_wall_ms())
		f->destination->has_fresh = true;
	if (f->read != NULL) {
		remember(f, place);
		return;
	}
	note_row(f, place);
	flow_place(f);
}

void
flow_leave_others(struct due *due)
{
	struct flow *f, *next;

	RB_FOREACH_SAFE(f, flow_tree, &due->flows, next)
		if (!due_owns(due, (struct span){ f->name, f->name_len }))
			leave(f);
}

void
flow_wind_back(struct flow *f, const struct store_place *place)
{
	if (f->read != NULL) {
		remember(f, place);
		return;
	}
	wind_back(f, place);
	flow_place(f);
}

void
flow_found(struct flow *f, int64_t due_ms)
{
	/* A flow noted meanwhile has not seen what lies on disk either. */
	f->cursor = store_place_before(0);
	if (f->read != NULL && !f->noted) {
		f->noted = true;
		f->noted_first = f->cursor;
	}
	if (due_ms < f->next_ms)
		f->next_ms = due_ms;
	flow_place(f);
}

/*
 * Flows that sleep for longer than anything is told to wait, but for what is
 * held: the time they sleep by is that of another clock.
 */
static void
wake_sleepers(struct due *due, int64_t now_ms)
{
	struct flow key = { .wake_ms = now_ms + due->longest_ms }, *f;

	while ((f = RB_NFIND(wake_tree, &due->wakes, &key)) != NULL &&
	    f->wake_ms < STORE_HELD_MS) {
		f->at_end = false;
		f->next_ms = now_ms;
		give_turn(f);
	}
}

static void
look(struct timer *t, void *arg)
{
	struct due *due = arg;
	int64_t now_ms = clock_wall_ms();
	int64_t clock_ms = now_ms - clock_mono_ms();
	struct flow *f;

	if (clock_ms < due->clock_ms - SET_BACK_MS && due->longest_ms > 0) {
		wake_sleepers(due, now_ms);
		due->on_set_back(due);
	}
	due->clock_ms = clock_ms;
	while ((f = RB_MIN(wake_tree, &due->wakes)) != NULL &&
	    f->wake_ms <= now_ms)
		give_turn(f);
	arm(due);
}

void
flow_init(struct due *due)
{
	timer_init(&due->timer, due->loop, look, due);
	TAILQ_INIT(&due->wants);
	due->clock_ms = clock_wall_ms() - clock_mono_ms();
}

void
flow_fini(struct due *due)
{
	struct flow *f;

	timer_stop(&due->timer);
	while ((f = RB_MIN(flow_tree, &due->flows)) != NULL) {
		RB_REMOVE(flow_tree, &due->flows, f);
		turn_leave(f);
		free(f->read);
		free(f);
	}
}
