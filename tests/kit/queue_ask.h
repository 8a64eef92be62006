/*
 * queue_ask - control as the test plays it: it asks, and counts what it hears.
 */
#ifndef TESTS_QUEUE_ASK_H
#define TESTS_QUEUE_ASK_H

#include "queue_play.h"

#define ASK_IDS_MAX	64

struct ask {
	struct play	*play;
	struct link	*link;
	bool		 gone;
	unsigned	 told_cnt, message_cnt, delivery_cnt, rcpt_cnt;
	unsigned	 end_cnt, edit_cnt, route_cnt;
	unsigned	 status_cnt[STATUS__COUNT];	/* of edits	*/
	struct msg_queue_status told;
	struct msg_list_message message;
	struct msg_list_delivery delivery;
	struct msg_list_rcpt rcpt;
	char		 holder[128];
	char		 address[256], reply[256], trace[EXPAND_TRACE_MAX + 1];
	struct id	 ids[ASK_IDS_MAX];	/* listed		*/
	struct id	 last;
	enum tool_status	 end, edited;
	uint16_t	 route_code;
	char		 rule[256], relay[64], destination[256];
	char		 waits[64];	/* a route's suspension	*/
	char		 aliases[8192];	/* "ann@x 250 "		*/
	unsigned	 alias_end_cnt, alias_code;
	uint32_t	 alias_next;
};

static inline void
ask_count_rows(struct ask *a, unsigned type, const union msg *m)
{
	switch (type) {
	case MSG_list_message:
		if (a->message_cnt < ASK_IDS_MAX)
			a->ids[a->message_cnt] = m->list_message.id;
		a->message = m->list_message;
		a->message_cnt++;
		break;
	case MSG_list_delivery:
		a->delivery = m->list_delivery;
		span_cstr(m->list_delivery.holder, a->holder,
		    sizeof(a->holder));
		a->delivery_cnt++;
		break;
	case MSG_list_rcpt:
		a->rcpt = m->list_rcpt;
		span_cstr(m->list_rcpt.address, a->address,
		    sizeof(a->address));
		span_cstr(m->list_rcpt.reply, a->reply, sizeof(a->reply));
		span_cstr(m->list_rcpt.trace, a->trace, sizeof(a->trace));
		a->rcpt_cnt++;
		break;
	case MSG_list_end:
		a->last = m->list_end.last;
		a->end = m->list_end.status;
		a->end_cnt++;
		break;
	}
}

static inline enum err
ask_heard(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	struct ask *a = arg;

	ask_count_rows(a, type, m);
	switch (type) {
	case MSG_queue_status:
		a->told = m->queue_status;
		a->told_cnt++;
		break;
	case MSG_edit_done:
		a->edited = m->edit_done.status;
		assert_true(a->edited < STATUS__COUNT);
		a->status_cnt[a->edited]++;
		a->edit_cnt++;
		break;
	case MSG_route_answer:
		a->route_code = m->route_answer.code;
		span_cstr(m->route_answer.rule, a->rule, sizeof(a->rule));
		span_cstr(m->route_answer.relay, a->relay, sizeof(a->relay));
		span_cstr(m->route_answer.destination, a->destination,
		    sizeof(a->destination));
		(void)snprintf(a->waits, sizeof(a->waits), "%s%.*s",
		    m->route_answer.suspended != 0 ? "yes " : "no",
		    (int)m->route_answer.reason.len,
		    m->route_answer.reason.len == 0 ? "" :
		    m->route_answer.reason.ptr);
		a->route_cnt++;
		break;
	case MSG_alias_row:
		(void)snprintf(a->aliases + strlen(a->aliases),
		    sizeof(a->aliases) - strlen(a->aliases), "%.*s%s%.*s %u ",
		    (int)m->alias_row.address.len, m->alias_row.address.ptr,
		    m->alias_row.owner.len > 0 ? "/" : "",
		    (int)m->alias_row.owner.len, m->alias_row.owner.ptr,
		    m->alias_row.code);
		break;
	case MSG_alias_end:
		a->alias_end_cnt++;
		a->alias_next = m->alias_end.next;
		a->alias_code = m->alias_end.code;
		break;
	}
	return OK;
}

static inline void
ask_lost(struct link *l, enum err why, void *arg)
{
	struct ask *a = arg;

	a->gone = true;
	link_close(&a->link);
}

static inline void
ask_link(struct ask *a, struct play *p)
{
	struct link_peer us = { .role = ROLE_QUEUE, .block = "main" };
	struct link_peer control = { .role = ROLE_CONTROL, .block = "control",
	    .no = 9 };
	int fds[2];

	memset(a, 0, sizeof(*a));
	a->play = p;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK,
	    0, fds), 0);
	from_control_peer(&p->q, fds[0], &control);
	assert_int_equal(link_open(&a->link, p->kit.loop, fds[1],
	    ROLE_CONTROL, &us, ask_heard, ask_lost, a), OK);
}

/* The queue's end is closed, and what is on its way for it comes back. */
static inline void
ask_unlink(struct ask *a)
{
	control_close(&a->play->q);
	link_close(&a->link);
	for (int i = 0; i < 5; i++)
		kit_turn(&a->play->kit);
}

static inline enum tool_status
ask_edit(struct ask *a, struct id id, enum edit action)
{
	unsigned before = a->edit_cnt;

	link_send_edit_ask(a->link, &(struct msg_edit_ask){ 1, SPAN("main"),
	    id, (uint8_t)action, SPAN("out"), SPAN("ann") });
	kit_until(&a->play->kit, a->edit_cnt > before);
	return a->edited;
}

/* As posternctl does: what is under way is tried again. */
static inline enum tool_status
ask_edit_patiently(struct ask *a, struct id id, enum edit action)
{
	enum tool_status status;

	do
		status = ask_edit(a, id, action);
	while (status == STATUS_BUSY);
	return status;
}

static inline void
ask_list(struct ask *a, struct id after, uint32_t max)
{
	unsigned before = a->end_cnt;

	a->message_cnt = a->delivery_cnt = a->rcpt_cnt = 0;
	link_send_list_ask(a->link, &(struct msg_list_ask){ 1, SPAN("main"),
	    after, max });
	kit_until(&a->play->kit, a->end_cnt > before);
}

static inline void
ask_show(struct ask *a, struct id id)
{
	unsigned before = a->end_cnt;

	a->message_cnt = a->delivery_cnt = a->rcpt_cnt = 0;
	link_send_show_ask(a->link, &(struct msg_show_ask){ 1, SPAN("main"),
	    id });
	kit_until(&a->play->kit, a->end_cnt > before);
}

static inline void
ask_totals(struct ask *a)
{
	unsigned before = a->told_cnt;

	link_send_queue_ask(a->link, &(struct msg_queue_ask){ 1,
	    SPAN("main") });
	kit_until(&a->play->kit, a->told_cnt > before);
}

#endif
