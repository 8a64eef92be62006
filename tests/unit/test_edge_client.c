/*
 * Connections: time limits, how many and whom, running out of descriptors,
 * the end of the process, and what an idle client costs.
 *
 * room: edge
 */
#include <sys/resource.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <malloc.h>
#include <netinet/in.h>
#include <poll.h>

#include "edge/client/listen.h"
#include "edge_kit.h"

static struct sockaddr_in listener;
static int listen_fd = -1;

static void
listen_there(const char *ip)
{
	socklen_t len = sizeof(listener);
	int on = 1;

	listener = (struct sockaddr_in){ .sin_family = AF_INET };
	assert_int_equal(inet_pton(AF_INET, ip, &listener.sin_addr), 1);
	listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0);
	assert_int_not_equal(listen_fd, -1);
	assert_int_equal(setsockopt(listen_fd, SOL_SOCKET, SO_REUSEADDR, &on,
	    sizeof(on)), 0);
	assert_int_equal(bind(listen_fd, (void *)&listener, len), 0);
	assert_int_equal(listen(listen_fd, 100), 0);
	assert_int_equal(getsockname(listen_fd, (void *)&listener, &len), 0);
	assert_int_equal(listen_open(&kit.edge->listen, kit.edge, &listen_fd,
	    1), OK);
}

static int
dial(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	assert_int_equal(connect(fd, (void *)&listener, sizeof(listener)), 0);
	return fd;
}

static int
teardown(void **state)
{
	kit_stop();
	if (listen_fd != -1)
		close(listen_fd);
	listen_fd = -1;
	return 0;
}

static void
a_silent_client_hears_421_and_is_closed(void **state)
{
	kit.edge->set.timeout_ms = 400;
	kit_connect();
	assert_string_equal(kit_codes(kit_hear()), "220 ");
	kit_wait(200);
	kit_want("NOOP\r\n", "250 2.0.0 Ok\r\n");
	kit_wait(250);
	kit_say("NOO");
	assert_string_equal(kit_hear(), "");
	assert_false(kit.is_closed);
	kit_wait(500);
	kit_want("", "421 4.4.2 Connection timed out\r\n");
	assert_true(kit.is_closed);
}

static void
a_text_may_take_longer_than_its_longest_silence(void **state)
{
	kit.edge->set.data_timeout_ms = 1000;
	kit_data();
	for (int i = 0; i < 12; i++) {
		kit_say("x\r\n");
		kit_wait(100);
	}
	kit_say(".\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 ");
}

/* Pieces are long: what the client says does not get there by itself. */
static void
the_queue_hears_of_a_slow_client_in_time(void **state)
{
	kit.edge->set.data_timeout_ms = 1000;
	kit_data();
	for (int i = 0; i < 10; i++) {
		kit_say("x\r\n");
		kit_wait(120);
	}
	assert_true(kit_last()->slow_cnt > 0);
	assert_int_equal(kit_last()->piece_cnt, 0);
	kit_say(".\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 ");
}

static void
who_falls_silent_within_a_text_hears_421(void **state)
{
	kit.edge->set.data_timeout_ms = 80;
	kit_data();
	kit_say("x\r\n");
	kit_wait(300);
	kit_want("", "421 4.4.2 Connection timed out\r\n");
	assert_true(kit_last()->is_aborted);
}

/* The transaction that has the only stream. */
static struct transaction *
transaction(void)
{
	struct stream *stream = NULL;

	for (unsigned i = 0; stream == NULL && i < EDGE_STREAM_BUCKETS; i++)
		stream = LIST_FIRST(&kit.edge->streams[i]);
	assert_non_null(stream);
	return stream->transaction;
}

static void
who_trickles_hears_421_after_a_minute_of_it(void **state)
{
	kit.edge->set.min_rate = 1000;
	kit_data();
	transaction()->pace.sent_ms = PACE_MINUTE_MS - 1000;
	kit_want("x\r\n", "");
	transaction()->pace.sent_ms = PACE_MINUTE_MS;
	kit_want("x\r\n", "421 4.4.2 The message comes too slowly\r\n");
	assert_true(kit_last()->is_aborted);
	assert_true(kit.is_closed);
	kit_data();
	transaction()->pace.sent_ms = PACE_MINUTE_MS;
	kit_say("x\r\n.\r\n");		/* late, but whole */
	assert_string_equal(kit_codes(kit_hear()), "250 ");
}

static void
who_is_not_read_from_is_not_silent(void **state)
{
	static char line[PIECE_MAX + 2];

	kit.edge->set.data_timeout_ms = 1000;
	kit.no_grant = true;
	kit_data();
	memset(line, 'x', sizeof(line));
	for (size_t i = 1000; i < sizeof(line); i += 1000)
		memcpy(line + i - 2, "\r\n", 2);
	memcpy(line, "\r\n", 2);
	memcpy(line + sizeof(line) - 2, "\r\n", 2);
	kit_give(line, sizeof(line));
	kit_wait(1300);
	kit_want("", "");
	kit_grant(kit_last());
	kit_say(".\r\n");
	assert_string_equal(kit_codes(kit_hear()), "250 ");
}

static void
a_session_ends_however_busy_it_is(void **state)
{
	kit.edge->set.session_timeout_ms = 60;
	kit_ready();
	for (int i = 0; i < 12; i++) {
		kit_say("NOOP\r\n");
		kit_wait(10);
	}
	assert_non_null(strstr(kit_hear(), "421 4.4.2"));
}

static void
while_the_queue_decides_no_time_runs_out(void **state)
{
	kit.edge->set.timeout_ms = kit.edge->set.data_timeout_ms = 30;
	kit.no_verdict = true;
	kit_data();
	kit_say("\r\n.\r\n");
	kit_wait(100);
	kit_want("", "");
	kit_taken(kit_last());
	assert_string_equal(kit_codes(kit_hear()), "250 ");
}

static void
sessions_over_the_limit_hear_421(void **state)
{
	kit.edge->set.max_sessions = 1;
	listen_there("127.0.0.1");
	kit.fd = dial();
	assert_string_equal(kit_codes(kit_hear()), "220 ");
	kit_hang_up();
	kit_wait(5);
	assert_int_equal(kit.edge->client_cnt, 0);
	kit_connect();
	kit_hear();
	kit_hang_up();
	kit.edge->client_cnt++;		/* somebody else's */
	kit.fd = dial();
	kit_want("", "421 4.3.2 Too many sessions\r\n");
	assert_true(kit.is_closed);
	kit.edge->client_cnt--;
}

static void
loopback_is_not_counted_by_client(void **state)
{
	int fds[12];

	kit.edge->set.max_sessions_per_client = 3;
	listen_there("127.0.0.1");
	for (int i = 0; i < 12; i++)
		fds[i] = dial();
	kit_turn(KIT_TURNS);
	assert_int_equal(kit.edge->client_cnt, 12);
	for (int i = 0; i < 12; i++)
		close(fds[i]);
}

/* A listener without a name in any directory, and how to reach it. */
static void
listen_here(struct sockaddr_un *sa, socklen_t *len)
{
	*sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
	*len = sizeof(*sa);
	listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listen_fd, (void *)sa, sizeof(sa_family_t)), 0);
	assert_int_equal(getsockname(listen_fd, (void *)sa, len), 0);
	assert_int_equal(listen(listen_fd, 10), 0);
	assert_int_equal(listen_open(&kit.edge->listen, kit.edge, &listen_fd,
	    1), OK);
}

static int
dial_here(const struct sockaddr_un *sa, socklen_t len)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_not_equal(fd, -1);
	assert_int_equal(connect(fd, (const void *)sa, len), 0);
	return fd;
}

static void
a_unix_socket_tells_whose_mail_it_is(void **state)
{
	struct sockaddr_un sa;
	socklen_t len;
	char tenant[32];

	listen_here(&sa, &len);
	kit.fd = dial_here(&sa, len);
	kit_say("EHLO x\r\n" KIT_ENVELOPE "DATA\r\n\r\n.\r\n");
	assert_string_equal(kit_codes(kit_hear()),
	    "220 250 250 250 354 250 ");
	snprintf(tenant, sizeof(tenant), "uid:%u", (unsigned)geteuid());
	assert_string_equal(kit_last()->tenant, tenant);
}

static void
users_of_a_unix_socket_are_counted(void **state)
{
	struct sockaddr_un sa;
	socklen_t len;
	int first;

	kit.edge->set.max_sessions_per_client = 1;
	listen_here(&sa, &len);
	first = dial_here(&sa, len);
	kit.fd = dial_here(&sa, len);
	kit_want("", "421 4.7.0 Too many sessions of yours\r\n");
	close(first);
}

static void
out_of_descriptors_accepting_pauses_and_goes_on(void **state)
{
	struct rlimit was, now;
	int fd;

	listen_there("127.0.0.1");
	fd = dial();
	kit.fd = fcntl(fd, F_DUPFD_CLOEXEC, 100);
	close(fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &was), 0);
	now = was;
	now.rlim_cur = (rlim_t)dup(listen_fd);	/* the lowest free number */
	close((int)now.rlim_cur);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &now), 0);
	kit_wait(20);
	assert_int_equal(kit.edge->client_cnt, 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &was), 0);
	kit_turn(4);
	assert_int_equal(kit.edge->client_cnt, 0);	/* still pausing */
	kit_wait(120);
	assert_string_equal(kit_codes(kit_hear()), "220 ");
}

static void
the_last_reply_outlives_what_was_not_read(void **state)
{
	static char more[300000];

	listen_there("127.0.0.1");
	kit.fd = dial();
	assert_string_equal(kit_codes(kit_hear()), "220 ");
	kit_say("GET / HTTP/1.1\r\n");
	kit_give(more, sizeof(more));
	assert_string_equal(kit_codes(kit_hear()), "500 ");
	assert_true(kit.is_closed);
	assert_false(kit.was_reset);
}

static void
draining_ends_the_idle_and_lets_transactions_finish(void **state)
{
	kit_data();
	edge_drain(kit.edge, 10000);
	kit_turn(KIT_TURNS);
	assert_false(kit.is_drained);
	kit_want("\r\nx\r\n.\r\n", "250 2.6.0 Message queued as "
	    "01000000-0000-0000-0000-000000000001\r\n"
	    "421 4.3.2 Service shutting down\r\n");
	assert_true(kit.is_closed);
	kit_hang_up();
	kit_wait(5);
	assert_true(kit.is_drained);
}

static void
draining_an_idle_edge_is_quick(void **state)
{
	kit_ready();
	edge_drain(kit.edge, 10000);
	assert_false(kit.is_drained);
	kit_want("", "421 4.3.2 Service shutting down\r\n");
	kit_hang_up();
	kit_wait(5);
	assert_true(kit.is_drained);
}

static void
with_time_to_spare_only_the_silent_are_ended(void **state)
{
	kit_ready();
	edge_drain(kit.edge, EDGE_GENTLE_MS);
	kit_turn(KIT_TURNS);
	kit_want("NOOP\r\n", "250 2.0.0 Ok\r\n");
	assert_false(kit.is_closed);
	/* It is looked at each SEAT_SILENT_MS: at the second look, at last. */
	kit_wait(2 * SEAT_SILENT_MS + 500);
	kit_want("", "421 4.3.2 Service shutting down\r\n");
	kit_hang_up();
	kit_wait(5);
	assert_true(kit.is_drained);
}

static void
a_drain_in_a_hurry_follows_one_with_time_to_spare(void **state)
{
	kit_ready();
	edge_drain(kit.edge, EDGE_GENTLE_MS);
	kit_want("", "");
	edge_drain(kit.edge, 10000);
	kit_want("", "421 4.3.2 Service shutting down\r\n");
	kit_hang_up();
	kit_wait(5);
	assert_true(kit.is_drained);
}

static void
patience_ends_what_does_not_finish(void **state)
{
	kit_data();
	edge_drain(kit.edge, 50);
	kit_wait(60);
	kit_want("", "421 4.3.2 Service shutting down\r\n");
	assert_true(kit_last()->is_aborted);
	kit_hang_up();
	kit_wait(5);
	assert_true(kit.is_drained);
}

static void
an_idle_session_takes_less_than_4_kib_of_heap(void **state)
{
	struct mallinfo2 before, after;
	int fds[100], pairs[100][2];
	struct client_address a = { .family = 4, .bytes = { 127, 0, 0, 1 } };
	unsigned cnt;

	kit_ready();		/* what is made once is made */
	before = mallinfo2();
	for (int i = 0; i < 100; i++) {
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM |
		    SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pairs[i]), 0);
		fds[i] = pairs[i][0];
		assert_int_equal(limits_enter(kit.edge->limits, &a, &cnt), OK);
		assert_int_equal(client_open(kit.edge, pairs[i][1], &a), OK);
		assert_int_equal(send(fds[i], "EHLO x\r\n", 8, 0), 8);
	}
	kit_turn(KIT_TURNS);
	after = mallinfo2();
	assert_int_equal(kit.edge->client_cnt, 101);
	print_message("%zu bytes a session\n",
	    (after.uordblks - before.uordblks) / 100);
	assert_true((after.uordblks - before.uordblks) / 100 < 4096);
	for (int i = 0; i < 100; i++)
		close(fds[i]);
}

#define T(name)	cmocka_unit_test_setup_teardown(name, kit_setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_silent_client_hears_421_and_is_closed),
		T(a_text_may_take_longer_than_its_longest_silence),
		T(the_queue_hears_of_a_slow_client_in_time),
		T(who_falls_silent_within_a_text_hears_421),
		T(who_trickles_hears_421_after_a_minute_of_it),
		T(who_is_not_read_from_is_not_silent),
		T(a_session_ends_however_busy_it_is),
		T(while_the_queue_decides_no_time_runs_out),
		T(sessions_over_the_limit_hear_421),
		T(loopback_is_not_counted_by_client),
		T(a_unix_socket_tells_whose_mail_it_is),
		T(users_of_a_unix_socket_are_counted),
		T(out_of_descriptors_accepting_pauses_and_goes_on),
		T(the_last_reply_outlives_what_was_not_read),
		T(draining_ends_the_idle_and_lets_transactions_finish),
		T(draining_an_idle_edge_is_quick),
		T(with_time_to_spare_only_the_silent_are_ended),
		T(a_drain_in_a_hurry_follows_one_with_time_to_spare),
		T(patience_ends_what_does_not_finish),
		T(an_idle_session_takes_less_than_4_kib_of_heap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
