/*
 * tool.c - every question goes one of two ways: pass_on() to a queue, or
 * ask_master().
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl/control/ask.h"
#include "ctl/control/queue.h"
#include "ctl/control/to_queue.h"
#include "ctl/control/tool.h"

#define LEAVE_MS	0	/* at the end of this turn */

static const struct link_peer a_tool = {
	.role = ROLE_TOOL, .block = "tool", .workers = 1,
};

static void
close_tool(struct tool *t)
{
	struct control *c = t->control;

	ask_forget(t);
	timer_stop(&t->idle);
	link_close(&t->link);
	LIST_REMOVE(t, entry);
	if (t->is_unwanted)
		c->unwanted_cnt--;
	else if (--c->tool_cnt == 0 && c->draining)
		c->calls->drained(c->arg);
	free(t);
}

static void
out_of_patience(struct timer *timer, void *arg)
{
	struct tool *t = arg;
	int64_t silent_ms = ev_now_ms(t->control->loop) - t->heard_ms;

	if ((t->ask_cnt > 0 || link_unsent(t->link) > 0) &&
	    silent_ms < TOOL_WAIT_MS && !t->control->draining) {
		timer_set(&t->idle, TOOL_WAIT_MS - silent_ms);
		return;
	}
	link_flush(t->link);		/* its last answer may be in there */
	close_tool(t);
}

void
tool_served(struct tool *t)
{
	if (t->ask_cnt == 0)
		timer_set(&t->idle,
		    t->control->draining ? LEAVE_MS : TOOL_IDLE_MS);
}

/* The name of the queue, its place for it is in each of these. */
static struct span
queue_named(unsigned type, const union msg *m)
{
	switch (type) {
	case MSG_queue_ask:	return m->queue_ask.queue;
	case MSG_list_ask:	return m->list_ask.queue;
	case MSG_show_ask:	return m->show_ask.queue;
	case MSG_aside_ask:	return m->aside_ask.queue;
	case MSG_found_ask:	return m->found_ask.queue;
	case MSG_story_ask:	return m->story_ask.queue;
	case MSG_text_ask:	return m->text_ask.queue;
	case MSG_edit_ask:	return m->edit_ask.queue;
	case MSG_suspend_ask:	return m->suspend_ask.queue;
	case MSG_suspended_ask:	return m->suspended_ask.queue;
	case MSG_alias_ask:	return m->alias_ask.queue;
	default:		return m->route_ask.queue;
	}
}

/* All that a queue is asked begins with the number, m->queue_ask.request. */
static enum err
pass_on(struct tool *t, unsigned type, const union msg *m)
{
	uint64_t theirs = m->queue_ask.request;
	struct queue *q;
	struct ask *a;

	if (t->ask_cnt >= TOOL_ASKS_MAX)
		return ERR_PEER;
	if (link_unsent(t->link) > TOOL_UNSENT_MAX) {
		ask_refuse(t, type, theirs, STATUS_BUSY, "read the answers");
		return OK;
	}
	q = queue_find(t->control, queue_named(type, m));
	if (q == NULL) {
		ask_refuse(t, type, theirs, STATUS_NONE, "no such queue");
		return OK;
	}
	if (q->link == NULL) {
		ask_refuse(t, type, theirs, STATUS_FAILED, "the queue is away");
		return OK;
	}
	if ((a = ask_new(t, &q->queries, type, theirs)) == NULL) {
		ask_refuse(t, type, theirs, STATUS_BUSY, "too much at once");
		return OK;
	}
	to_queue_ask(q, type, m, a->question.no, t->who);
	return OK;
}

static enum err
ask_master(struct tool *t, unsigned type, const union msg *m)
{
	struct link *master = t->control->calls->master(t->control->arg);
	struct ask *a = master == NULL ? NULL :
	    ask_new(t, &t->control->queries, type, 0);
	struct msg_supervisor_ask ask;
	struct msg_reload_ask again;
	struct msg_users_ask users;

	if (a == NULL) {
		ask_refuse(t, type, 0, STATUS_BUSY, "too much at once");
		return OK;
	}
	ask.request = again.request = users.request =
	    (uint32_t)a->question.no;
	if (type == MSG_status_ask)
		(void)link_send_supervisor_ask(master, &ask);
	else if (type == MSG_reload_want)
		(void)link_send_reload_ask(master, &again);
	else {
		users.block = m->users_want.block;
		(void)link_send_users_ask(master, &users);
	}
	return OK;
}

/* What is nobody's question is nonsense; else it is for others to ask. */
static enum err
refuse(struct tool *t, unsigned type)
{
	struct msg_tool_done done = { .status = STATUS_REFUSED,
	    .text = SPAN(RIGHTS_REFUSAL) };

	if (!rights_allow(RIGHT_ALL, type))
		return ERR_PEER;
	(void)link_send_tool_done(t->link, &done);
	return OK;
}

static enum err
take(struct link *l, unsigned type, const union msg *m, struct span piece,
    int fd, void *arg)
{
	struct tool *t = arg;

	if (t->is_unwanted)
		return OK;
	t->heard_ms = ev_now_ms(t->control->loop);
	timer_set(&t->idle, TOOL_IDLE_MS);
	if (t->control->draining)
		return ERR_CLOSED;
	if (!rights_allow(t->right, type))
		return refuse(t, type);
	switch (type) {
	case MSG_status_ask:
	case MSG_reload_want:
	case MSG_users_want:
		return ask_master(t, type, m);
	case MSG_queue_ask:
	case MSG_list_ask:
	case MSG_show_ask:
	case MSG_aside_ask:
	case MSG_found_ask:
	case MSG_story_ask:
	case MSG_text_ask:
	case MSG_edit_ask:
	case MSG_suspend_ask:
	case MSG_suspended_ask:
	case MSG_alias_ask:
	case MSG_route_ask:
		return pass_on(t, type, m);
	default:
		return ERR_PEER;
	}
}

static void
gone(struct link *l, enum err why, void *arg)
{
	close_tool(arg);
}

static struct tool *
open_tool(struct control *c, int fd, int64_t idle_ms)
{
	struct tool *t = calloc(1, sizeof(*t));

	if (t == NULL) {
		close(fd);
		return NULL;
	}
	if (link_open(&t->link, c->loop, fd, ROLE_CONTROL, &a_tool, take, gone,
	    t) != OK) {
		free(t);
		return NULL;
	}
	link_set_queue_max(t->link, TOOL_QUEUE_MAX);
	t->control = c;
	LIST_INIT(&t->queries);
	t->heard_ms = ev_now_ms(c->loop);
	timer_init(&t->idle, c->loop, out_of_patience, t);
	timer_set(&t->idle, idle_ms);
	LIST_INSERT_HEAD(&c->tools, t, entry);
	c->tool_cnt++;
	return t;
}

void
tool_open(struct control *c, int fd, enum right right)
{
	char who[RIGHTS_WHO_MAX];
	struct tool *t;

	rights_who(fd, who);
	if ((t = open_tool(c, fd, TOOL_IDLE_MS)) == NULL)
		return;
	t->right = right;
	memcpy(t->who, who, sizeof(t->who));
}

/*
 * It is told before it asks, and may read that at leisure: closing on a tool
 * that is about to speak would cost it what we have said.
 */
void
tool_turn_away(struct control *c, int fd, enum tool_status status,
    const char *why)
{
	struct msg_tool_done done = { .status = status, .text = span_of(why) };
	struct tool *t;

	if (c->unwanted_cnt >= TOOL_UNWANTED_MAX) {
		close(fd);
		return;
	}
	if ((t = open_tool(c, fd, TOOL_UNWANTED_MS)) == NULL)
		return;
	t->is_unwanted = true;
	c->tool_cnt--;
	c->unwanted_cnt++;
	(void)link_send_tool_done(t->link, &done);
}

void
tool_close_all(struct control *c)
{
	struct tool *t;

	c->draining = false;		/* drained() is not for this */
	while ((t = LIST_FIRST(&c->tools)) != NULL)
		close_tool(t);
}

/* Timers do it, so that drained() does not come within this call. */
void
tool_end_idle(struct control *c)
{
	struct tool *t;

	LIST_FOREACH(t, &c->tools, entry)
		if (t->ask_cnt == 0)
			timer_set(&t->idle, LEAVE_MS);
	if (c->tool_cnt == 0)
		c->calls->drained(c->arg);
}
