/*
 * test_master_endpoint - connections that master makes for a process, to real
 * sockets of the test's on loopback.  The clock can be put forward.
 *
 * room: master
 */
#include <sys/socket.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "master/endpoint.h"
#include "sys/clock.h"

#define ANSWERS_MAX	128
#define HELD_MAX	8	/* connections that fill a backlog */

static int64_t ahead_ms;

int64_t
clock_mono_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return ahead_ms + now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t
clock_wall_ms(void)
{
	return clock_mono_ms();
}

struct heard {
	uint64_t	 request;
	int		 fd;		/* or -1			*/
	uint32_t	 error;
};

static struct {
	struct supervisor	 house;
	struct process	 process;
	struct link	*child;
	struct heard	 heard[ANSWERS_MAX];
	unsigned	 cnt;
	int		 listener;
	int		 held[HELD_MAX];
	unsigned	 held_cnt;
} w;

static enum err
child_hears(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	assert_true(w.cnt < ANSWERS_MAX);
	if (type == MSG_endpoint_open)
		w.heard[w.cnt++] = (struct heard){
		    m->endpoint_open.request, fd, 0 };
	else if (type == MSG_endpoint_failed)
		w.heard[w.cnt++] = (struct heard){
		    m->endpoint_failed.request, -1,
		    m->endpoint_failed.error };
	return OK;
}

static enum err
child_says(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	return type == MSG_endpoint_ask ?
	    endpoint_on_ask(&w.process, &m->endpoint_ask) : ERR_PEER;
}

static void
gone(struct link *l, enum err why, void *arg)
{
	struct link **at = arg;

	link_close(at);
}

static void
stop(struct timer *t, void *arg)
{
	ev_stop(w.house.loop);
}

static void
run(int64_t ms)
{
	struct timer t;

	timer_init(&t, w.house.loop, stop, NULL);
	timer_set(&t, ms);
	assert_int_equal(ev_run(w.house.loop), OK);
	timer_stop(&t);
}

static void
run_until(unsigned cnt)
{
	for (int i = 0; i < 500 && w.cnt < cnt; i++)
		run(10);
	assert_int_equal(w.cnt, cnt);
}

/* A socket on a port of its own; endpoint 0 is that, 1 a path. */
static void
listen_here(int backlog)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	socklen_t len = sizeof(in);
	struct plan_endpoint *e = w.process.endpoints;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	w.listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(w.listener, (struct sockaddr *)&in, len), 0);
	assert_int_equal(getsockname(w.listener, (struct sockaddr *)&in,
	    &len), 0);
	if (backlog >= 0)
		assert_int_equal(listen(w.listener, backlog), 0);
	e[0] = (struct plan_endpoint){ .family = 4,
	    .port = ntohs(in.sin_port), .address = { 127, 0, 0, 1 } };
	e[1] = (struct plan_endpoint){ .family = 1, .path = "/nowhere/s" };
	w.process.row.endpoint_cnt = 2;
}

/* Until the kernel has another connection wait. */
static void
fill_backlog(void)
{
	struct sockaddr_in in = { .sin_family = AF_INET };

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	in.sin_port = htons(w.process.endpoints[0].port);
	for (unsigned i = 0; i < HELD_MAX; i++) {
		w.held[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK |
		    SOCK_CLOEXEC, 0);
		(void)connect(w.held[i], (struct sockaddr *)&in, sizeof(in));
	}
	w.held_cnt = HELD_MAX;
}

static void
ask(uint64_t request, uint16_t index)
{
	(void)link_send_endpoint_ask(w.child, &(struct msg_endpoint_ask){
	    request, index });
}

static int
set_up(void **state)
{
	static const struct link_peer master = { .role = ROLE_MASTER };
	static const struct link_peer relay = { .role = ROLE_RELAY };
	int ends[2];

	memset(&w, 0, sizeof(w));
	w.listener = -1;
	if (ev_open(&w.house.loop) != OK || socketpair(AF_UNIX,
	    SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
		return -1;
	w.process.supervisor = &w.house;
	LIST_INIT(&w.process.dials);
	return link_open(&w.process.link, w.house.loop, ends[0], ROLE_MASTER,
	    &relay, child_says, gone, &w.process.link) != OK ||
	    link_open(&w.child, w.house.loop, ends[1], ROLE_RELAY, &master,
	    child_hears, gone, &w.child) != OK;
}

static int
tear_down(void **state)
{
	endpoint_forget(&w.process);
	assert_int_equal(w.process.dial_cnt, 0);
	link_close(&w.process.link);
	link_close(&w.child);
	for (unsigned i = 0; i < w.cnt; i++)
		if (w.heard[i].fd != -1)
			close(w.heard[i].fd);
	for (unsigned i = 0; i < w.held_cnt; i++)
		close(w.held[i]);
	if (w.listener != -1)
		close(w.listener);
	ev_close(&w.house.loop);
	return 0;
}

static void
a_tcp_endpoint_is_connected_and_handed_on(void **state)
{
	struct sockaddr_in to;
	socklen_t len = sizeof(to);

	listen_here(8);
	ask(7, 0);
	run_until(1);
	assert_int_equal(w.heard[0].request, 7);
	assert_true(w.heard[0].fd != -1);
	assert_int_equal(getpeername(w.heard[0].fd, (struct sockaddr *)&to,
	    &len), 0);
	assert_int_equal(ntohs(to.sin_port), w.process.endpoints[0].port);
	assert_true(fcntl(w.heard[0].fd, F_GETFL) & O_NONBLOCK);
	assert_int_equal(w.process.dial_cnt, 0);
}

static void
what_refuses_or_is_not_there_says_why(void **state)
{
	listen_here(-1);		/* bound, and does not listen */
	ask(1, 0);
	ask(2, 1);
	run_until(2);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(w.heard[i].fd, -1);
		assert_int_equal(w.heard[i].error, w.heard[i].request == 1 ?
		    ECONNREFUSED : ENOENT);
	}
}

static void
one_that_does_not_answer_costs_its_time_and_nobody_elses(void **state)
{
	listen_here(0);
	fill_backlog();
	ask(1, 0);
	ask(2, 1);
	run_until(1);			/* the second does not wait */
	assert_int_equal(w.heard[0].request, 2);
	run(20);
	assert_int_equal(w.process.dial_cnt, 1);
	ahead_ms += ENDPOINT_MS;
	run_until(2);
	assert_int_equal(w.heard[1].request, 1);
	assert_int_equal(w.heard[1].error, ETIMEDOUT);
	assert_int_equal(w.process.dial_cnt, 0);
}

static void
more_than_may_be_under_way_fail_at_once(void **state)
{
	listen_here(0);
	fill_backlog();
	for (unsigned i = 0; i < ENDPOINT_DIALS + 3; i++)
		ask(i + 1, 0);
	run_until(3);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(w.heard[i].error, EAGAIN);
	assert_int_equal(w.process.dial_cnt, ENDPOINT_DIALS);
}

static void
what_a_process_asked_is_forgotten_with_its_link(void **state)
{
	unsigned before, after;

	listen_here(0);
	fill_backlog();
	before = (unsigned)dup(w.listener);
	close((int)before);
	ask(1, 0);
	ask(2, 0);
	for (int i = 0; i < 100 && w.process.dial_cnt < 2; i++)
		run(10);
	assert_int_equal(w.process.dial_cnt, 2);
	endpoint_forget(&w.process);
	after = (unsigned)dup(w.listener);
	close((int)after);
	assert_int_equal(after, before);	/* and its descriptors */
	ahead_ms += ENDPOINT_MS;
	run(20);
	assert_int_equal(w.cnt, 0);
}

static void
an_endpoint_that_it_has_not_is_nonsense(void **state)
{
	listen_here(8);
	ask(1, 2);
	for (int i = 0; i < 100 && w.process.link != NULL; i++)
		run(10);
	assert_null(w.process.link);
	assert_int_equal(w.cnt, 0);
}

#define TEST(name)	cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_tcp_endpoint_is_connected_and_handed_on),
		TEST(what_refuses_or_is_not_there_says_why),
		TEST(one_that_does_not_answer_costs_its_time_and_nobody_elses),
		TEST(more_than_may_be_under_way_fail_at_once),
		TEST(what_a_process_asked_is_forgotten_with_its_link),
		TEST(an_endpoint_that_it_has_not_is_nonsense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
