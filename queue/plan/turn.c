/* turn.c - see the header. */
#include <stdlib.h>
#include <string.h>

#include "queue/plan/turn.h"
#include "queue/store/store_due.h"

static int
cmp_tenant(struct tenant *a, struct tenant *b)
{
	if (a->name_len != b->name_len)
		return a->name_len < b->name_len ? -1 : 1;
	return memcmp(a->name, b->name, a->name_len);
}

#define LOCAL	__attribute__((unused)) static
RB_GENERATE_INTERNAL(tenant_tree, tenant, by_name, cmp_tenant, LOCAL)

static struct tenant *
find_tenant(struct flow *f)
{
	struct span name = store_flow_tenant((struct span){ f->name,
	    f->name_len });
	struct tenant key = { .name = name.ptr, .name_len = name.len };
	struct tenant_tree *tenants = &f->due->tenants;
	struct tenant *t = RB_FIND(tenant_tree, tenants, &key);

	if (t != NULL || (t = calloc(1, sizeof(*t) + key.name_len)) == NULL)
		return t;
	memcpy(t + 1, key.name, key.name_len);
	t->name = (char *)(t + 1);
	t->name_len = key.name_len;
	t->destination = f->destination;
	TAILQ_INIT(&t->turns);
	TAILQ_INIT(&t->unread);
	RB_INSERT(tenant_tree, tenants, t);
	return t;
}

bool
turn_join(struct flow *f)
{
	if ((f->tenant = find_tenant(f)) == NULL)
		return false;
	f->tenant->flow_cnt++;
	return true;
}

static void
leave_ring(struct tenant *t)
{
	if (t->in_ring)
		TAILQ_REMOVE(&t->destination->tenants, t, ring);
	t->in_ring = false;
}

static bool
has_turns(const struct tenant *t)
{
	return !TAILQ_EMPTY(&t->turns) || !TAILQ_EMPTY(&t->unread);
}

static void
enter_ring(struct tenant *t)
{
	if (!t->in_ring)
		TAILQ_INSERT_TAIL(&t->destination->tenants, t, ring);
	t->in_ring = true;
}

void
turn_drop(struct flow *f)
{
	struct tenant *t = f->tenant;

	if (f->turn_in == FLOW_TURN)
		TAILQ_REMOVE(&t->turns, f, turn);
	else if (f->turn_in == FLOW_UNREAD)
		TAILQ_REMOVE(&t->unread, f, turn);
	f->turn_in = FLOW_NO_TURN;
	if (!has_turns(t))
		leave_ring(t);
}

void
turn_leave(struct flow *f)
{
	struct tenant *t = f->tenant;

	turn_drop(f);
	if (--t->flow_cnt > 0)
		return;
	RB_REMOVE(tenant_tree, &f->due->tenants, t);
	free(t);
}

void
turn_give(struct flow *f)
{
	struct tenant *t = f->tenant;
	bool has_rows = f->waiting_cnt > 0;

	if (f->turn_in == (has_rows ? FLOW_TURN : FLOW_UNREAD)) {
		enter_ring(t);
		return;
	}
	turn_drop(f);
	f->turn_in = has_rows ? FLOW_TURN : FLOW_UNREAD;
	if (has_rows)
		TAILQ_INSERT_TAIL(&t->turns, f, turn);
	else
		TAILQ_INSERT_TAIL(&t->unread, f, turn);
	enter_ring(t);
}

struct tenant *
turn_first(const struct destination *d)
{
	return TAILQ_FIRST(&d->tenants);
}

struct flow *
turn_unread(struct tenant *t, bool was_served)
{
	struct flow *f = TAILQ_FIRST(&t->unread);

	if (f == NULL || t->read_cnt >= TURN_AHEAD ||
	    (!was_served && !TAILQ_EMPTY(&t->turns)))
		return NULL;
	TAILQ_REMOVE(&t->unread, f, turn);
	f->turn_in = FLOW_NO_TURN;
	return f;
}

void
turn_pass(struct tenant *t)
{
	leave_ring(t);
	if (has_turns(t))
		enter_ring(t);
}

void
turn_rest(struct tenant *t)
{
	leave_ring(t);
}

bool
turn_go_on(struct tenant *t)
{
	if (has_turns(t))
		enter_ring(t);
	return has_turns(t);
}

unsigned
turn_row_max(const struct tenant *t)
{
	unsigned most = TURN_ROWS_MAX / t->flow_cnt;

	return most > STORE_DUE_MAX ? STORE_DUE_MAX : most > 0 ? most : 1;
}
