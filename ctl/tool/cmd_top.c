/*
 * cmd_top.c - the same screen again and again, with what happened in between;
 * each takes the place of the one before.  Where there is no terminal, once.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ctl/tool/cmd.h"
#include "ctl/tool/health.h"
#include "ctl/tool/show.h"
#include "sys/clock.h"

#define PAUSE_S		2
#define HOME_AND_CLEAR	"\033[H\033[J"

static uint64_t
sum_of(const struct status *h, enum counter c)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < h->process_cnt; i++)
		sum += h->processes[i].counters[c];
	return sum;
}

/* A second, since the screen before; of the first, since the start. */
static double
rate(const struct status *now, const struct status *before, enum counter c)
{
	uint64_t n = sum_of(now, c), was = sum_of(before, c);
	uint64_t ms = now->up_ms - before->up_ms;

	return ms == 0 || n < was ? 0 : (double)(n - was) * 1000 / (double)ms;
}

static void
print_problem(enum health health, const char *role, const char *block,
    const char *what, void *arg)
{
	printf("  ! %s%s%s %s\n", role, block[0] != '\0' ? " " : "", block,
	    what);
}

static void
print_screen(const struct status *now, const struct status *before)
{
	static const struct health_limits none = { .count = { 0 } };
	int64_t now_ms = clock_wall_ms();
	struct health_sums s;
	char up[SHOW_MAX], age[SHOW_MAX], left[SHOW_MAX];

	health_sum(now, now_ms, &s);
	printf("postern  up %s  %" PRIu64 " queued  oldest %s  %" PRIu64
	    " destinations down  %" PRIu64 " held\n",
	    show_age(now->up_ms, up), s.messages,
	    show_age(s.oldest_ms, age), s.down, s.held);
	printf("  a second: %.1f accepted  %.1f taken  %.1f refused  "
	    "%.1f delivered  %.1f deferred  %.1f failed\n\n",
	    rate(now, before, COUNTER_accepted),
	    rate(now, before, COUNTER_taken),
	    rate(now, before, COUNTER_refused),
	    rate(now, before, COUNTER_delivered),
	    rate(now, before, COUNTER_deferred),
	    rate(now, before, COUNTER_failed));
	printf("  %-12s %9s %9s %9s %9s %7s %8s\n", "queue", "messages",
	    "waiting", "active", "held", "down", "free");
	for (size_t i = 0; i < now->queue_cnt; i++) {
		const struct status_queue *q = &now->queues[i];
		uint64_t rest = q->active + q->held;

		printf("  %-12s %9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %9"
		    PRIu64 " %7" PRIu32 " %8s\n", q->name, q->messages,
		    q->deliveries > rest ? q->deliveries - rest : 0,
		    q->active, q->held, q->down,
		    q->disk_size > 0 ? show_size(q->disk_free, left) : "-");
	}
	printf("\n  sessions %" PRIu64 "  connections out %" PRIu64 "\n",
	    sum_of(now, COUNTER_sessions), sum_of(now, COUNTER_connections));
	(void)health_of(now, &none, now_ms, print_problem, NULL);
}

enum run_end
cmd_top(struct run *r)
{
	const struct timespec pause = { PAUSE_S, 0 };
	struct status now = { 0 }, before = { 0 };
	bool is_live = isatty(STDOUT_FILENO);
	struct talk *t;
	enum run_end end = run_reach(r, &t);

	if (end != END_DONE)
		return end;
	while ((end = status_ask(t, &now)) == END_DONE) {
		if (is_live)
			fputs(HOME_AND_CLEAR, stdout);
		print_screen(&now, &before);
		status_fini(&before);
		before = now;
		now = (struct status){ 0 };
		if (fflush(stdout) == EOF || !is_live)
			break;
		(void)nanosleep(&pause, NULL);
	}
	status_fini(&now);
	status_fini(&before);
	talk_close(&t);
	return end;
}
