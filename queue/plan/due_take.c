/*
 * due_take.c - out of what waits: the next by turn, or one that is asked for.
 */
#include "queue/plan/flow.h"
#include "queue/plan/turn.h"

#define UNTRIED_MS	1000	/* from its id to its first attempt	*/

void
due_pick(struct due *due, struct delivery *dl)
{
	struct flow *f = dl->flow;

	if (dl->waits_in != NULL) {
		TAILQ_REMOVE(dl->waits_in, dl, entry);
		dl->waits_in = NULL;
		dl->state = DELIVERY_LOADING;
	}
	if (dl->state != DELIVERY_WAITING)
		return;
	TAILQ_REMOVE(&f->waiting, dl, entry);
	f->waiting_cnt--;
	f->tenant->row_cnt--;
	dl->state = DELIVERY_LOADING;
}

/*
 * Read what a tenant has on disk only: one flow for each delivery that he is
 * given, or several when nothing of his waits.  False: he may be gone.
 */
static bool
read_ahead(struct tenant *t, bool was_served)
{
	struct flow *f;

	while ((f = turn_unread(t, was_served)) != NULL) {
		if (flow_has_more(f))
			flow_read(f);
		if (!flow_is_reading(f)) {
			flow_place(f);
			return false;
		}
		if (was_served)
			break;
	}
	return true;
}

/* The time in an id: RFC 9562 5.7. */
int64_t
due_id_ms(struct id id)
{
	int64_t ms = 0;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id.b[i];
	return ms;
}

/*
 * Has it never been tried?  It is due when it came, which its id tells; an
 * attempt puts it off by a second or more.
 */
static bool
is_untried(const struct delivery *dl)
{
	return dl->place.due_ms - due_id_ms(dl->place.id) < UNTRIED_MS;
}

/*
 * The next of a flow.  A probe is not wasted on what was tried before, where
 * something else is: it may be the message that the next hop cannot stomach.
 */
static struct delivery *
next_of(const struct flow *f)
{
	struct delivery *first = TAILQ_FIRST(&f->waiting), *dl = first;

	if (destination_is_up(f->destination))
		return first;
	while (dl != NULL && !is_untried(dl))
		dl = TAILQ_NEXT(dl, entry);
	return dl != NULL ? dl : first;
}

/* Its flow goes behind the tenant's others, and he behind other tenants. */
static void
take(struct due *due, struct delivery *dl)
{
	struct flow *f = dl->flow;
	struct tenant *t = f->tenant;

	turn_drop(f);
	due_pick(due, dl);
	if (f->waiting_cnt > 0 || (!flow_is_reading(f) && flow_has_more(f)))
		turn_give(f);
	else
		flow_place(f);
	turn_pass(t);
	read_ahead(t, true);
}

struct delivery *
due_take(struct due *due, struct destination *d)
{
	struct delivery *dl = NULL;
	struct tenant *t;
	struct flow *f;

	while (dl == NULL && (t = turn_first(d)) != NULL) {
		bool last = d->flow_cnt == 1, is_there = true;

		if ((f = TAILQ_FIRST(&t->turns)) == NULL) {
			if ((is_there = read_ahead(t, false)))
				turn_rest(t);
		} else if ((dl = next_of(f)) != NULL) {
			take(due, dl);
		} else {		/* it was claimed */
			turn_drop(f);
			flow_place(f);
			is_there = false;
		}
		if (!is_there && last)
			break;		/* d may be gone */
	}
	return dl;
}

/* dl is the one of that row, NULL when it is on the disk only. */
static struct delivery *
take_named(struct due *due, struct delivery *dl, const struct store_flow *name,
    const struct store_place *place)
{
	struct flow *f;

	if (dl != NULL) {
		due_pick(due, dl);
		return dl;
	}
	if (!due_owns(due, store_flow_span(name)) ||
	    (f = flow_find(due, name)) == NULL)
		return NULL;
	if ((dl = due_add(due, f, place)) != NULL)
		dl->state = DELIVERY_LOADING;
	else
		flow_tidy(f);
	return dl;
}

struct delivery *
due_claim(struct due *due, const struct store_flow *name,
    const struct store_place *place)
{
	struct delivery *dl = due_find(due, place->id, place->no);

	if (dl != NULL && dl->state != DELIVERY_WAITING &&
	    dl->state != DELIVERY_SUSPECT)
		return NULL;
	return take_named(due, dl, name, place);
}

struct delivery *
due_take_row(struct due *due, const struct store_flow *name,
    const struct store_place *place)
{
	struct delivery *dl = due_find(due, place->id, place->no);

	if (dl != NULL && dl->state != DELIVERY_WAITING)
		return NULL;
	return take_named(due, dl, name, place);
}

void
due_wait_in(struct delivery *dl, struct deliveries *list,
    enum delivery_state state)
{
	dl->state = state;
	dl->waits_in = list;
	TAILQ_INSERT_TAIL(list, dl, entry);
}
