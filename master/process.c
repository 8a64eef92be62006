/*
 * process.c - master's half of bus/boot.c.  A child is told everything in one
 * go: slice, listeners, peers, go; the socket holds it until it listens.
 */
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "bus/boot.h"
#include "master/control.h"
#include "master/dirs.h"
#include "master/endpoint.h"
#include "master/pair.h"
#include "master/process.h"
#include "master/programs.h"
#include "master/reload.h"
#include "master/shortage.h"
#include "master/stop.h"
#include "sys/counters.h"
#include "sys/marks.h"

#define SILENT_MS	30000	/* without an answer it is killed	*/
#define UNKILLED_MS	10000	/* and has ended by then		*/
#define GRACE_MS	500	/* over the patience it was told	*/
#define HANGUP_MS	1000	/* to end in after it closed our link	*/
#define BUSY_MS		100	/* until we look again for a free spool	*/

/* Lines about a child. */
static void
begin_line(struct log_line *l, enum log_event event, const struct process *p)
{
	log_begin(l, event);
	log_text(l, LOG_KEY_role, role_row(p->id.role)->name);
	log_text(l, LOG_KEY_block, p->id.block);
	if (p->pid != 0)
		log_num(l, LOG_KEY_pid, p->pid);
}

static void
say(enum log_event event, const struct process *p, const char *why)
{
	struct log_line l;

	begin_line(&l, event, p);
	log_text(&l, LOG_KEY_why, why);
	log_end(&l);
}

void
process_kill(struct process *p, const char *why)
{
	if (p->pid == 0)
		return;
	say(LOG_trouble, p, why);
	if (kill(p->pid, SIGKILL) == -1)
		log_why(LOG_trouble, "cannot kill", errno);
}

static void
out_of_patience(struct timer *t, void *arg)
{
	process_kill(arg, "it did not end in time");
}

static void
start_again(struct timer *t, void *arg)
{
	process_start(arg);
}

static void
take_row(struct process *p, struct plan *plan, uint32_t row,
    struct folder *folder)
{
	p->row = plan->rows[row];
	p->slice_fd = plan_take_slice(plan, row);
	p->generation = p->supervisor->generation;
	p->folder = folder;
	memcpy(p->endpoints, plan_endpoints(plan, row),
	    p->row.endpoint_cnt * sizeof(p->endpoints[0]));
}

/*
 * The marks of a relay: those that another process of the block has, of
 * whatever generation, for they share what they count.
 */
static enum err
open_marks(int *out_fd, const struct supervisor *h,
    const struct plan_process *row)
{
	const struct process *p;

	*out_fd = -1;
	if (row->role != ROLE_RELAY)
		return OK;
	TAILQ_FOREACH(p, &h->processes, entry)
		if (p->marks_fd != -1 && strcmp(p->id.block, row->block) == 0) {
			*out_fd = fcntl(p->marks_fd, F_DUPFD_CLOEXEC, 0);
			return *out_fd == -1 ? ERR_SYS : OK;
		}
	return marks_make(out_fd);
}

static enum err
open_shared(struct process *p, const struct supervisor *h,
    const struct plan_process *row)
{
	if (open_marks(&p->marks_fd, h, row) != OK)
		return ERR_SYS;
	if (counters_make(&p->counters_fd) == OK)
		return OK;
	if (p->marks_fd != -1)
		close(p->marks_fd);
	return ERR_SYS;
}

struct process *
process_new(struct supervisor *h, struct plan *plan, uint32_t row,
    struct folder *folder)
{
	struct process *p = calloc(1, sizeof(*p));

	if (p == NULL || open_shared(p, h, &plan->rows[row]) != OK) {
		struct log_line l;
		int error = errno;

		log_begin(&l, LOG_trouble);
		shortage_log(&l, "cannot make a process", error);
		log_end(&l);
		free(p);
		folder_close(&folder);
		return NULL;
	}
	p->supervisor = h;
	LIST_INIT(&p->dials);
	take_row(p, plan, row, folder);
	p->id.role = p->row.role;
	p->id.no = h->next_no++;
	p->id.worker = p->row.worker;
	p->id.workers = p->row.workers;
	(void)strlcpy(p->id.block, p->row.block, sizeof(p->id.block));
	timer_init(&p->again, h->loop, start_again, p);
	timer_init(&p->patience, h->loop, out_of_patience, p);
	TAILQ_INSERT_TAIL(&h->processes, p, entry);
	control_met(p);
	return p;
}

static void
forget(struct process *p)
{
	struct supervisor *h = p->supervisor;

	pair_forget(p);
	control_forgot(p);
	endpoint_forget(p);
	link_close(&p->link);
	timer_stop(&p->again);
	timer_stop(&p->patience);
	TAILQ_REMOVE(&h->processes, p, entry);
	close(p->slice_fd);
	close(p->counters_fd);
	if (p->marks_fd != -1)
		close(p->marks_fd);
	folder_close(&p->folder);
	free(p);
	stop_look(h);
}

/* What a child says. */

static enum err
child_says(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	struct process *p = arg;

	p->ping_ms = 0;
	switch (type) {
	case MSG_work_ready:
		p->is_ready = p->has_worked = true;
		fault_works(&p->fault);
		control_ready(p, m->work_ready.generation != 0);
		supervisor_look(p->supervisor);
		return OK;
	case MSG_link_lost:
		if (m->link_lost.why >= ERR__COUNT)
			return ERR_PEER;
		pair_lost(p, m->link_lost.no, m->link_lost.start,
		    m->link_lost.why);
		return OK;
	case MSG_holding:
		reload_on_answer(p, m->holding.messages);
		return OK;
	case MSG_process_pong:
		return OK;
	case MSG_endpoint_ask:
		return endpoint_on_ask(p, &m->endpoint_ask);
	default:
		return p->id.role == ROLE_CONTROL ?
		    control_on_ask(p, type, m) : ERR_PEER;
	}
}

/* Without our link it is no use; one that is ending anyway may do so. */
static void
child_gone(struct link *l, enum err why, void *arg)
{
	struct process *p = arg;

	endpoint_forget(p);
	link_close(&p->link);
	if (why == ERR_CLOSED)
		timer_set(&p->patience, HANGUP_MS);
	else
		process_kill(p, why == ERR_PEER ?
		    "it spoke nonsense to master" : "our link to it broke");
}

/* Setting it up. */

static void
send_all(struct process *p)
{
	struct supervisor *h = p->supervisor;
	char empty[PLAN_PATH_MAX + sizeof(DIRS_EMPTY)];
	const char *root = p->row.own_dir;
	uint16_t listeners = 0;
	struct msg_boot_slice m = {
		.role = (uint8_t)p->id.role, .block = span_of(p->id.block),
		.no = p->id.no, .start = p->id.start,
		.worker = p->id.worker, .workers = p->id.workers,
		.generation = p->generation,
		.uid = p->row.uid, .gid = p->row.gid,
		.debug = h->debug, .sandbox = (uint8_t)h->wish,
	};

	if (root[0] == '\0') {
		snprintf(empty, sizeof(empty), "%s" DIRS_EMPTY, h->run_dir);
		root = empty;
	}
	m.root = span_of(root);
	(void)link_send_boot_slice(p->link, &m, p->slice_fd);
	(void)link_send_boot_counters(p->link,
	    &(struct msg_boot_counters){ p->id.no }, p->counters_fd);
	if (p->marks_fd != -1)
		(void)link_send_boot_marks(p->link,
		    &(struct msg_boot_marks){ 0 }, p->marks_fd);
	folder_send(p->folder, p->link);
	for (uint16_t i = 0; i < p->row.listener_cnt; i++) {
		int fd = listen_find(&h->listeners, &p->row, i);

		if (fd != -1)
			(void)link_send_boot_listener(p->link,
			    &(struct msg_boot_listener){ listeners++ }, fd);
	}
	pair_connect(p);
	(void)link_send_boot_go(p->link, &(struct msg_boot_go){ 0 });
}

static enum err
run(struct process *p)
{
	char *const argv[] = {
		(char *)(uintptr_t)role_row(p->id.role)->program, NULL,
	};
	enum err e;
	int fds[2];

	if ((e = dirs_own(&p->row)) != OK || (e = pair_socket(fds)) != OK)
		return e;
	e = programs_run(&p->pid, p->id.role, argv, fds[1]);
	close(fds[1]);
	if (e != OK) {
		close(fds[0]);
		return e;
	}
	e = link_open(&p->link, p->supervisor->loop, fds[0], ROLE_MASTER,
	    &p->id, child_says, child_gone, p);
	if (e != OK)
		process_kill(p, "no link to it");	/* reaped as any */
	return OK;
}

/* A store is what a queue alone has: nothing else outlives its process. */
static const char *
store_of(const struct process *p)
{
	return p->id.role == ROLE_QUEUE ? p->row.own_dir : "";
}

static void
start_later(struct process *p, int status)
{
	int64_t life_ms = ev_now_ms(p->supervisor->loop) - p->started_ms;

	bool named = fault_died(&p->fault, status, life_ms, p->has_worked,
	    store_of(p));

	if (!p->fault.is_over)
		timer_set(&p->again, fault_wait_ms(&p->fault));
	if (!named)
		return;
	say(LOG_trouble, p, p->fault.why);
	supervisor_look(p->supervisor);
}

/* One database, one process: does another one still have our directory? */
static bool
is_taken(const struct process *p)
{
	const struct process *other;

	if (p->id.role != ROLE_QUEUE)
		return false;
	TAILQ_FOREACH(other, &p->supervisor->processes, entry)
		if (other != p && other->id.role == ROLE_QUEUE &&
		    other->pid != 0 &&
		    strcmp(other->row.own_dir, p->row.own_dir) == 0)
			return true;
	return false;
}

void
process_start(struct process *p)
{
	struct log_line l;

	if (p->pid != 0 || p->is_leaving || p->supervisor->stage >= 0)
		return;
	timer_stop(&p->again);
	if (is_taken(p)) {
		timer_set(&p->again, BUSY_MS);
		return;
	}
	p->id.start++;
	p->is_ready = p->has_worked = false;
	p->started_ms = ev_now_ms(p->supervisor->loop);
	p->ping_ms = 0;
	if (run(p) != OK) {
		if (!fault_is_named(&p->fault)) {
			int error = errno;

			begin_line(&l, LOG_trouble, p);
			shortage_log(&l, "cannot start it", error);
			log_end(&l);
		}
		start_later(p, FAULT_NOT_STARTED);
		return;
	}
	if (!fault_is_named(&p->fault)) {
		begin_line(&l, LOG_started, p);
		log_num(&l, LOG_KEY_count, p->id.start);
		log_end(&l);
	}
	if (p->link != NULL)
		send_all(p);
}

void
process_retry(struct process *p)
{
	if (p->pid != 0 || p->is_leaving)
		return;
	fault_clear(&p->fault);
	process_start(p);
}

static void
send_slice(struct process *p)
{
	if (p->link == NULL)
		return;
	folder_send(p->folder, p->link);
	(void)link_send_slice_new(p->link,
	    &(struct msg_slice_new){ p->generation }, p->slice_fd);
}

void
process_renew(struct process *p, struct plan *plan, uint32_t row,
    struct folder *folder)
{
	close(p->slice_fd);
	folder_close(&p->folder);
	take_row(p, plan, row, folder);
	p->is_ready = false;		/* until it says that it is */
	send_slice(p);
}

void
process_refile(struct process *p, struct folder *folder)
{
	folder_close(&p->folder);
	p->folder = folder;
	send_slice(p);
}

void
process_drain(struct process *p, uint32_t patience_ms)
{
	p->is_leaving = true;
	timer_stop(&p->again);
	if (p->pid == 0) {
		forget(p);
		return;
	}
	if (p->link != NULL)
		(void)link_send_work_drain(p->link,
		    &(struct msg_work_drain){ patience_ms });
	timer_set(&p->patience, (int64_t)patience_ms + GRACE_MS);
}

static void
log_end_of(const struct process *p, int status, bool as_wanted)
{
	struct log_line l;

	begin_line(&l, as_wanted ? LOG_stopped : LOG_trouble, p);
	if (!as_wanted)
		log_text(&l, LOG_KEY_why, "a process has died");
	if (WIFSIGNALED(status))
		log_num(&l, LOG_KEY_signal, WTERMSIG(status));
	else
		log_num(&l, LOG_KEY_status, WEXITSTATUS(status));
	log_end(&l);
}

void
process_ended(struct process *p, int status)
{
	struct supervisor *h = p->supervisor;
	bool as_wanted = WIFEXITED(status) && (p->is_leaving ?
	    WEXITSTATUS(status) == 0 : WEXITSTATUS(status) == BOOT_ANEW);

	if (as_wanted || !fault_is_named(&p->fault))
		log_end_of(p, status, as_wanted);
	control_ended(p);
	endpoint_forget(p);
	link_close(&p->link);
	timer_stop(&p->patience);
	p->pid = 0;
	p->is_ready = false;
	if (p->is_leaving) {
		forget(p);
		return;
	}
	if (h->stage >= 0) {
		pair_forget(p);
		stop_look(h);
		return;
	}
	start_later(p, status);
}

bool
process_answers(const struct process *p)
{
	int64_t now_ms = ev_now_ms(p->supervisor->loop);

	return p->pid == 0 || p->ping_ms == 0 ||
	    now_ms - p->ping_ms <= SILENT_MS + UNKILLED_MS;
}

/*
 * Only a question can go unanswered: when it is we who were stopped, or the
 * whole machine, the children have nothing to answer for.
 */
void
process_ping(struct process *p, uint64_t turn)
{
	int64_t now_ms = ev_now_ms(p->supervisor->loop);

	if (p->link == NULL)
		return;
	if (p->ping_ms != 0 && now_ms - p->ping_ms > SILENT_MS) {
		process_kill(p, "it does not answer");
		return;
	}
	if (p->ping_ms == 0)
		p->ping_ms = now_ms;
	(void)link_send_process_ping(p->link,
	    &(struct msg_process_ping){ turn });
}
