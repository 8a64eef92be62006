/*
 * summary.c - the numbers are read from the pages that processes count on; a
 * page that was written by one that was taken over is a wrong number at worst.
 */
#include <stdio.h>
#include <string.h>

#include "master/notify.h"
#include "master/process.h"
#include "master/summary.h"
#include "sys/clock.h"
#include "sys/counters.h"

struct sums {
	uint64_t	 queued, clients, down;
	uint64_t	 oldest_ms;	/* wall clock; 0: there is none */
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
	s->down += c[COUNTER_down];
	if (c[COUNTER_oldest] > 0 && (s->oldest_ms == 0 ||
	    c[COUNTER_oldest] < s->oldest_ms))
		s->oldest_ms = c[COUNTER_oldest];
}

/* In one unit: it is sent anew whenever it reads otherwise. */
static void
say_age(const struct sums *s, char *buf, size_t cap)
{
	int64_t now_ms = clock_wall_ms();
	unsigned long long min = now_ms > (int64_t)s->oldest_ms ?
	    (unsigned long long)(now_ms - (int64_t)s->oldest_ms) / 60000 : 0;
	char age[48];

	if (min < 60)
		snprintf(age, sizeof(age), ", oldest %llu min", min);
	else if (min < 48 * 60)
		snprintf(age, sizeof(age), ", oldest %llu h", min / 60);
	else
		snprintf(age, sizeof(age), ", oldest %llu d", min / 1440);
	(void)strlcat(buf, age, cap);
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
	snprintf(buf, cap, "%llu queued", (unsigned long long)s.queued);
	if (s.queued > 0 && s.oldest_ms > 0)
		say_age(&s, buf, cap);
	if (s.down > 0) {
		snprintf(one, sizeof(one), ", %llu destination%s down",
		    (unsigned long long)s.down, s.down == 1 ? "" : "s");
		(void)strlcat(buf, one, cap);
	}
	snprintf(one, sizeof(one), ", %llu clients",
	    (unsigned long long)s.clients);
	(void)strlcat(buf, one, cap);
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
	static char last[SUMMARY_MAX];
	char now[SUMMARY_MAX];

	if (!notify_is_wanted() || h->stage >= 0)
		return;
	summary_write(h, now, sizeof(now));
	if (strcmp(now, last) == 0)
		return;
	(void)strlcpy(last, now, sizeof(last));
	notify_status(now);
}
