/* once.c - a ring: few are under way, so it is searched from end to end. */
#include <stddef.h>

#include "queue/intake/once.h"

uint64_t
once_number(const char *edge, uint64_t number)
{
	uint64_t mix = number;

	if (number == 0)
		return 0;
	for (; *edge != '\0'; edge++)
		mix = (mix ^ (unsigned char)*edge) * 0x100000001b3u;
	return mix != 0 ? mix : 1;
}

static const struct once_row *
row_of(const struct once *o, uint64_t number)
{
	for (unsigned i = 0; number != 0 && i < ONCE_MAX; i++)
		if (o->rows[i].number == number)
			return &o->rows[i];
	return NULL;
}

enum once_state
once_state(const struct once *o, uint64_t number)
{
	const struct once_row *row = row_of(o, number);

	return row != NULL ? row->state : ONCE_NEW;
}

static void
set(struct once *o, uint64_t number, enum once_state state)
{
	const struct once_row *row = row_of(o, number);

	if (row != NULL)
		o->rows[row - o->rows].state = state;
}

void
once_begin(struct once *o, uint64_t number)
{
	if (number == 0)
		return;
	o->rows[o->next] = (struct once_row){ number, ONCE_COMMITTING };
	o->next = (o->next + 1) % ONCE_MAX;
}

void
once_kept(struct once *o, uint64_t number)
{
	set(o, number, ONCE_KEPT);
}

void
once_forget(struct once *o, uint64_t number)
{
	const struct once_row *row = row_of(o, number);

	if (row != NULL)
		o->rows[row - o->rows] = (struct once_row){ 0, ONCE_NEW };
}
