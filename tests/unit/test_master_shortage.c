/*
 * test_master_shortage - where a limit is reached, the line names it, and what
 * could not be started is tried again.
 *
 * room: master
 */
#include <sys/resource.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "master/process.h"
#include "master/shortage.h"

static struct supervisor house;
static struct ev_loop *loop;
static char	 said[4096];

static void
hear(enum log_level level, const char *line, size_t len)
{
	size_t at = strlen(said);

	snprintf(said + at, sizeof(said) - at, "%.*s", (int)len, line);
}

static struct process *
new_relay(void)
{
	struct plan_process row = { .role = ROLE_RELAY, .workers = 1,
	    .block = "out" };
	struct plan_endpoint none;
	int slice = open("/dev/null", O_RDONLY);
	struct plan plan = {
		.rows = &row, .slices = &slice, .endpoints = &none,
	};
	struct folder *folder;

	assert_int_equal(folder_open(&folder, NULL, 0), OK);
	return process_new(&house, &plan, 0, folder);
}

/* So many descriptors are left. */
static struct rlimit
leave(unsigned cnt)
{
	struct rlimit before, less;
	int next = open("/dev/null", O_RDONLY);

	assert_true(next >= 0);
	close(next);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	less = before;
	less.rlim_cur = (rlim_t)next + cnt;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &less), 0);
	return before;
}

static void
a_start_without_descriptors_names_the_limit_and_is_tried_again(void **state)
{
	struct process *p = new_relay();
	struct rlimit before, now;
	char want[192];

	assert_non_null(p);
	for (unsigned left = 0; left < 2; left++) {
		said[0] = '\0';
		before = leave(left);
		process_start(p);
		assert_int_equal(getrlimit(RLIMIT_NOFILE, &now), 0);
		assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
		snprintf(want, sizeof(want), "cannot start it: Too many open "
		    "files: the limit of this process is %llu, raise "
		    "LimitNOFILE= or ulimit -n",
		    (unsigned long long)now.rlim_cur);
		assert_non_null(strstr(said, "block=out"));
		assert_non_null(strstr(said, want));
		assert_int_equal(p->pid, 0);
		assert_true(timer_running(&p->again));
	}
	process_drain(p, 0);
}

static void
a_process_that_cannot_be_made_is_named_too(void **state)
{
	struct plan_process row = { .role = ROLE_RELAY, .workers = 1,
	    .block = "out" };
	struct plan_endpoint none;
	int slice = open("/dev/null", O_RDONLY);
	struct plan plan = {
		.rows = &row, .slices = &slice, .endpoints = &none,
	};
	struct folder *folder;
	struct rlimit before;
	struct process *p;

	assert_int_equal(folder_open(&folder, NULL, 0), OK);
	said[0] = '\0';
	before = leave(0);
	p = process_new(&house, &plan, 0, folder);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_null(p);
	assert_non_null(strstr(said, "cannot make a process: Too many open "
	    "files: the limit"));
	close(slice);
}

static void
each_limit_has_its_own_remedy(void **state)
{
	char buf[SHORTAGE_MAX];

	assert_non_null(strstr(shortage_text(EMFILE, buf), "LimitNOFILE="));
	assert_non_null(strstr(shortage_text(ENFILE, buf), "fs.file-max"));
	assert_non_null(strstr(shortage_text(EAGAIN, buf), "TasksMax="));
	assert_string_equal(shortage_text(ENOENT, buf), strerror(ENOENT));
}

static int
set_up(void **state)
{
	if (ev_open(&loop) != OK)
		return -1;
	supervisor_init(&house, loop, "none", false);
	log_setup("test", hear, false);
	return 0;
}

/* A line of its own has told of it. */
static void
what_has_no_number_is_no_success(void **state)
{
	struct log_line l;

	said[0] = '\0';
	log_begin(&l, LOG_trouble);
	shortage_log(&l, "cannot start it", 0);
	log_end(&l);
	assert_non_null(strstr(said, "why=\"cannot start it\""));
}

static int
tear_down(void **state)
{
	ev_close(&loop);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
	    a_start_without_descriptors_names_the_limit_and_is_tried_again),
		cmocka_unit_test(a_process_that_cannot_be_made_is_named_too),
		cmocka_unit_test(each_limit_has_its_own_remedy),
		cmocka_unit_test(what_has_no_number_is_no_success),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
