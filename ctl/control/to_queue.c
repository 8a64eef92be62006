/* to_queue.c - all questions begin with the number, m->queue_ask.request. */
#include "ctl/control/to_queue.h"

void
to_queue_ask(struct queue *q, unsigned type, const union msg *m,
    uint64_t number, const char *who)
{
	union msg ours = *m;

	ours.queue_ask.request = number;
	if (type == MSG_list_ask && ours.list_ask.max > TO_QUEUE_LIST_MAX)
		ours.list_ask.max = TO_QUEUE_LIST_MAX;
	if (type == MSG_edit_ask && who[0] != '\0')
		ours.edit_ask.who = span_of(who);
	if (type == MSG_suspend_ask && who[0] != '\0')
		ours.suspend_ask.who = span_of(who);
	(void)link_send(q->link, type, &ours, SPAN(""));
}
