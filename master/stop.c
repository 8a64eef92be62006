/* stop.c - one table of stages; after the last the loop ends. */
#include "base/log.h"
#include "master/notify.h"
#include "master/pair.h"
#include "master/process.h"
#include "master/stop.h"

#define HURRY_MS	500	/* of patience when told twice	*/

#define IN(role)	(1u << ROLE_##role)

static const struct {
	unsigned	 roles;
	uint32_t	 patience_ms;
} stages[] = {
	{ IN(EDGE) | IN(PICKUP),	10000 },
	{ IN(RELAY) | IN(MAILDIR) | IN(PIPE) | IN(LOCAL) | IN(BLACKHOLE),
					20000 },
	{ IN(QUEUE) | IN(PROXY),	20000 },
	{ IN(KEYS) | IN(USERS),		2000 },
	{ IN(CONTROL),			2000 },
	{ IN(RESOLVER),			2000 },
};
#define STAGE_CNT	((int)(sizeof(stages) / sizeof(stages[0])))

static bool
is_in_stage(const struct supervisor *h, const struct process *p)
{
	return (stages[h->stage].roles & 1u << p->id.role) != 0;
}

/* Tell all of this stage; false when there is nobody. */
static bool
drain_stage(struct supervisor *h)
{
	uint32_t patience_ms = h->is_hurried ?
	    HURRY_MS : stages[h->stage].patience_ms;
	struct process *p;
	bool any = false;

	/* One that does not run is just not started again. */
	TAILQ_FOREACH(p, &h->processes, entry)
		if (is_in_stage(h, p) && p->pid != 0) {
			process_drain(p, patience_ms);
			any = true;
		}
	return any;
}

static bool
is_stage_over(const struct supervisor *h)
{
	const struct process *p;

	TAILQ_FOREACH(p, &h->processes, entry)
		if (is_in_stage(h, p) && p->pid != 0)
			return false;
	return true;
}

static void
next_stage(struct supervisor *h)
{
	do {
		h->stage++;
	} while (h->stage < STAGE_CNT && !drain_stage(h));
	if (h->stage == STAGE_CNT)
		ev_stop(h->loop);
}

/* From now on nothing is started: nobody need wait for one that is away, or
 * with whom there will be no link. */
static void
forget_the_dead(struct supervisor *h)
{
	struct process *p;

	TAILQ_FOREACH(p, &h->processes, entry)
		if (p->pid == 0)
			pair_forget(p);
	pair_forget_resting(h);
}

void
stop_begin(struct supervisor *h)
{
	if (h->stage >= 0) {
		h->is_hurried = true;
		if (h->stage < STAGE_CNT)
			(void)drain_stage(h);
		return;
	}
	log_why(LOG_stopped, "told to end", 0);
	notify_stopping();
	timer_stop(&h->edges);
	timer_stop(&h->answers);
	plan_free(&h->next);
	forget_the_dead(h);
	next_stage(h);
}

void
stop_look(struct supervisor *h)
{
	if (h->stage >= 0 && h->stage < STAGE_CNT && is_stage_over(h))
		next_stage(h);
}
