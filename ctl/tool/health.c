/* health.c - a process that is down, a queue that takes nothing or cannot read
 * all it has are trouble; what somebody may have wanted is for attention. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/tool/health.h"
#include "ctl/tool/show.h"
#include "sys/certificate.h"

#define HOUR_MS		3600000u
#define DAY_S		86400
#define DISK_PART	20	/* free: less than one part in so many	*/

struct judging {
	const struct health_limits *limits;
	int64_t		 now_ms;
	health_fn	*fn;
	void		*arg;
	enum health	 worst;
};

__attribute__((format(printf, 5, 6)))
static void
tell(struct judging *g, enum health health, const char *role,
    const char *block, const char *format, ...)
{
	char what[1200];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	if (health > g->worst)
		g->worst = health;
	if (g->fn != NULL)
		g->fn(health, role, block, what, g->arg);
}

static void
judge_certificate(struct judging *g, const struct status_process *p)
{
	int64_t end_s = (int64_t)p->counters[COUNTER_certificate_end];
	int64_t left_s = end_s - g->now_ms / 1000;
	const char *role = role_row(p->role)->name;

	if (p->role != ROLE_EDGE || !p->has_counters || end_s == 0)
		return;
	if (left_s <= 0)
		tell(g, HEALTH_TROUBLE, role, p->block,
		    "shows a certificate that has ended");
	else if (left_s < CERTIFICATE_DAYS * DAY_S)
		tell(g, HEALTH_ATTENTION, role, p->block, "shows a "
		    "certificate that ends in %" PRId64 " day%s",
		    left_s / DAY_S, left_s / DAY_S == 1 ? "" : "s");
	if (p->counters[COUNTER_certificate_odd] > 0)
		tell(g, HEALTH_ATTENTION, role, p->block, "shows a "
		    "certificate that is not for its hostname");
}

static void
judge_process(struct judging *g, const struct status_process *p)
{
	const char *role = role_row(p->role)->name;
	const char *colon = p->why[0] == '\0' ? "" : ": ";

	if (p->state == PROCESS_DOWN)
		tell(g, HEALTH_TROUBLE, role, p->block, "is down%s%s", colon,
		    p->why);
	else if (p->state == PROCESS_STARTING)
		tell(g, HEALTH_ATTENTION, role, p->block, "is starting%s%s",
		    colon, p->why);
	else if (p->start > 1 && p->up_ms < HOUR_MS)
		tell(g, HEALTH_ATTENTION, role, p->block, "was started %"
		    PRIu32 " times", p->start);
	judge_certificate(g, p);
	if (p->role == ROLE_PICKUP && p->counters[COUNTER_odd] > 0)
		tell(g, HEALTH_ATTENTION, role, p->block, "has left %" PRIu64
		    " file%s of the drop directory: posternctl drop list",
		    p->counters[COUNTER_odd],
		    p->counters[COUNTER_odd] == 1 ? "" : "s");
}

static void
judge_disk(struct judging *g, const struct status_queue *q)
{
	char left[SHOW_MAX];

	if (q->disk_size > 0 && q->disk_free < q->disk_size / DISK_PART)
		tell(g, HEALTH_ATTENTION, "queue", q->name,
		    "has %s left on its disk", show_size(q->disk_free, left));
}

static void
judge_queue(struct judging *g, const struct status_queue *q)
{
	if (q->is_away) {
		tell(g, HEALTH_TROUBLE, "queue", q->name, "does not answer");
		return;
	}
	if (q->full != QUEUE_HAS_ROOM)
		tell(g, HEALTH_TROUBLE, "queue", q->name,
		    q->full == QUEUE_FULL ? "is full and takes no mail" :
		    "takes no mail: its disk cannot be written");
	else
		judge_disk(g, q);
	if (q->held > 0)
		tell(g, HEALTH_ATTENTION, "queue", q->name, "holds mail back: "
		    "posternctl queue list --status held");
	if (q->quarantined > 0)
		tell(g, HEALTH_TROUBLE, "queue", q->name, "cannot read all of "
		    "its store: posternctl queue quarantine");
	if (q->suspended > 0)
		tell(g, HEALTH_ATTENTION, "queue", q->name, "has %" PRIu32
		    " relay%s or destination%s suspended: posternctl suspend",
		    q->suspended, q->suspended == 1 ? "" : "s",
		    q->suspended == 1 ? "" : "s");
	if (q->lost)
		tell(g, HEALTH_TROUBLE, "queue", q->name, "has mail that "
		    "waits, and none of it is known to be due");
}

static enum health
over(uint64_t n, const uint64_t *limits)
{
	for (int h = HEALTH_TROUBLE; h > HEALTH_GOOD; h--)
		if (limits[h] > 0 && n >= limits[h])
			return (enum health)h;
	return HEALTH_GOOD;
}

static void
judge_limits(struct judging *g, const struct health_sums *s)
{
	enum health count = over(s->messages, g->limits->count);
	enum health age = over(s->oldest_ms, g->limits->age_ms);
	char text[SHOW_MAX];

	if (count > HEALTH_GOOD)
		tell(g, count, "queue", "", "%" PRIu64 " messages wait",
		    s->messages);
	if (age > HEALTH_GOOD)
		tell(g, age, "queue", "", "the oldest message is %s old",
		    show_age(s->oldest_ms, text));
}

enum health
health_of(const struct status *h, const struct health_limits *limits,
    int64_t now_ms, health_fn *fn, void *arg)
{
	struct judging g = { limits, now_ms, fn, arg, HEALTH_GOOD };
	struct health_sums sums;

	for (size_t i = 0; i < h->process_cnt; i++)
		judge_process(&g, &h->processes[i]);
	for (size_t i = 0; i < h->queue_cnt; i++)
		judge_queue(&g, &h->queues[i]);
	health_sum(h, now_ms, &sums);
	judge_limits(&g, &sums);
	return g.worst;
}

void
health_sum(const struct status *h, int64_t now_ms, struct health_sums *out)
{
	*out = (struct health_sums){ 0 };
	for (size_t i = 0; i < h->queue_cnt; i++) {
		const struct status_queue *q = &h->queues[i];
		uint64_t age_ms = q->oldest_ms > 0 &&
		    (uint64_t)now_ms > q->oldest_ms ?
		    (uint64_t)now_ms - q->oldest_ms : 0;

		out->messages += q->messages;
		out->held += q->held;
		out->down += q->down;
		out->quarantined += q->quarantined;
		if (age_ms > out->oldest_ms)
			out->oldest_ms = age_ms;
	}
}

/* Of the line of a plugin: the worst first is not worth two passes. */
static void
add_problem(enum health health, const char *role, const char *block,
    const char *what, void *arg)
{
	FILE *out = arg;

	fprintf(out, "; %s%s%s ", role, block[0] != '\0' ? " " : "", block);
	for (; *what != '\0'; what++)
		fputc(*what == '|' || *what == '\n' ? '/' : *what, out);
}

static void
print_limits(FILE *out, const uint64_t *limits, uint64_t part)
{
	for (int h = HEALTH_ATTENTION; h <= HEALTH_TROUBLE; h++) {
		fputc(';', out);
		if (limits[h] > 0)
			fprintf(out, "%" PRIu64, limits[h] / part);
	}
	fputs(";0", out);
}

enum health
health_print_check(FILE *out, const struct status *h,
    const struct health_limits *limits, int64_t now_ms)
{
	static const char *const words[] = {
		[HEALTH_GOOD] = "OK", [HEALTH_ATTENTION] = "WARNING",
		[HEALTH_TROUBLE] = "CRITICAL",
	};
	enum health worst = health_of(h, limits, now_ms, NULL, NULL);
	struct health_sums s;
	char age[SHOW_MAX];

	health_sum(h, now_ms, &s);
	fprintf(out, "POSTERN %s - %" PRIu64 " queued", words[worst],
	    s.messages);
	if (s.oldest_ms > 0)
		fprintf(out, ", oldest %s", show_age(s.oldest_ms, age));
	fprintf(out, ", %" PRIu64 " destination%s down", s.down,
	    s.down == 1 ? "" : "s");
	(void)health_of(h, limits, now_ms, add_problem, out);
	fprintf(out, " | queued=%" PRIu64, s.messages);
	print_limits(out, limits->count, 1);
	fprintf(out, " oldest=%" PRIu64 "s", s.oldest_ms / 1000);
	print_limits(out, limits->age_ms, 1000);
	fprintf(out, " down=%" PRIu64 " held=%" PRIu64 "\n", s.down, s.held);
	return worst;
}
