/* ask.c - a tool's question is a question of ours, and on the tool's list. */
#include <stdlib.h>

#include "ctl/control/ask.h"
#include "ctl/control/tool.h"

struct ask *
ask_new(struct tool *t, struct questions *table, unsigned type,
    uint64_t theirs)
{
	struct ask *a;

	if (t->ask_cnt >= TOOL_ASKS_MAX || table->cnt >= table->max ||
	    (a = calloc(1, sizeof(*a))) == NULL)
		return NULL;
	(void)question_ask(table, &a->question, QUESTION_NO_END);
	a->tool = t;
	a->type = type;
	a->theirs = theirs;
	LIST_INSERT_HEAD(&t->queries, a, entry);
	t->ask_cnt++;
	return a;
}

enum err
ask_find(struct questions *table, uint64_t no, struct ask **out)
{
	struct question *q;
	enum err e = question_find(table, no, &q);

	if (e == OK)
		*out = (struct ask *)q;
	return e;
}

void
ask_end(struct ask *a)
{
	struct tool *t = a->tool;

	question_close(&a->question);
	if (t != NULL) {
		LIST_REMOVE(a, entry);
		t->ask_cnt--;
		tool_served(t);
	}
	free(a);
}

/* Where an answer bears the question's number it says why, else tool_done. */
void
ask_refuse(struct tool *t, unsigned type, uint64_t theirs,
    enum tool_status status, const char *why)
{
	struct msg_list_end list = { .request = theirs, .status = status };
	struct msg_aside_end aside = { .request = theirs, .status = status };
	struct msg_edit_done edit = { .request = theirs, .status = status };
	struct msg_suspend_done suspend = { theirs, (uint8_t)status };
	struct msg_suspended_end suspended = { theirs, (uint8_t)status };
	struct msg_found_end found = { .request = theirs, .status = status };
	struct msg_story_end story = { .request = theirs, .status = status };
	struct msg_text_end text = { .request = theirs, .status = status };
	struct msg_tool_done done = { .status = status, .text = span_of(why) };

	if (type == MSG_list_ask || type == MSG_show_ask)
		(void)link_send_list_end(t->link, &list);
	else if (type == MSG_aside_ask)
		(void)link_send_aside_end(t->link, &aside);
	else if (type == MSG_found_ask)
		(void)link_send_found_end(t->link, &found);
	else if (type == MSG_story_ask)
		(void)link_send_story_end(t->link, &story);
	else if (type == MSG_text_ask)
		(void)link_send_text_end(t->link, &text);
	else if (type == MSG_edit_ask)
		(void)link_send_edit_done(t->link, &edit);
	else if (type == MSG_suspend_ask)
		(void)link_send_suspend_done(t->link, &suspend);
	else if (type == MSG_suspended_ask)
		(void)link_send_suspended_end(t->link, &suspended);
	else
		(void)link_send_tool_done(t->link, &done);
}

static void
fail(struct question *q, enum err why)
{
	struct ask *a = (struct ask *)q;

	if (a->tool != NULL)
		ask_refuse(a->tool, a->type, a->theirs, STATUS_FAILED,
		    "the queue went away");
	ask_end(a);
}

void
ask_init(struct questions *table, struct ev_loop *loop, unsigned max)
{
	questions_init(table, loop, max, fail);
}

void
ask_fail_all(struct questions *table)
{
	struct question *q;

	while ((q = questions_first(table)) != NULL)
		fail(q, ERR_CLOSED);
}

void
ask_forget(struct tool *t)
{
	struct ask *a;

	while ((a = LIST_FIRST(&t->queries)) != NULL) {
		LIST_REMOVE(a, entry);
		a->tool = NULL;
	}
	t->ask_cnt = 0;
}
