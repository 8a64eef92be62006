/*
 * reload.c - each process is kept, renewed (one that lasts gets the new slice
 * and its files), replaced by a new generation, or let go; edges and relays
 * share no state with their followers, so both may run for a while.
 *
 * Everything that can fail without harm is done first: the check, queues that
 * must be empty, sockets, files.  What comes after either works or is tried
 * again by the restarts that are there anyway.
 */
#include <string.h>

#include "base/log.h"
#include "master/control.h"
#include "master/notify.h"
#include "master/pair.h"
#include "master/process.h"
#include "master/reload.h"

#define DRAIN_MS	(5 * 60 * 1000)	/* for an old generation	*/
#define ANSWER_MS	2000		/* for a queue to say it is empty */

enum fate { FATE_KEEP, FATE_RENEW, FATE_REPLACE };

/* We were told once more while one was under way: the file may be another. */
static void
begin_again(struct supervisor *h)
{
	if (!h->reload_again)
		return;
	h->reload_again = false;
	reload_begin(h);
}

static void
refuse(struct supervisor *h, const char *why)
{
	log_why(LOG_trouble, why, 0);
	log_why(LOG_trouble, "not reloaded: all stays as it was", 0);
	plan_free(&h->next);
	timer_stop(&h->answers);
	control_reloaded(h, STATUS_REFUSED, why);
	notify_ready();
	begin_again(h);
}

/* The process that a row of the new plan is about; NULL: a new one. */
static struct process *
find(struct supervisor *h, const struct plan_process *row)
{
	struct process *p;

	TAILQ_FOREACH(p, &h->processes, entry)
		if (!p->is_leaving && p->id.role == row->role &&
		    p->id.worker == row->worker &&
		    strcmp(p->id.block, row->block) == 0)
			return p;
	return NULL;
}

static bool
is_same_row(const struct plan_process *a, const struct plan_process *b)
{
	return a->workers == b->workers && a->uid == b->uid &&
	    a->gid == b->gid && strcmp(a->own_dir, b->own_dir) == 0 &&
	    a->endpoint_cnt == b->endpoint_cnt &&
	    a->listener_cnt == b->listener_cnt &&
	    memcmp(a->listeners, b->listeners,
	    a->listener_cnt * sizeof(a->listeners[0])) == 0;
}

static bool
is_same_all(const struct process *p, const struct plan *plan, uint32_t row,
    const struct folder *folder)
{
	return plan_same_slice(p->slice_fd, plan->slices[row]) &&
	    is_same_row(&p->row, &plan->rows[row]) &&
	    memcmp(p->endpoints, plan_endpoints(plan, row),
	    p->row.endpoint_cnt * sizeof(p->endpoints[0])) == 0 &&
	    folder_same(p->folder, folder);
}

/* Those with something that a follower could not have. */
static bool
lasts(enum role role)
{
	return role == ROLE_QUEUE || role == ROLE_PROXY ||
	    role == ROLE_RESOLVER || role == ROLE_KEYS || role == ROLE_USERS ||
	    role == ROLE_CONTROL;
}

static enum fate
fate_of(const struct process *p, const struct plan *plan, uint32_t row,
    const struct folder *folder)
{
	if (lasts(p->id.role) &&
	    strcmp(p->row.own_dir, plan->rows[row].own_dir) != 0)
		return FATE_REPLACE;
	if (is_same_all(p, plan, row, folder))
		return FATE_KEEP;
	return lasts(p->id.role) ? FATE_RENEW : FATE_REPLACE;
}

static bool
is_wanted(const struct process *p, const struct plan *plan)
{
	for (uint32_t i = 0; i < plan->head.process_cnt; i++)
		if (plan->rows[i].role == p->id.role &&
		    plan->rows[i].worker == p->id.worker &&
		    strcmp(plan->rows[i].block, p->id.block) == 0)
			return true;
	return false;
}

/* Carrying it out. */

static enum err
prepare_listeners(struct supervisor *h, uint32_t generation)
{
	enum err e = OK;

	for (uint32_t i = 0; i < h->next->head.process_cnt && e == OK; i++)
		e = listen_want(&h->listeners, &h->next->rows[i], generation);
	if (e != OK)
		listen_undo(&h->listeners, generation);
	return e;
}

/* All files of the new plan, one folder a row; or none. */
static enum err
prepare_folders(struct plan *plan, struct folder **folders)
{
	enum err e = OK;
	uint32_t i;

	for (i = 0; i < plan->head.process_cnt && e == OK; i++)
		e = folder_open(&folders[i], plan_files(plan, i),
		    plan->rows[i].file_cnt);
	if (e == OK)
		return OK;
	for (i--; i > 0; i--)		/* the last one was not opened */
		folder_close(&folders[i - 1]);
	return e;
}

/* The process for a row; *old is one that it takes the place of. */
static struct process *
settle(struct supervisor *h, uint32_t row, struct folder *folder,
    struct process **old)
{
	struct plan *plan = h->next;
	struct process *p = find(h, &plan->rows[row]);

	*old = p;
	if (p != NULL)
		switch (fate_of(p, plan, row, folder)) {
		case FATE_KEEP:
			*old = NULL;
			folder_close(&folder);
			return p;
		case FATE_RENEW:
			*old = NULL;
			process_renew(p, plan, row, folder);
			return p;
		case FATE_REPLACE:
			break;
		}
	return process_new(h, plan, row, folder);
}

static void
let_go(struct process *p)
{
	process_drain(p, DRAIN_MS);
}

/* All old ones that the new plan does not know. */
static void
let_unwanted_go(struct supervisor *h)
{
	struct process *p, *next;

	TAILQ_FOREACH_SAFE(p, &h->processes, entry, next)
		if (!p->is_leaving && !is_wanted(p, h->next))
			let_go(p);
}

/* Those that are new, and those that had trouble: it may have been mended. */
static void
start_all(struct supervisor *h)
{
	struct process *p;

	TAILQ_FOREACH(p, &h->processes, entry)
		process_retry(p);
}

static void
link_all(struct supervisor *h, struct process *const *now)
{
	const struct plan *plan = h->next;

	for (uint32_t i = 0; i < plan->head.link_cnt; i++) {
		struct process *from = now[plan->links[i].from];
		struct process *to = now[plan->links[i].to];

		if (from == NULL || to == NULL ||
		    pair_add(h, from, to) != OK)
			log_why(LOG_trouble, "out of memory in a reload", 0);
	}
}

static void
carry_out(struct supervisor *h)
{
	struct process *now[PLAN_PROCESSES_MAX];
	struct process *old[PLAN_PROCESSES_MAX];
	struct folder *folders[PLAN_PROCESSES_MAX];
	struct plan *plan = h->next;

	if (prepare_folders(plan, folders) != OK) {
		refuse(h, "a file cannot be opened");
		return;
	}
	if (prepare_listeners(h, h->generation + 1) != OK) {
		for (uint32_t i = 0; i < plan->head.process_cnt; i++)
			folder_close(&folders[i]);
		refuse(h, "a listener cannot be made");
		return;
	}
	h->generation++;
	h->wish = plan->head.sandbox;
	for (uint32_t i = 0; i < plan->head.process_cnt; i++)
		now[i] = settle(h, i, folders[i], &old[i]);
	link_all(h, now);
	let_unwanted_go(h);
	for (uint32_t i = 0; i < plan->head.process_cnt; i++)
		if (old[i] != NULL && now[i] != NULL)
			let_go(old[i]);
	listen_sweep(&h->listeners, h->generation);
	plan_free(&h->next);
	h->awaited = AWAIT_RELOAD;
	h->edges_wait = false;
	start_all(h);
	supervisor_look(h);
	begin_again(h);
}

/* Queues that would lose their place must be empty first. */

static bool
loses_its_place(struct supervisor *h, const struct process *p)
{
	const struct plan *plan = h->next;

	if (p->id.role != ROLE_QUEUE || p->is_leaving)
		return false;
	for (uint32_t i = 0; i < plan->head.process_cnt; i++)
		if (plan->rows[i].role == ROLE_QUEUE &&
		    strcmp(plan->rows[i].block, p->id.block) == 0)
			return strcmp(plan->rows[i].own_dir, p->row.own_dir)
			    != 0;
	return true;
}

/* Ask them; how many there are. */
static unsigned
ask_queues(struct supervisor *h)
{
	struct process *p;
	unsigned cnt = 0;

	TAILQ_FOREACH(p, &h->processes, entry) {
		p->is_asked = loses_its_place(h, p);
		p->has_answered = false;
		if (!p->is_asked)
			continue;
		cnt++;
		if (p->link != NULL)
			(void)link_send_holding_ask(p->link,
			    &(struct msg_holding_ask){ 0 });
	}
	return cnt;
}

static void
no_answer(struct timer *t, void *arg)
{
	refuse(arg, "a queue that would be removed does not answer");
}

void
reload_on_answer(struct process *p, uint64_t messages)
{
	struct supervisor *h = p->supervisor;
	const struct process *q;

	if (h->next == NULL || !p->is_asked)
		return;
	p->has_answered = true;
	p->held = messages;
	if (messages > 0) {
		refuse(h, "a queue that would be removed still holds mail");
		return;
	}
	TAILQ_FOREACH(q, &h->processes, entry)
		if (q->is_asked && !q->has_answered)
			return;
	timer_stop(&h->answers);
	carry_out(h);
}

void
reload_begin(struct supervisor *h)
{
	if (h->stage >= 0)
		return;
	if (h->next != NULL) {
		h->reload_again = true;
		return;
	}
	notify_reloading();
	if (plan_fetch(&h->next, h->file) != OK) {
		refuse(h, "the new configuration cannot be used");
		return;
	}
	if (strcmp(h->next->head.run_dir, h->run_dir) != 0) {
		refuse(h, "run_dir can change at a start only");
		return;
	}
	if (ask_queues(h) == 0) {
		carry_out(h);
		return;
	}
	timer_init(&h->answers, h->loop, no_answer, h);
	timer_set(&h->answers, ANSWER_MS);
}
