/*
 * summary.c - the numbers are read from the pages that processes count on; a
 * page that was written by one that was taken over is a wrong number at worst.
 */
#include <stdio.h>
#include <string.h>

#include "master/notify.h"
#include "master/process.h"
#include "master/summary.h"
#include "sys/counters.h"

struct sums {
	uint64_t	 queued, active, clients;
};

static void
add_up(struct sums *s, const struct process *p)
{
	const void *page = counters_map(p->counters_fd);
	uint64_t c[COUNTER__COUNT];

	if (page == NULL)
		return;
	counters_read(page, c);
	counters_unmap(page);
	if (p->id.role == ROLE_EDGE)
		s->clients += c[COUNTER_sessions];
	if (p->id.role != ROLE_QUEUE)
		return;
	s->queued += c[COUNTER_messages];
	s->active += c[COUNTER_active];
}

void
summary_write(const struct supervisor *h, char *buf, size_t cap)
{
	struct sums s = { 0 };
	const struct process *p;
	const char *before = "; in trouble: ";
	char one[128];

	TAILQ_FOREACH(p, &h->processes, entry)
		if (p->pid != 0)
			add_up(&s, p);
	snprintf(buf, cap, "%llu queued, %llu under way, %llu clients",
	    (unsigned long long)s.queued, (unsigned long long)s.active,
	    (unsigned long long)s.clients);
	TAILQ_FOREACH(p, &h->processes, entry) {
		if (p->is_leaving || !fault_is_named(&p->fault))
			continue;
		snprintf(one, sizeof(one), "%s%s %s", before,
		    role_row(p->id.role)->name, p->id.block);
		before = ", ";
		(void)strlcat(buf, one, cap);
	}
}

void
summary_tell(struct supervisor *h)
{
	static char told[SUMMARY_MAX];
	char now[SUMMARY_MAX];

	if (!notify_is_wanted() || h->stage >= 0)
		return;
	summary_write(h, now, sizeof(now));
	if (strcmp(now, told) == 0)
		return;
	(void)strlcpy(told, now, sizeof(told));
	notify_status(now);
}
