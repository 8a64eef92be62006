/*
 * control.c - answers go out in one turn and wait in the link if control does
 * not read; it is not believed to be in need of more while they do.
 */
#include <arpa/inet.h>
#include <netinet/in.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "master/control.h"
#include "master/process.h"
#include "master/reload.h"
#include "master/shortage.h"
#include "sys/clock.h"
#include "sys/counters.h"

#define UNREAD_MAX	(1u << 20)	/* bytes of answers it may leave */
#define RELOAD_WAIT_MS	60000	/* for all processes to be ready	*/
#define RELOAD_GAP_MS	500	/* between two that control asks for	*/
#define USERS_WAIT_MS	10000	/* for the process to take its file	*/

static struct process *
find(struct supervisor *h)
{
	struct process *p;

	TAILQ_FOREACH(p, &h->processes, entry)
		if (p->id.role == ROLE_CONTROL && !p->is_leaving)
			return p;
	return NULL;
}

static void
tell_done(struct process *p, uint32_t request, enum tool_status status,
    const char *text)
{
	const struct msg_supervisor_done m = {
		request, (uint8_t)status, span_of(text),
	};

	if (p->link != NULL)
		(void)link_send_supervisor_done(p->link, &m);
}

/* The end of what was asked, if it was. */
static void
answer(struct supervisor *h, struct query *a, enum tool_status status,
    const char *text)
{
	struct process *p = find(h);

	if (!a->is_open)
		return;
	a->is_open = false;
	timer_stop(&a->patience);
	if (p != NULL)
		tell_done(p, a->request, status, text);
}

static void
reload_too_long(struct timer *t, void *arg)
{
	struct supervisor *h = arg;

	answer(h, &h->reload_query, STATUS_FAILED,
	    "in force, but not all processes are ready");
}

static void
users_too_long(struct timer *t, void *arg)
{
	struct supervisor *h = arg;

	answer(h, &h->users_query, STATUS_FAILED,
	    "the users process does not take the file");
}

void
control_init(struct supervisor *h)
{
	timer_init(&h->reload_query.patience, h->loop, reload_too_long, h);
	timer_init(&h->users_query.patience, h->loop, users_too_long, h);
}

static void
open_query(struct query *a, uint32_t request, uint32_t no, int64_t wait_ms)
{
	a->is_open = true;
	a->request = request;
	a->no = no;
	timer_set(&a->patience, wait_ms);
}

/* Processes and listeners. */

static enum process_state
state_of(const struct process *p)
{
	return p->pid == 0 ? PROCESS_DOWN :
	    p->is_leaving ? PROCESS_LEAVING :
	    p->is_ready ? PROCESS_READY : PROCESS_STARTING;
}

static void
tell_process(struct link *l, uint32_t request, const struct process *p)
{
	int64_t now_ms = ev_now_ms(p->supervisor->loop);

	(void)link_send_supervisor_process(l, &(struct msg_supervisor_process){
	    .request = request, .role = (uint8_t)p->id.role,
	    .block = span_of(p->id.block), .no = p->id.no,
	    .start = p->id.start, .worker = p->id.worker,
	    .workers = p->id.workers, .pid = (uint32_t)p->pid,
	    .up_ms = p->pid == 0 ? 0 : (uint64_t)(now_ms - p->started_ms),
	    .state = (uint8_t)state_of(p), .why = span_of(p->fault.why) });
}

/* "127.0.0.1:25", "[::]:25", "/run/postern/control" */
static void
name_place(char *buf, size_t cap, const struct plan_listener *w)
{
	char text[INET6_ADDRSTRLEN] = "?";

	if (w->family == 1) {
		(void)strlcpy(buf, w->path, cap);
		return;
	}
	(void)inet_ntop(w->family == 4 ? AF_INET : AF_INET6, w->address, text,
	    sizeof(text));
	snprintf(buf, cap, w->family == 4 ? "%s:%u" : "[%s]:%u", text,
	    w->port);
}

/* Workers share their block's listeners, so the first stands for all. */
static void
tell_listeners(struct link *l, uint32_t request, const struct process *p)
{
	char where[PLAN_SOCKET_MAX + INET6_ADDRSTRLEN];
	struct msg_supervisor_listener row;

	if (p->id.worker != 0 || p->is_leaving)
		return;
	for (uint16_t i = 0; i < p->row.listener_cnt; i++) {
		if (listen_passed_over(&p->supervisor->listeners, &p->row, i))
			continue;
		name_place(where, sizeof(where), &p->row.listeners[i]);
		row = (struct msg_supervisor_listener){ request,
		    span_of(p->id.block), span_of(where) };
		(void)link_send_supervisor_listener(l, &row);
	}
}

static enum err
tell_all(struct process *control, uint32_t request)
{
	struct supervisor *h = control->supervisor;
	struct link *l = control->link;
	const struct process *p;

	if (link_unsent(l) > UNREAD_MAX)	/* asks, and does not read */
		return ERR_PEER;
	TAILQ_FOREACH(p, &h->processes, entry)
		tell_process(l, request, p);
	TAILQ_FOREACH(p, &h->processes, entry)
		tell_listeners(l, request, p);
	(void)link_send_supervisor_end(l, &(struct msg_supervisor_end){ request,
	    h->generation, (uint64_t)(ev_now_ms(h->loop) - h->started_ms) });
	return OK;
}

/* Pages. */

static void
pass_page(struct process *control, const struct process *p)
{
	int fd;

	if (counters_reader(&fd, p->counters_fd) != OK) {
		struct log_line l;
		int error = errno;

		log_begin(&l, LOG_trouble);
		shortage_log(&l, "cannot show a page of counters", error);
		log_end(&l);
		return;
	}
	(void)link_send_supervisor_counters(control->link,
	    &(struct msg_supervisor_counters){ p->id.no }, fd);
	close(fd);
}

void
control_met(struct process *p)
{
	struct process *control = find(p->supervisor);

	if (control != NULL && control->is_ready && control->link != NULL)
		pass_page(control, p);
}

void
control_forgot(const struct process *p)
{
	struct process *control = find(p->supervisor);

	if (control != NULL && control != p && control->link != NULL)
		(void)link_send_peer_gone(control->link,
		    &(struct msg_peer_gone){ p->id.no });
}

/* Requests. */

static void
ask_reload(struct process *control, uint32_t request)
{
	struct supervisor *h = control->supervisor;

	if (h->reload_query.is_open || h->next != NULL ||
	    h->awaited != AWAIT_NOTHING || h->stage >= 0 ||
	    ev_now_ms(h->loop) - h->reloaded_ms < RELOAD_GAP_MS) {
		tell_done(control, request, STATUS_BUSY,
		    "another change is under way");
		return;
	}
	open_query(&h->reload_query, request, 0, RELOAD_WAIT_MS);
	reload_begin(h);
}

static struct process *
find_users(struct supervisor *h, struct span block)
{
	struct process *p;

	TAILQ_FOREACH(p, &h->processes, entry)
		if (p->id.role == ROLE_USERS && !p->is_leaving &&
		    span_eq(block, span_of(p->id.block)))
			return p;
	return NULL;
}

static void
ask_users(struct process *control, uint32_t request, struct span block)
{
	struct supervisor *h = control->supervisor;
	struct process *p = find_users(h, block);
	struct folder *folder;

	if (p == NULL)
		tell_done(control, request, STATUS_NONE, "no such users block");
	else if (h->users_query.is_open || h->stage >= 0)
		tell_done(control, request, STATUS_BUSY,
		    "another change is under way");
	else if (folder_open_again(&folder, p->folder) != OK)
		tell_done(control, request, STATUS_FAILED,
		    "the file cannot be opened");
	else {
		open_query(&h->users_query, request, p->id.no, USERS_WAIT_MS);
		process_refile(p, folder);
	}
}

enum err
control_on_ask(struct process *p, unsigned type, const union msg *m)
{
	switch (type) {
	case MSG_supervisor_ask:
		return tell_all(p, m->supervisor_ask.request);
	case MSG_reload_ask:
		ask_reload(p, m->reload_ask.request);
		return OK;
	case MSG_users_ask:
		ask_users(p, m->users_ask.request, m->users_ask.block);
		return OK;
	default:
		return ERR_PEER;
	}
}

void
control_ready(struct process *p, bool took)
{
	struct supervisor *h = p->supervisor;
	const struct process *other;

	if (h->users_query.is_open && h->users_query.no == p->id.no)
		answer(h, &h->users_query, took ? STATUS_DONE : STATUS_FAILED,
		    took ? "" : "the users process does not take the file");
	if (p->id.role != ROLE_CONTROL || p->link == NULL)
		return;
	TAILQ_FOREACH(other, &h->processes, entry)
		pass_page(p, other);
}

void
control_ended(struct process *p)
{
	struct supervisor *h = p->supervisor;

	if (p->id.role != ROLE_CONTROL)
		return;
	h->reload_query.is_open = h->users_query.is_open = false;
	timer_stop(&h->reload_query.patience);
	timer_stop(&h->users_query.patience);
}

void
control_reloaded(struct supervisor *h, enum tool_status status,
    const char *text)
{
	h->reloaded_ms = clock_mono_ms();	/* this turn was a long one */
	answer(h, &h->reload_query, status, text);
}
