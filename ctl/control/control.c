/* control.c - made, emptied, unmade. */
#include <stdlib.h>

#include "ctl/control/ask.h"
#include "ctl/control/control.h"
#include "ctl/control/processes.h"
#include "ctl/control/queue.h"
#include "ctl/control/tool.h"

enum err
control_new(struct control **out, struct ev_loop *loop,
    const struct control_calls *calls, void *arg)
{
	struct control *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return ERR_SYS;
	c->loop = loop;
	c->calls = calls;
	c->arg = arg;
	LIST_INIT(&c->tools);
	LIST_INIT(&c->queues);
	ask_init(&c->queries, loop, MASTER_ASKS_MAX);
	c->queries.highest = UINT32_MAX;	/* as with supervisor_ask */
	*out = c;
	return OK;
}

void
control_free(struct control **cp)
{
	struct control *c = *cp;

	*cp = NULL;
	if (c == NULL)
		return;
	tool_close_all(c);
	queue_close_all(c);
	ask_fail_all(&c->queries);
	processes_close(c);
	free(c);
}

void
control_drain(struct control *c)
{
	if (c->draining)
		return;
	c->draining = true;
	tool_end_idle(c);
}
