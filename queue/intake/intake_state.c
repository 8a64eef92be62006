/* intake_state.c - what edges hear of us: is there room, what do we ask. */
#include "queue/intake/intake_inside.h"
#include "queue/route/route_utf8.h"
#include "queue/to_edge.h"

void
intake_tell_edge(const struct edge *ed)
{
	const struct queue *q = ed->queue;
	int lacks;

	to_edge_state(ed->link, &(struct msg_queue_state){
	    .full = (uint8_t)queue_room(q),
	    .asks = q->expanders.cnt > 0 || route_asks(q->settings.routes),
	    .utf8 = (uint8_t)route_utf8(q->settings.routes, &lacks),
	    .eightbit = 1,
	    .binary = route_all_take_binary(q->settings.routes) });
}

void
intake_tell(struct intake *in)
{
	struct edge *ed;

	LIST_FOREACH(ed, &in->edges, entry)
		if (ed->link != NULL)
			intake_tell_edge(ed);
}
