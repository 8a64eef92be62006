/* status.c - rows into arrays, then a question for each queue. */
#include <stdlib.h>
#include <string.h>

#include "base/wire.h"
#include "ctl/tool/status.h"

#define QUEUE_MS	5000	/* a queue has to say how it is	*/

struct asking {
	struct status	*status;
	struct status_queue *queue;
	uint64_t	 request;	/* for this queue		*/
	enum run_end	 end;
};

/* A zeroed place behind the cnt there are, or NULL. */
static void *
add(void **all, size_t *cnt, size_t *cap, size_t size)
{
	void *place;

	if (*cnt == *cap) {
		void *more = reallocarray(*all, *cap * 2 + 16, size);

		if (more == NULL)
			return NULL;
		*all = more;
		*cap = *cap * 2 + 16;
	}
	place = (char *)*all + (*cnt)++ * size;
	memset(place, 0, size);
	return place;
}

static void
read_counters(struct status_process *p, struct span bytes)
{
	struct wire_in r = {
		(const uint8_t *)bytes.ptr,
		(const uint8_t *)bytes.ptr + bytes.len, false,
	};

	if (bytes.len != sizeof(p->counters))
		return;
	for (unsigned i = 0; i < COUNTER__COUNT; i++)
		p->counters[i] = wire_get_u64(&r);
	p->has_counters = wire_done(&r);
}

static void
add_process(struct status *h, const struct msg_status_process *m)
{
	void *all = h->processes;
	struct status_process *p;

	if (m->role >= ROLE__COUNT || m->state >= PROCESS__COUNT)
		return;
	p = add(&all, &h->process_cnt, &h->process_cap, sizeof(*p));
	h->processes = all;
	if (p == NULL)
		return;
	p->role = m->role;
	(void)span_cstr(m->block, p->block, sizeof(p->block));
	p->no = m->no;
	p->start = m->start;
	p->pid = m->pid;
	p->worker = m->worker;
	p->workers = m->workers;
	p->up_ms = m->up_ms;
	p->state = m->state;
	(void)span_cstr(m->why, p->why, sizeof(p->why));
	read_counters(p, m->counters);
}

static void
add_listener(struct status *h, const struct msg_status_listener *m)
{
	void *all = h->listeners;
	struct status_listener *l = add(&all, &h->listener_cnt,
	    &h->listener_cap, sizeof(*l));

	h->listeners = all;
	if (l == NULL)
		return;
	(void)span_cstr(m->block, l->block, sizeof(l->block));
	(void)span_cstr(m->where, l->where, sizeof(l->where));
}

static bool
take_row(unsigned type, const union msg *m, void *arg)
{
	struct asking *a = arg;

	switch (type) {
	case MSG_status_process:
		add_process(a->status, &m->status_process);
		return false;
	case MSG_status_listener:
		add_listener(a->status, &m->status_listener);
		return false;
	case MSG_status_end:
		a->status->generation = m->status_end.generation;
		a->status->up_ms = m->status_end.up_ms;
		return true;
	case MSG_tool_done:
		a->end = run_status(&m->tool_done);
		return true;
	default:
		return false;
	}
}

/* A queue that cannot tell is shown as away: that is what status is for. */
static bool
take_queue(unsigned type, const union msg *m, void *arg)
{
	struct asking *a = arg;
	struct status_queue *q = a->queue;

	if (type == MSG_queue_status &&
	    m->queue_status.request != a->request)
		return false;		/* too late, of another queue */
	if (type == MSG_queue_status) {
		q->messages = m->queue_status.messages;
		q->deliveries = m->queue_status.deliveries;
		q->active = m->queue_status.active;
		q->held = m->queue_status.held;
		q->oldest_ms = m->queue_status.oldest_ms;
		q->quarantined = m->queue_status.quarantined;
		q->lost = m->queue_status.lost;
		q->suspended = m->queue_status.suspended;
		q->down = m->queue_status.down;
		q->disk_free = m->queue_status.disk_free;
		q->disk_size = m->queue_status.disk_size;
		q->full = m->queue_status.full < QUEUE_FULL__COUNT ?
		    m->queue_status.full : QUEUE_FULL;
		q->utf8 = m->queue_status.utf8 < QUEUE_UTF8__COUNT ?
		    m->queue_status.utf8 : QUEUE_ASCII;
		q->utf8_hop = m->queue_status.utf8_hop < HOP_UTF8__COUNT ?
		    m->queue_status.utf8_hop : HOP_UNKNOWN;
		(void)span_cstr(m->queue_status.utf8_relay, q->utf8_relay,
		    sizeof(q->utf8_relay));
	} else if (type == MSG_tool_done)
		q->is_away = true;
	return type == MSG_queue_status || type == MSG_tool_done;
}

static enum run_end
ask_queue(struct talk *t, struct status *h, const char *name)
{
	void *all = h->queues;
	struct asking a = {
		.queue = add(&all, &h->queue_cnt, &h->queue_cap,
		    sizeof(*a.queue)),
	};
	struct msg_queue_ask m = { .queue = span_of(name) };
	enum err e;

	h->queues = all;
	if (a.queue == NULL)
		return END_NOTHING;
	a.request = m.request = h->queue_cnt;
	(void)strlcpy(a.queue->name, name, sizeof(a.queue->name));
	talk_send(t, MSG_queue_ask, &m);
	e = talk_wait(t, take_queue, &a);
	a.queue->is_away |= e == ERR_AGAIN;
	return e == OK || e == ERR_AGAIN ? END_DONE : run_lost(e);
}

enum run_end
status_ask(struct talk *t, struct status *h)
{
	const struct msg_status_ask m = { 0 };
	struct asking a = { .status = h, .end = END_DONE };
	enum err e;

	memset(h, 0, sizeof(*h));
	talk_send(t, MSG_status_ask, &m);
	if ((e = talk_wait(t, take_row, &a)) != OK)
		return run_lost(e);
	talk_set_patience(t, QUEUE_MS);
	for (size_t i = 0; i < h->process_cnt && a.end == END_DONE; i++)
		if (h->processes[i].role == ROLE_QUEUE ||
		    h->processes[i].role == ROLE_PROXY)
			a.end = ask_queue(t, h, h->processes[i].block);
	return a.end;
}

void
status_fini(struct status *h)
{
	free(h->processes);
	free(h->listeners);
	free(h->queues);
	memset(h, 0, sizeof(*h));
}

bool
status_counts(enum role role, enum counter c)
{
	if (role == ROLE_MAILDIR || role == ROLE_PIPE ||
	    role == ROLE_BLACKHOLE || role == ROLE_LOCAL)
		role = ROLE_RELAY;
	return span_has(span_of(counter_row(c)->who), ' ',
	    span_of(role_row(role)->name));
}

const char *
status_state(enum process_state s)
{
	static const char *const names[PROCESS__COUNT] = {
		[PROCESS_STARTING] = "starting", [PROCESS_READY] = "ready",
		[PROCESS_LEAVING] = "leaving", [PROCESS_DOWN] = "down",
	};

	return names[s];
}
