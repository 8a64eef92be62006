/*
 * supervisor.c - from a plan to running processes, and the regular looks at
 * them.
 *
 * At the first start edges wait until all others are ready: clients then wait
 * in the listeners' queues instead of hearing 451.
 */
#include <sys/wait.h>

#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "master/control.h"
#include "master/supervisor.h"
#include "master/notify.h"
#include "master/pair.h"
#include "master/process.h"
#include "master/summary.h"

#define PING_MS		5000
#define EDGES_WAIT_MS	3000

static void
start_edges(struct supervisor *h)
{
	struct process *p;

	h->edges_wait = false;
	timer_stop(&h->edges);
	TAILQ_FOREACH(p, &h->processes, entry)
		if (p->id.role == ROLE_EDGE)
			process_start(p);
}

static void
edges_waited(struct timer *t, void *arg)
{
	start_edges(arg);
}

static void
ping_all(struct timer *t, void *arg)
{
	struct supervisor *h = arg;
	struct process *p;

	h->ping_turn++;
	TAILQ_FOREACH(p, &h->processes, entry)
		process_ping(p, h->ping_turn);
	summary_tell(h);
	timer_set(&h->ping, PING_MS);
}

static void
say_alive(struct timer *t, void *arg)
{
	struct supervisor *h = arg;
	const struct process *p;
	bool all = true;

	TAILQ_FOREACH(p, &h->processes, entry)
		all = all && process_answers(p);
	if (all)
		notify_alive();
	timer_set(&h->alive, notify_alive_ms());
}

void
supervisor_init(struct supervisor *h, struct ev_loop *loop, const char *file,
    bool debug)
{
	memset(h, 0, sizeof(*h));
	h->loop = loop;
	h->file = file;
	h->debug = debug;
	h->is_root = geteuid() == 0;
	h->stage = -1;
	h->next_no = 1;
	h->generation = 1;
	TAILQ_INIT(&h->processes);
	TAILQ_INIT(&h->pairs);
	TAILQ_INIT(&h->listeners);
	h->started_ms = ev_now_ms(loop);
	h->reloaded_ms = INT64_MIN / 2;
	control_init(h);
	timer_init(&h->edges, loop, edges_waited, h);
	timer_init(&h->ping, loop, ping_all, h);
	timer_init(&h->alive, loop, say_alive, h);
}

static enum err
add_one(struct supervisor *h, struct plan *plan, uint32_t row,
    struct process **made)
{
	struct folder *folder;
	enum err e;

	e = listen_want(&h->listeners, &plan->rows[row], h->generation);
	if (e == OK)
		e = folder_open(&folder, plan_files(plan, row),
		    plan->rows[row].file_cnt);
	if (e != OK)
		return e;
	*made = process_new(h, plan, row, folder);
	return *made == NULL ? ERR_SYS : OK;
}

static enum err
add_all(struct supervisor *h, struct plan *plan, struct process **made)
{
	enum err e = OK;

	for (uint32_t i = 0; i < plan->head.process_cnt && e == OK; i++)
		e = add_one(h, plan, i, &made[i]);
	for (uint32_t i = 0; i < plan->head.link_cnt && e == OK; i++)
		e = pair_add(h, made[plan->links[i].from],
		    made[plan->links[i].to]);
	return e;
}

enum err
supervisor_start(struct supervisor *h, struct plan *plan)
{
	struct process *made[PLAN_PROCESSES_MAX];
	struct process *p;
	enum err e;

	(void)strlcpy(h->run_dir, plan->head.run_dir, sizeof(h->run_dir));
	h->wish = plan->head.sandbox;
	if ((e = add_all(h, plan, made)) != OK)
		return e;
	h->awaited = AWAIT_START;
	h->edges_wait = true;
	timer_set(&h->edges, EDGES_WAIT_MS);
	TAILQ_FOREACH(p, &h->processes, entry)
		if (p->id.role != ROLE_EDGE)
			process_start(p);
	timer_set(&h->ping, PING_MS);
	if (notify_alive_ms() > 0)
		timer_set(&h->alive, notify_alive_ms());
	return OK;
}

static bool
are_ready(const struct supervisor *h, bool with_edges)
{
	const struct process *p;

	TAILQ_FOREACH(p, &h->processes, entry)
		if (!p->is_ready && !p->is_leaving &&
		    !fault_is_named(&p->fault) &&
		    (with_edges || p->id.role != ROLE_EDGE))
			return false;
	return true;
}

static bool
do_all_work(const struct supervisor *h)
{
	const struct process *p;

	TAILQ_FOREACH(p, &h->processes, entry)
		if (!p->is_leaving && fault_is_named(&p->fault))
			return false;
	return true;
}

static void
all_are_ready(struct supervisor *h, enum awaited was)
{
	bool all = do_all_work(h);

	if (was == AWAIT_START)
		log_why(LOG_ready, all ? "all processes work" :
		    "all processes work but those that are in trouble", 0);
	else
		log_why(LOG_reloaded, "the new configuration is in force", 0);
	if (was == AWAIT_RELOAD)
		control_reloaded(h, all ? STATUS_DONE : STATUS_FAILED,
		    all ? "" : "in force, but not all processes work: see "
		    "posternctl status");
	summary_tell(h);
	notify_ready();
}

void
supervisor_look(struct supervisor *h)
{
	enum awaited was = h->awaited;

	if (h->edges_wait && are_ready(h, false))
		start_edges(h);
	if (was == AWAIT_NOTHING || h->stage >= 0 || !are_ready(h, true))
		return;
	h->awaited = AWAIT_NOTHING;
	all_are_ready(h, was);
}

static bool
is_ours(const struct supervisor *h, pid_t pid)
{
	const struct process *p;

	TAILQ_FOREACH(p, &h->processes, entry)
		if (p->pid == pid)
			return true;
	return false;
}

static void
reap_strangers(const struct supervisor *h)
{
	siginfo_t si = { 0 };

	while (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	    si.si_pid != 0 && !is_ours(h, si.si_pid)) {
		(void)waitpid(si.si_pid, NULL, WNOHANG);
		si.si_pid = 0;
	}
}

void
supervisor_reap(struct supervisor *h)
{
	struct process *p, *next;
	int status;

	TAILQ_FOREACH_SAFE(p, &h->processes, entry, next)
		if (p->pid != 0 && waitpid(p->pid, &status, WNOHANG) == p->pid)
			process_ended(p, status);
	/* The first process of a container inherits what others left. */
	if (getpid() == 1)
		reap_strangers(h);
}
