/* once.c - a ring: few are under way, so it is searched from end to end. */
#include "queue/intake/once.h"

static struct once_row *
row_of(struct once *o, struct span edge, uint64_t number)
{
	for (unsigned i = 0; number != 0 && i < ONCE_MAX; i++)
		if (o->rows[i].number == number &&
		    span_eq(span_of(o->rows[i].edge), edge))
			return &o->rows[i];
	return NULL;
}

enum once_state
once_state(struct once *o, struct span edge, uint64_t number)
{
	const struct once_row *row = row_of(o, edge, number);

	return row != NULL ? row->state : ONCE_NEW;
}

void
once_begin(struct once *o, struct span edge, uint64_t number)
{
	struct once_row *row = &o->rows[o->next];

	if (number == 0 || !span_cstr(edge, row->edge, sizeof(row->edge)))
		return;
	row->number = number;
	row->state = ONCE_COMMITTING;
	o->next = (o->next + 1) % ONCE_MAX;
}

void
once_kept(struct once *o, struct span edge, uint64_t number)
{
	struct once_row *row = row_of(o, edge, number);

	if (row != NULL)
		row->state = ONCE_KEPT;
}

void
once_forget(struct once *o, struct span edge, uint64_t number)
{
	struct once_row *row = row_of(o, edge, number);

	if (row != NULL)
		*row = (struct once_row){ 0 };
}
