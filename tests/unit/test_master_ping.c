/*
 * test_master_ping - who is killed for not answering.
 *
 * room: master
 */
#include <sys/prctl.h>
#include <sys/wait.h>

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "master/pair.h"
#include "master/process.h"

#define LONG_MS	31000	/* over what a child may be silent */

static struct supervisor house;
static struct ev_loop *loop;

static enum err
hear_nothing(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	return OK;
}

static void
go_nowhere(struct link *l, enum err why, void *arg)
{
}

/* A child that has lived for a long time and says nothing. */
static struct process *
old_child(int *far_fd)
{
	struct plan_process row = { .role = ROLE_RELAY, .workers = 1 };
	struct plan_endpoint none;
	int fds[2], slice = open("/dev/null", O_RDONLY);
	struct plan plan = {
		.rows = &row, .slices = &slice, .endpoints = &none,
	};
	struct folder *folder;
	struct process *p;

	assert_int_equal(folder_open(&folder, NULL, 0), OK);
	p = process_new(&house, &plan, 0, folder);
	assert_non_null(p);
	assert_int_equal(pair_socket(fds), OK);
	assert_int_equal(link_open(&p->link, loop, fds[0], ROLE_MASTER, &p->id,
	    hear_nothing, go_nowhere, p), OK);
	*far_fd = fds[1];
	p->started_ms = ev_now_ms(loop) - LONG_MS;
	if ((p->pid = fork()) == 0) {
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);	/* if we fail */
		for (;;)
			pause();
	}
	return p;
}

/* Was it killed?  Now it is gone in any case. */
static bool
was_killed(struct process *p, int far_fd)
{
	siginfo_t si = { 0 };

	usleep(20000);
	assert_int_equal(waitid(P_PID, (id_t)p->pid, &si,
	    WEXITED | WNOHANG | WNOWAIT), 0);
	assert_int_equal(kill(p->pid, SIGKILL), 0);
	assert_int_equal(waitpid(p->pid, NULL, 0), p->pid);
	p->is_leaving = true;
	process_ended(p, 0);
	close(far_fd);
	return si.si_pid != 0;
}

static void
a_question_left_without_an_answer_kills(void **state)
{
	int far_fd;
	struct process *p = old_child(&far_fd);

	process_ping(p, 1);
	p->ping_ms -= LONG_MS;
	process_ping(p, 2);
	assert_true(was_killed(p, far_fd));
}

static void
the_first_question_counts_and_not_the_last(void **state)
{
	int far_fd;
	struct process *p = old_child(&far_fd);
	int64_t ping_ms;

	process_ping(p, 1);
	ping_ms = p->ping_ms -= 10000;
	process_ping(p, 2);
	assert_int_equal(p->ping_ms, ping_ms);
	assert_false(was_killed(p, far_fd));
}

/* We were stopped for a while, and nobody was asked in that time. */
static void
who_was_not_asked_is_not_killed(void **state)
{
	int far_fd;
	struct process *p = old_child(&far_fd);

	p->ping_ms = 0;
	process_ping(p, 1);
	assert_int_equal(p->ping_ms, ev_now_ms(loop));
	assert_false(was_killed(p, far_fd));
}

/* Which is what the service manager is told by a watchdog that goes quiet. */
static void
one_that_was_killed_and_lives_on_answers_for_all(void **state)
{
	int far_fd;
	struct process *p = old_child(&far_fd);

	process_ping(p, 1);
	assert_true(process_answers(p));
	p->ping_ms -= LONG_MS;
	assert_true(process_answers(p));	/* and is being killed */
	p->ping_ms -= 10000;
	assert_false(process_answers(p));
	(void)was_killed(p, far_fd);
}

static int
set_up(void **state)
{
	if (ev_open(&loop) != OK)
		return -1;
	supervisor_init(&house, loop, "none", false);
	return 0;
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
		cmocka_unit_test(a_question_left_without_an_answer_kills),
		cmocka_unit_test(the_first_question_counts_and_not_the_last),
		cmocka_unit_test(who_was_not_asked_is_not_killed),
		cmocka_unit_test(
		    one_that_was_killed_and_lives_on_answers_for_all),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
