/* from_queue.c - which answers belong to which question. */
#include "ctl/control/ask.h"
#include "ctl/control/from_queue.h"
#include "ctl/control/tool.h"

/* May this follow a question of that type, and is it the last word? */
static bool
answers(unsigned answer, unsigned question, bool *is_last)
{
	bool lists = question == MSG_list_ask || question == MSG_show_ask;

	*is_last = true;
	switch (answer) {
	case MSG_queue_status:	return question == MSG_queue_ask;
	case MSG_edit_done:	return question == MSG_edit_ask;
	case MSG_text_end:	return question == MSG_text_ask;
	case MSG_route_answer:	return question == MSG_route_ask;
	case MSG_alias_end:	return question == MSG_alias_ask;
	case MSG_list_end:	return lists;
	case MSG_found_end:	return question == MSG_found_ask;
	case MSG_story_end:	return question == MSG_story_ask;
	case MSG_aside_end:	return question == MSG_aside_ask;
	case MSG_suspend_done:	return question == MSG_suspend_ask;
	case MSG_suspended_end:	return question == MSG_suspended_ask;
	default:
		*is_last = false;
		if (answer == MSG_aside_row)
			return question == MSG_aside_ask;
		if (answer == MSG_alias_row)
			return question == MSG_alias_ask;
		if (answer == MSG_text_row)
			return question == MSG_text_ask;
		if (answer == MSG_found_row)
			return question == MSG_found_ask;
		if (answer == MSG_story_row)
			return question == MSG_story_ask;
		if (answer == MSG_suspended_row)
			return question == MSG_suspended_ask;
		return lists && (answer == MSG_list_message ||
		    answer == MSG_list_delivery || answer == MSG_list_rcpt);
	}
}

static bool
is_answer(unsigned type)
{
	return type == MSG_queue_status || type == MSG_edit_done ||
	    type == MSG_route_answer || type == MSG_list_end ||
	    type == MSG_list_message || type == MSG_list_delivery ||
	    type == MSG_list_rcpt || type == MSG_aside_row ||
	    type == MSG_aside_end || type == MSG_suspend_done ||
	    type == MSG_suspended_row || type == MSG_suspended_end ||
	    type == MSG_alias_row || type == MSG_alias_end ||
	    type == MSG_found_row || type == MSG_found_end ||
	    type == MSG_story_row || type == MSG_story_end ||
	    type == MSG_text_row || type == MSG_text_end;
}

/* All answers begin with the number, m->queue_status.request. */
enum err
from_queue_take(struct queue *q, unsigned type, const union msg *m)
{
	union msg theirs = *m;
	struct ask *a;
	bool is_last;

	if (!is_answer(type))
		return ERR_PEER;
	if (ask_find(&q->queries, m->queue_status.request, &a) != OK)
		return ERR_PEER;
	if (a == NULL)
		return OK;
	if (!answers(type, a->type, &is_last))
		return ERR_PEER;
	theirs.queue_status.request = a->theirs;
	if (a->tool != NULL)		/* it has not left */
		(void)link_send(a->tool->link, type, &theirs, SPAN(""));
	if (is_last)
		ask_end(a);
	return OK;
}
