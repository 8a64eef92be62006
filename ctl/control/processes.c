/* processes.c - rows of master, each with the counters of its process. */
#include <unistd.h>

#include "base/wire.h"
#include "ctl/control/ask.h"
#include "ctl/control/processes.h"
#include "ctl/control/tool.h"

#define COUNTERS_LEN	(COUNTER__COUNT * sizeof(uint64_t))

_Static_assert(COUNTERS_LEN <= BUS_BLOB_MAX, "counters fit a frame");

static struct page *
find_page(struct control *c, uint32_t no)
{
	for (unsigned i = 0; i < c->page_cnt; i++)
		if (c->pages[i].no == no)
			return &c->pages[i];
	return NULL;
}

/* A page we cannot map costs nothing but its numbers. */
static void
take_page(struct control *c, uint32_t no, int fd)
{
	const void *at = counters_map(fd);
	struct page *p = find_page(c, no);

	close(fd);
	if (at == NULL)
		return;
	if (p == NULL && c->page_cnt < PAGES_MAX) {
		p = &c->pages[c->page_cnt++];
		*p = (struct page){ .no = no };
	}
	if (p == NULL) {
		counters_unmap(at);
		return;
	}
	if (p->at != NULL)
		counters_unmap(p->at);
	p->at = at;
	p->is_known = true;
}

/* A listing is over: what it did not name is gone. */
static void
sweep_pages(struct control *c)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < c->page_cnt; i++) {
		if (!c->pages[i].is_known) {
			counters_unmap(c->pages[i].at);
			continue;
		}
		c->pages[kept] = c->pages[i];
		c->pages[kept++].is_known = false;
	}
	c->page_cnt = kept;
}

static struct span
read_page(struct control *c, uint32_t no, uint8_t bytes[COUNTERS_LEN])
{
	struct page *p = find_page(c, no);
	struct wire_out w = { bytes, 0, COUNTERS_LEN, false };
	uint64_t counters[COUNTER__COUNT];

	if (p == NULL)
		return SPAN("");
	p->is_known = true;
	counters_read(p->at, counters);
	for (unsigned i = 0; i < COUNTER__COUNT; i++)
		wire_u64(&w, counters[i]);
	return (struct span){ (const char *)bytes, w.len };
}

/* Master's word is taken: a number that is nobody's finds nobody. */
static struct ask *
find_ask(struct control *c, uint64_t request)
{
	struct ask *a;

	return ask_find(&c->queries, request, &a) == OK ? a : NULL;
}

static void
tell_process(struct control *c, const struct msg_supervisor_process *m)
{
	const struct ask *a = find_ask(c, m->request);
	uint8_t bytes[COUNTERS_LEN];
	struct msg_status_process row = {
		.role = m->role, .block = m->block, .no = m->no,
		.start = m->start, .worker = m->worker, .workers = m->workers,
		.pid = m->pid, .up_ms = m->up_ms, .state = m->state,
		.why = m->why, .counters = read_page(c, m->no, bytes),
	};

	if (a != NULL && a->tool != NULL && a->type == MSG_status_ask)
		(void)link_send_status_process(a->tool->link, &row);
}

static void
tell_listener(struct control *c, const struct msg_supervisor_listener *m)
{
	const struct ask *a = find_ask(c, m->request);
	struct msg_status_listener row = {
		.block = m->block, .where = m->where,
	};

	if (a != NULL && a->tool != NULL && a->type == MSG_status_ask)
		(void)link_send_status_listener(a->tool->link, &row);
}

static void
tell_end(struct control *c, const struct msg_supervisor_end *m)
{
	struct ask *a = find_ask(c, m->request);
	struct msg_status_end end = {
		.generation = m->generation, .up_ms = m->up_ms,
	};

	sweep_pages(c);
	if (a == NULL || a->type != MSG_status_ask)
		return;
	if (a->tool != NULL)
		(void)link_send_status_end(a->tool->link, &end);
	ask_end(a);
}

static void
tell_done(struct control *c, const struct msg_supervisor_done *m)
{
	struct ask *a = find_ask(c, m->request);
	struct msg_tool_done done = {
		.status = m->status, .text = m->text,
	};

	if (a == NULL)
		return;
	if (a->tool != NULL)
		(void)link_send_tool_done(a->tool->link, &done);
	ask_end(a);
}

enum err
processes_receive(struct control *c, unsigned type, const union msg *m, int fd)
{
	switch (type) {
	case MSG_supervisor_counters:
		take_page(c, m->supervisor_counters.no, fd);
		return OK;
	case MSG_supervisor_process:
		tell_process(c, &m->supervisor_process);
		return OK;
	case MSG_supervisor_listener:
		tell_listener(c, &m->supervisor_listener);
		return OK;
	case MSG_supervisor_end:
		tell_end(c, &m->supervisor_end);
		return OK;
	case MSG_supervisor_done:
		tell_done(c, &m->supervisor_done);
		return OK;
	default:
		if (fd != -1)
			close(fd);
		return ERR_PEER;
	}
}

void
processes_gone(struct control *c, uint32_t no)
{
	struct page *p = find_page(c, no);

	if (p == NULL)
		return;
	counters_unmap(p->at);
	*p = c->pages[--c->page_cnt];
}

void
processes_close(struct control *c)
{
	while (c->page_cnt > 0)
		counters_unmap(c->pages[--c->page_cnt].at);
}
