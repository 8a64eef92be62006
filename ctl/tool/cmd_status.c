/*
 * cmd_status.c - one screen.  Workers of a block are one line; rates are the
 * mean since start-up, a minute.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl/tool/cmd.h"
#include "ctl/tool/health.h"
#include "ctl/tool/status.h"
#include "base/json.h"
#include "ctl/tool/show.h"
#include "sys/clock.h"

#define NAME_WIDTH	12	/* columns of a block's name */
#define CHECK_MS	10000	/* a monitor waits no longer */

/* JSON. */

static void
process_json(const struct status_process *p)
{
	struct json j = { .out = stdout };

	json_open(&j, NULL, '{');
	json_text(&j, "kind", SPAN("process"));
	json_text(&j, "role", span_of(role_row(p->role)->name));
	json_text(&j, "block", span_of(p->block));
	json_number(&j, "worker", p->worker);
	json_number(&j, "workers", p->workers);
	json_number(&j, "pid", p->pid);
	json_number(&j, "start", p->start);
	json_number(&j, "up_ms", p->up_ms);
	json_text(&j, "state", span_of(status_state(p->state)));
	if (p->why[0] != '\0')
		json_text(&j, "why", span_of(p->why));
	json_open(&j, "counters", '{');
	for (unsigned c = 0; p->has_counters && c < COUNTER__COUNT; c++)
		if (status_counts(p->role, c))
			json_number(&j, counter_row(c)->name, p->counters[c]);
	json_close(&j, '}');
	json_close(&j, '}');
}

static uint64_t
deferred(const struct status_queue *q)
{
	uint64_t rest = q->active + q->held;

	return q->deliveries > rest ? q->deliveries - rest : 0;
}

/* What `smtputf8 auto' comes to for the edges of this queue. */
static const char *
utf8_word(const struct status_queue *q)
{
	static const char *const words[] = {
		[QUEUE_ASCII] = "no", [QUEUE_UTF8_SOME] = "some",
		[QUEUE_UTF8] = "yes",
	};

	return words[q->utf8];
}

static void
queue_json(const struct status_queue *q)
{
	struct json j = { .out = stdout };

	json_open(&j, NULL, '{');
	json_text(&j, "kind", SPAN("queue"));
	json_text(&j, "queue", span_of(q->name));
	json_flag(&j, "away", q->is_away);
	if (!q->is_away) {
		json_number(&j, "messages", q->messages);
		json_number(&j, "deliveries", q->deliveries);
		json_number(&j, "waiting", deferred(q));
		json_number(&j, "active", q->active);
		json_number(&j, "held", q->held);
		if (q->oldest_ms > 0)
			json_time(&j, "oldest", q->oldest_ms);
		json_flag(&j, "full", q->full == QUEUE_FULL);
		json_flag(&j, "shut", q->full == QUEUE_SHUT);
		json_number(&j, "quarantined", q->quarantined);
		json_flag(&j, "lost", q->lost);
		json_number(&j, "suspended", q->suspended);
		json_number(&j, "down", q->down);
		if (q->disk_size > 0) {
			json_number(&j, "disk_free", q->disk_free);
			json_number(&j, "disk_size", q->disk_size);
		}
		json_text(&j, "smtputf8", span_of(utf8_word(q)));
		if (q->utf8_relay[0] != '\0') {
			json_text(&j, "smtputf8_lacks",
			    span_of(q->utf8_relay));
			json_flag(&j, "smtputf8_asked",
			    q->utf8_hop != HOP_UNKNOWN);
		}
	}
	json_close(&j, '}');
}

static void
print_json(const struct status *h)
{
	struct json j = { .out = stdout };

	json_open(&j, NULL, '{');
	json_text(&j, "kind", SPAN("server"));
	json_number(&j, "generation", h->generation);
	json_number(&j, "up_ms", h->up_ms);
	json_close(&j, '}');
	for (size_t i = 0; i < h->process_cnt; i++)
		process_json(&h->processes[i]);
	for (size_t i = 0; i < h->listener_cnt; i++) {
		json_open(&j, NULL, '{');
		json_text(&j, "kind", SPAN("listener"));
		json_text(&j, "block", span_of(h->listeners[i].block));
		json_text(&j, "where", span_of(h->listeners[i].where));
		json_close(&j, '}');
	}
	for (size_t i = 0; i < h->queue_cnt; i++)
		queue_json(&h->queues[i]);
}

/* For people. */

/* All workers of a block, old and new, as one. */
struct sum {
	unsigned	 ready, other;
	uint64_t	 counters[COUNTER__COUNT];
};

static void
add_up(const struct status *h, const struct status_process *first,
    struct sum *out)
{
	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < h->process_cnt; i++) {
		const struct status_process *p = &h->processes[i];

		if (p->role != first->role ||
		    strcmp(p->block, first->block) != 0)
			continue;
		if (p->state == PROCESS_READY)
			out->ready++;
		else if (p->state != PROCESS_LEAVING)
			out->other++;
		for (unsigned c = 0; c < COUNTER__COUNT; c++)
			out->counters[c] += p->counters[c];
	}
}

static bool
is_shown(const struct status *h, size_t no)
{
	const struct status_process *p = &h->processes[no];

	for (size_t i = 0; i < no; i++)
		if (h->processes[i].role == p->role &&
		    strcmp(h->processes[i].block, p->block) == 0)
			return true;
	return false;
}

static void
print_rate(uint64_t cnt, const char *what, uint64_t up_ms)
{
	double rate = up_ms > 0 ? (double)cnt * 60000 / (double)up_ms : 0;

	printf("  %" PRIu64 " %s", cnt, what);
	if (cnt > 0)
		printf(rate < 10 ? " (%.1f/min)" : " (%.0f/min)", rate);
}

/* A number that only matters when it is not 0. */
static void
print_some(uint64_t cnt, const char *what)
{
	if (cnt > 0)
		printf("  %" PRIu64 " %s", cnt, what);
}

/* When the first certificate of its workers ends, seconds; 0: it has none. */
static uint64_t
certificate_of(const struct status *h, const char *block)
{
	uint64_t first = 0;

	for (size_t i = 0; i < h->process_cnt; i++) {
		const struct status_process *p = &h->processes[i];
		uint64_t end = p->counters[COUNTER_certificate_end];

		if (p->role == ROLE_EDGE && p->state == PROCESS_READY &&
		    strcmp(p->block, block) == 0 && end > 0 &&
		    (first == 0 || end < first))
			first = end;
	}
	return first;
}

static void
print_certificate(const struct status *h, const char *block)
{
	uint64_t end_s = certificate_of(h, block);
	int64_t left_s = (int64_t)end_s - clock_wall_ms() / 1000;

	if (end_s > 0)
		printf("  certificate %" PRId64 " days",
		    left_s > 0 ? left_s / 86400 : 0);
}

static void
print_edge(const struct status *h, const char *block, const uint64_t *n)
{
	for (size_t i = 0; i < h->listener_cnt; i++)
		if (strcmp(h->listeners[i].block, block) == 0) {
			fputs("  ", stdout);
			show_text(stdout, span_of(h->listeners[i].where));
		}
	printf("  %" PRIu64 " sessions", n[COUNTER_sessions]);
	print_rate(n[COUNTER_taken], "taken", h->up_ms);
	print_some(n[COUNTER_refused], "refused");
	print_some(n[COUNTER_turned_away], "turned away");
	print_some(n[COUNTER_logins], "logins");
	print_some(n[COUNTER_login_failures], "logins refused");
	print_some(n[COUNTER_tls_failed], "TLS failures");
	print_certificate(h, block);
}

static void
print_utf8(const struct status_queue *q)
{
	printf("  SMTPUTF8 %s", utf8_word(q));
	if (q->utf8_relay[0] != '\0')
		printf(" (%s: %s)", q->utf8_relay,
		    q->utf8_hop == HOP_UNKNOWN ? "not asked yet" :
		    "not offered");
}

static const struct status_queue *
queue_of(const struct status *h, const char *block)
{
	for (size_t i = 0; i < h->queue_cnt; i++)
		if (strcmp(h->queues[i].name, block) == 0)
			return &h->queues[i];
	return NULL;
}

static void
print_queue(const struct status *h, const char *block, const uint64_t *n)
{
	const struct status_queue *q = queue_of(h, block);
	char age[SHOW_MAX];
	uint64_t now = (uint64_t)clock_wall_ms();

	if (q == NULL || q->is_away) {
		fputs("  does not answer", stdout);
		return;
	}
	printf("  %" PRIu64 " messages", q->messages);
	print_some(deferred(q), "waiting");
	print_some(q->active, "active");
	print_some(q->held, "held");
	print_some(q->down, "destinations down");
	print_some(n[COUNTER_discarded], "discarded by a route");
	print_some(n[COUNTER_untold], "failed and nobody told");
	if (q->oldest_ms > 0)
		printf("  oldest %s", show_age(now > q->oldest_ms ?
		    now - q->oldest_ms : 0, age));
	print_utf8(q);
}

/* Nothing of it is kept, so there is nothing to count but what passes. */
static void
print_proxy(const struct status *h, const char *block, const uint64_t *n)
{
	const struct status_queue *q = queue_of(h, block);

	if (q == NULL || q->is_away) {
		fputs("  does not answer", stdout);
		return;
	}
	printf("  %" PRIu64 " passing", q->active);
	print_rate(n[COUNTER_passed], "passed", h->up_ms);
	print_some(n[COUNTER_passed_none], "refused behind");
	print_utf8(q);
}

static void
print_relay(const struct status *h, const uint64_t *n)
{
	printf("  %" PRIu64 " connections", n[COUNTER_connections]);
	print_rate(n[COUNTER_delivered], "delivered", h->up_ms);
	print_some(n[COUNTER_deferred], "deferred");
	print_some(n[COUNTER_failed], "failed");
}

static void
print_others(enum role role, const uint64_t *n)
{
	for (unsigned c = 0; c < COUNTER__COUNT; c++)
		if (status_counts(role, c))
			printf("  %" PRIu64 " %s", n[c],
			    counter_row(c)->meaning);
}

static void
print_block(const struct status *h, const struct status_process *p)
{
	struct sum s;

	add_up(h, p, &s);
	printf("  %-8s %-*s", role_row(p->role)->name, NAME_WIDTH, p->block);
	if (p->role == ROLE_EDGE)
		print_edge(h, p->block, s.counters);
	else if (p->role == ROLE_QUEUE)
		print_queue(h, p->block, s.counters);
	else if (p->role == ROLE_PROXY)
		print_proxy(h, p->block, s.counters);
	else if (status_counts(p->role, COUNTER_delivered))
		print_relay(h, s.counters);
	else
		print_others(p->role, s.counters);
	if (p->workers > 1)
		printf("  %u workers", p->workers);
	putchar('\n');
}

static void
print_problem(enum health health, const char *role, const char *block,
    const char *what, void *arg)
{
	unsigned *cnt = arg;

	if ((*cnt)++ == 0)
		puts("Attention");
	printf("  ! %s%s%s %s\n", role, block[0] != '\0' ? " " : "", block,
	    what);
}

static void
print_screen(const struct status *h)
{
	char age[SHOW_MAX];

	printf("postern  up %s  configuration %" PRIu32 "\n",
	    show_age(h->up_ms, age), h->generation);
	for (size_t i = 0; i < h->process_cnt; i++)
		if (!is_shown(h, i))
			print_block(h, &h->processes[i]);
}

/* "10" or "10,100": from where on it is for attention, and trouble. */
static bool
read_limits(const char *text, bool is_age, uint64_t *limits)
{
	struct span rest = span_of(text);

	for (int h = HEALTH_ATTENTION; h <= HEALTH_TROUBLE; h++) {
		struct span one = span_head(rest, span_find(rest, ','));
		struct select s = { .given = 0 };
		unsigned long long n;

		rest = span_tail(rest, one.len + 1);
		if (one.len == 0)
			continue;
		if (is_age ? select_option(&s, SELECT_OLDER, one) != NULL :
		    !span_number(one, INT64_MAX, &n))
			return false;
		limits[h] = is_age ? s.older_ms : n;
	}
	return rest.len == 0;
}

static bool
take_limits(const struct run *r, struct health_limits *out)
{
	if (r->count != NULL && !read_limits(r->count, false, out->count)) {
		run_complain("--count: one number or two, as in 100,1000");
		return false;
	}
	if (r->age != NULL && !read_limits(r->age, true, out->age_ms)) {
		run_complain("--age: one time or two, as in 1h,1d");
		return false;
	}
	return true;
}

static enum health
print(const struct run *r, const struct status *h,
    const struct health_limits *limits)
{
	int64_t now_ms = clock_wall_ms();
	unsigned cnt = 0;

	if (r->check)
		return health_print_check(stdout, h, limits, now_ms);
	if (r->prometheus)
		health_print_prometheus(stdout, h);
	else if (r->json)
		print_json(h);
	else
		print_screen(h);
	return health_of(h, limits, now_ms, r->json || r->prometheus ? NULL :
	    print_problem, &cnt);
}

/* Its exit status is how the house is: run_end's words mean other things. */
static enum run_end
status_end(enum health health)
{
	return (enum run_end)health;
}

enum run_end
cmd_status(struct run *r)
{
	struct health_limits limits = { .count = { 0 } };
	enum health health = HEALTH_TROUBLE;
	struct status h = { 0 };
	struct talk *t;
	enum run_end end;

	if (!take_limits(r, &limits))
		return END_USAGE;
	if ((end = run_reach(r, &t)) == END_DONE) {
		if (r->check)
			talk_set_patience(t, CHECK_MS);
		end = status_ask(t, &h);
		talk_close(&t);
	}
	if (end == END_DONE)
		health = print(r, &h, &limits);
	else if (r->check)
		puts("POSTERN CRITICAL - it does not answer");
	status_fini(&h);
	if (r->prometheus && end == END_DONE)
		return END_DONE;
	return end == END_DONE || r->check ? status_end(health) : end;
}
