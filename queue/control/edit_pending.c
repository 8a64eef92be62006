/* edit_pending.c - of which messages an edit is on its way. */
#include "queue/control/edit_inside.h"

static int
cmp_edit(struct edit_call *a, struct edit_call *b)
{
	return id_cmp(a->store.id, b->store.id);
}

RB_GENERATE(edit_tree, edit_call, by_id, cmp_edit)

bool
edit_is_pending(const struct edits *es, struct id id)
{
	struct edit_call key = { .store = { .id = id } };

	return RB_FIND(edit_tree, (struct edit_tree *)(uintptr_t)&es->pending,
	    &key) != NULL;
}
