/* control_hold.c - a link is kept while answers for it are on their way. */
#include <stdlib.h>

#include "queue/control/control.h"

void
control_release(struct control *c)
{
	c->pending_cnt--;
	if (c->pending_cnt == 0 && c->link == NULL)
		free(c);
}
