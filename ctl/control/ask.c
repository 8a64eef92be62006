/*
 * ask.c - a number is the place in the table and, above it, a turn.
 */
#include <string.h>

#include "ctl/control/ask.h"
#include "ctl/control/queue.h"
#include "ctl/control/tool.h"

_Static_assert((ASKS_MAX & (ASKS_MAX - 1)) == 0, "a power of two");

static uint32_t
number_for(struct control *c, size_t place)
{
	c->turn++;
	return c->turn * ASKS_MAX + (uint32_t)place;
}

struct ask *
ask_new(struct tool *t, struct queue *q, unsigned type, uint64_t theirs)
{
	struct control *c = t->control;

	if (t->ask_cnt >= TOOL_ASKS_MAX ||
	    (q != NULL && q->ask_cnt >= QUEUE_ASKS_MAX))
		return NULL;
	for (size_t i = 0; i < ASKS_MAX; i++) {
		struct ask *a = &c->asks[i];

		if (a->is_open)
			continue;
		*a = (struct ask){
			.is_open = true, .tool = t, .queue = q, .type = type,
			.number = number_for(c, i), .theirs = theirs,
		};
		t->ask_cnt++;
		if (q != NULL)
			q->ask_cnt++;
		return a;
	}
	return NULL;
}

struct ask *
ask_find(struct control *c, uint64_t number, const struct queue *q)
{
	struct ask *a = &c->asks[number % ASKS_MAX];

	if (!a->is_open || a->number != number || a->queue != q)
		return NULL;
	return a;
}

void
ask_end(struct ask *a)
{
	struct tool *t = a->tool;

	if (a->queue != NULL)
		a->queue->ask_cnt--;
	memset(a, 0, sizeof(*a));
	if (t == NULL)
		return;
	t->ask_cnt--;
	tool_served(t);
}

/* Where an answer bears the question's number it says why, else tool_done. */
void
ask_refuse(struct tool *t, unsigned type, uint64_t theirs, enum told status,
    const char *why)
{
	struct msg_list_end list = { .request = theirs, .status = status };
	struct msg_aside_end aside = { .request = theirs, .status = status };
	struct msg_edit_done edit = { .request = theirs, .status = status };
	struct msg_suspend_done suspend = { theirs, (uint8_t)status };
	struct msg_suspended_end suspended = { theirs, (uint8_t)status };
	struct msg_tool_done done = { .status = status, .text = span_of(why) };

	if (type == MSG_list_ask || type == MSG_show_ask)
		(void)link_send_list_end(t->link, &list);
	else if (type == MSG_aside_ask)
		(void)link_send_aside_end(t->link, &aside);
	else if (type == MSG_edit_ask)
		(void)link_send_edit_done(t->link, &edit);
	else if (type == MSG_suspend_ask)
		(void)link_send_suspend_done(t->link, &suspend);
	else if (type == MSG_suspended_ask)
		(void)link_send_suspended_end(t->link, &suspended);
	else
		(void)link_send_tool_done(t->link, &done);
}

void
ask_fail(struct control *c, const struct queue *q, const char *why)
{
	for (size_t i = 0; i < ASKS_MAX; i++) {
		struct ask *a = &c->asks[i];

		if (!a->is_open || a->queue != q)
			continue;
		if (a->tool != NULL)
			ask_refuse(a->tool, a->type, a->theirs, TOLD_FAILED,
			    why);
		ask_end(a);
	}
}

void
ask_forget(struct tool *t)
{
	struct control *c = t->control;

	for (size_t i = 0; i < ASKS_MAX; i++)
		if (c->asks[i].tool == t)
			c->asks[i].tool = NULL;
	t->ask_cnt = 0;
}
