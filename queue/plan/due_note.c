/* due_note.c - rows that came to be, or that stand elsewhere now. */
#include "base/log.h"
#include "queue/plan/flow.h"

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
