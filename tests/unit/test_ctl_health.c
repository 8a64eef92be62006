/*
 * What of a status is good, for attention, or trouble; and a line of it for a
 * monitor.
 * room: ctl/tool
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "ctl/tool/health.h"

#define NOW_MS		1800000000000
#define DAY_S		86400

static struct status_queue queue;
static struct status_process process;

static const struct status house = {
	.queues = &queue, .queue_cnt = 1, .processes = &process,
	.process_cnt = 1,
};

static int
begin(void **state)
{
	queue = (struct status_queue){ .name = "main",
	    .full = QUEUE_HAS_ROOM };
	process = (struct status_process){ .role = ROLE_EDGE, .block = "in",
	    .state = PROCESS_READY, .start = 1, .has_counters = true };
	return 0;
}

static void
on_problem(enum health health, const char *role, const char *block,
    const char *what, void *arg)
{
	(void)strlcat(arg, what, 256);
}

/* It is so bad, and that is said of it. */
static void
want(enum health health, const char *said)
{
	static const struct health_limits none = { .count = { 0 } };
	char text[256] = "";

	assert_int_equal(health_of(&house, &none, NOW_MS, on_problem, text),
	    health);
	assert_string_equal(text, said);
	(void)begin(NULL);
}

static void
what_is_as_it_should_be_is_good(void **state)
{
	want(HEALTH_GOOD, "");
	queue.messages = 1000000;
	queue.down = 7;			/* they may be anybody's */
	queue.disk_size = 100;
	queue.disk_free = 5;
	want(HEALTH_GOOD, "");
	process.counters[COUNTER_certificate_end] = NOW_MS / 1000 + 14 * DAY_S;
	process.start = 2;
	process.up_ms = 3600000;
	want(HEALTH_GOOD, "");
}

static void
a_queue_that_is_in_trouble_is_told(void **state)
{
	queue.full = QUEUE_FULL;
	want(HEALTH_TROUBLE, "is full and takes no mail");
	queue.full = QUEUE_SHUT;
	want(HEALTH_TROUBLE, "takes no mail: its disk cannot be written");
	queue.is_away = true;
	want(HEALTH_TROUBLE, "does not answer");
	queue.quarantined = 1;
	want(HEALTH_TROUBLE, "cannot read all of its store: "
	    "posternctl queue quarantine");
	queue.lost = true;
	want(HEALTH_TROUBLE, "has mail that waits, and none of it is known to "
	    "be due");
	queue.held = 1;
	want(HEALTH_ATTENTION, "holds mail back: posternctl queue list "
	    "--status held");
	queue.suspended = 2;
	want(HEALTH_ATTENTION, "has 2 relays or destinations suspended: "
	    "posternctl suspend");
	queue.disk_size = 1000ull << 20;
	queue.disk_free = 49ull << 20;
	want(HEALTH_ATTENTION, "has 49M left on its disk");
}

static void
a_process_that_is_in_trouble_is_told(void **state)
{
	process.state = PROCESS_DOWN;
	(void)strlcpy(process.why, "no such user", sizeof(process.why));
	want(HEALTH_TROUBLE, "is down: no such user");
	process.state = PROCESS_STARTING;
	want(HEALTH_ATTENTION, "is starting");
	process.start = 3;
	want(HEALTH_ATTENTION, "was started 3 times");
	process.role = ROLE_PICKUP;
	process.counters[COUNTER_odd] = 2;
	want(HEALTH_ATTENTION, "has left 2 files of the drop directory: "
	    "posternctl drop list");
}

static void
a_certificate_is_told_of_while_there_is_time(void **state)
{
	uint64_t *end = &process.counters[COUNTER_certificate_end];

	*end = NOW_MS / 1000 + 14 * DAY_S - 1;
	want(HEALTH_ATTENTION, "shows a certificate that ends in 13 days");
	*end = NOW_MS / 1000;
	want(HEALTH_TROUBLE, "shows a certificate that has ended");
	*end = NOW_MS / 1000 + 90 * DAY_S;
	process.counters[COUNTER_certificate_odd] = 1;
	want(HEALTH_ATTENTION, "shows a certificate that is not for its "
	    "hostname");
}

static void
a_monitor_gets_one_line_whatever_is_said(void **state)
{
	const struct health_limits limits = { .count = { 0, 10, 20 },
	    .age_ms = { 0, 3600000, 0 } };
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	queue.messages = 10;
	queue.oldest_ms = NOW_MS - 1800000;
	process.state = PROCESS_DOWN;
	(void)strlcpy(process.why, "a|b\nc", sizeof(process.why));
	assert_int_equal(health_print_check(out, &house, &limits, NOW_MS),
	    HEALTH_TROUBLE);
	fclose(out);
	assert_string_equal(text, "POSTERN CRITICAL - 10 queued, oldest 30m, "
	    "0 destinations down; edge in is down: a/b/c; queue 10 messages "
	    "wait | queued=10;10;20;0 oldest=1800s;3600;;0 down=0 held=0\n");
	free(text);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_is_as_it_should_be_is_good, begin),
		cmocka_unit_test_setup(a_queue_that_is_in_trouble_is_told,
		    begin),
		cmocka_unit_test_setup(a_process_that_is_in_trouble_is_told,
		    begin),
		cmocka_unit_test_setup(
		    a_certificate_is_told_of_while_there_is_time, begin),
		cmocka_unit_test_setup(
		    a_monitor_gets_one_line_whatever_is_said, begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
