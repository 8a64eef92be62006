/*
 * test_relay_http.c - a connection of a relay of type http, to a next hop that
 * the test plays on a socket pair.
 *
 * room: relay
 */
#include <netinet/in.h>
#include <sys/socket.h>

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "http/http_url.h"
#include "relay/http/http_client.h"
#include "relay/http/http_judge.h"

#define OK_ANSWER "HTTP/1.1 204 No Content\r\n\r\n"

static struct world {
	struct ev_loop	*loop;
	struct http_target target;
	struct http_learnt learnt;
	struct http_client *client;
	struct delivery	*deliveries[4];
	unsigned	 delivery_cnt, given_cnt, finished_cnt, back_cnt;
	unsigned	 ready_cnt, gone_cnt;
	bool		 has_why;
	size_t		 body_len, piece_cnt;
	int		 fd;		/* the next hop's side		*/
	struct ev	 ev;
	const char	*answers[4];	/* to each request		*/
	unsigned	 answer_cnt;
	bool		 answers_heads;	/* before the body		*/
	bool		 is_tcp;	/* in place of a unix socket	*/
	bool		 hangs_up;	/* in place of an answer	*/
	char		 got[1 << 20];
	size_t		 got_len, begin;	/* of the request	*/
	struct timer	 alarm;
} *w;

static char text_of[PIECE_MAX];

static void
pull(struct delivery *d, enum part part, uint32_t no)
{
	struct span s = SPAN("Subject: a\r\n\r\n");

	if (part == PART_BODY) {
		size_t at = (size_t)no * PIECE_MAX;
		size_t len = w->body_len - at;

		s = (struct span){ text_of, len < PIECE_MAX ? len :
		    PIECE_MAX };
	}
	w->piece_cnt++;
	assert_int_equal(delivery_add_piece(d, part, no, PIECE_NEXT, s), OK);
}

static void
finished(struct delivery *d)
{
	w->finished_cnt++;
	if (w->finished_cnt == w->delivery_cnt)
		ev_stop(w->loop);
}

static void
given_back(struct delivery *d, enum back why)
{
	fail_msg("given back: %d", (int)why);
}

static const struct delivery_calls delivery_calls = {
	.pull = pull, .finished = finished, .back = given_back,
};

static struct delivery *
add(const char *rcpts)
{
	struct msg_delivery_open m = {
		.delivery = w->delivery_cnt, .header_len = 14,
		.body_len = w->body_len, .sender = SPAN("ann@here.example"),
		.rcpt_cnt = 1, .deadline_ms = BUS_NO_DEADLINE,
	};
	struct span left = span_of(rcpts);
	struct delivery *d;

	for (size_t i = 0; i < left.len; i++)
		m.rcpt_cnt += left.ptr[i] == ' ';
	assert_non_null(d = delivery_new(&m, &delivery_calls, NULL));
	while (left.len > 0) {
		size_t len = span_find(left, ' ');

		assert_int_equal(delivery_add_rcpt(d, d->rcpt_have,
		    span_head(left, len)), OK);
		left = span_tail(left, len + 1);
	}
	return w->deliveries[w->delivery_cnt++] = d;
}

static void
is_ready(void *arg)
{
	w->ready_cnt++;
	while (http_client_is_free(w->client) &&
	    w->given_cnt < w->delivery_cnt)
		http_client_deliver(w->client, w->deliveries[w->given_cnt++]);
}

static void
is_back(struct delivery *d, void *arg)
{
	w->back_cnt++;
}

static void
is_gone(const struct verdict *why, struct span hop, void *arg)
{
	w->gone_cnt++;
	w->has_why = why != NULL;
	http_client_free(&w->client);
	ev_stop(w->loop);
}

static const struct hop_calls calls = { is_ready, is_back, is_gone };

/* The request that is read now: is it, or its head, all there? */
static bool
is_whole(void)
{
	const char *text = w->got + w->begin, *end, *field;

	w->got[w->got_len] = '\0';
	if ((end = strstr(text, "\r\n\r\n")) == NULL)
		return false;
	if (w->answers_heads)
		return true;
	field = strstr(text, "Content-Length: ");
	assert_non_null(field);
	return w->got_len - w->begin >= (size_t)(end + 4 - text) +
	    strtoul(field + 16, NULL, 10);
}

static void
hop_reads(struct ev *ev, unsigned what, void *arg)
{
	ssize_t n = read(w->fd, w->got + w->got_len,
	    sizeof(w->got) - w->got_len - 1);
	const char *answer;

	if (n <= 0)
		return ev_fini(&w->ev);
	w->got_len += (size_t)n;
	if (!is_whole() || w->answer_cnt == 4 ||
	    (answer = w->answers[w->answer_cnt]) == NULL)
		return;
	w->answer_cnt++;
	w->begin = w->got_len;
	if (answer[0] != '\0')
		assert_int_equal(send(w->fd, answer, strlen(answer),
		    MSG_NOSIGNAL), strlen(answer));
	if (w->hangs_up) {
		ev_fini(&w->ev);
		close(w->fd);
		w->fd = -1;
	}
}

static void
too_late(struct timer *t, void *arg)
{
	fail_msg("it does not come to an end");
}

static int
set_up(void **state)
{
	(void)signal(SIGPIPE, SIG_IGN);
	assert_non_null(w = calloc(1, sizeof(*w)));
	assert_int_equal(ev_open(&w->loop), OK);
	timer_init(&w->alarm, w->loop, too_late, NULL);
	memset(text_of, 'x', sizeof(text_of));
	w->body_len = 100;
	w->fd = -1;
	w->target = (struct http_target){
		.method = SPAN("POST"), .path = SPAN("/"),
		.host = SPAN("web.example"), .ehlo_as = SPAN("me.example"),
		.ehlo_name = "X-Ehlo", .sender_name = "X-Sender",
		.rcpt_name = "X-Recipient", .may_chunk = true,
		.keeps = true, .step_ms = 60000, .done_ms = 60000,
		.learnt = &w->learnt,
	};
	return 0;
}

static int
tear_down(void **state)
{
	http_client_free(&w->client);
	for (unsigned i = 0; i < w->delivery_cnt; i++)
		delivery_free(&w->deliveries[i]);
	ev_fini(&w->ev);
	if (w->fd != -1)
		close(w->fd);
	timer_stop(&w->alarm);
	ev_close(&w->loop);
	free(w);
	return 0;
}

static void
connect_tcp(int fds[2])
{
	struct sockaddr_in a = { .sin_family = AF_INET,
	    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	fds[0] = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(fds[0], (struct sockaddr *)&a, len), 0);
	fds[1] = accept4(fd, NULL, NULL, SOCK_NONBLOCK);
	assert_int_not_equal(fds[1], -1);
	assert_int_equal(fcntl(fds[0], F_SETFL, O_NONBLOCK), 0);
	close(fd);
}

static void
run(void)
{
	int fds[2];

	if (w->is_tcp)
		connect_tcp(fds);
	else
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM |
		    SOCK_NONBLOCK, 0, fds), 0);
	w->fd = fds[1];
	w->client = http_client_new(w->loop, NULL, &w->target, &calls, NULL);
	assert_non_null(w->client);
	assert_int_equal(ev_init(&w->ev, w->loop, w->fd, EV_READ, hop_reads,
	    NULL), OK);
	timer_set(&w->alarm, 60000);
	http_client_start_on(w->client, fds[0], SPAN("web[127.0.0.1]:80"));
	assert_int_equal(ev_run(w->loop), OK);
}

static void
ended(unsigned i, uint32_t rcpt, enum outcome_class class, unsigned code,
    const char *text)
{
	const struct outcome *o = w->deliveries[i]->rcpts[rcpt].outcome;

	assert_non_null(o);
	assert_int_equal(o->verdict.class, class);
	assert_int_equal(o->verdict.code, code);
	assert_true(span_eq(o->verdict.text, span_of(text)));
}

static void
two_deliveries_share_a_connection(void **state)
{
	add("bob@a.example");
	add("bob@a.example");
	w->answers[0] = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 Ok\r\n"
	    "Content-Length: 3\r\nX-Smtp-Reply: 250; message=\"2.6.0 As 7\""
	    "\r\n\r\nabc";
	w->answers[1] = OK_ANSWER;
	run();
	ended(0, 0, CLASS_DONE, 250, "2.6.0 As 7");
	ended(1, 0, CLASS_DONE, 250, "2.0.0 No Content");
	assert_int_equal(w->gone_cnt, 0);
	w->got[w->got_len] = '\0';
	assert_non_null(strstr(w->got, "POST / HTTP/1.1\r\nHost: web.example"
	    "\r\nContent-Length: 114\r\nContent-Type: message/rfc822\r\n"
	    "X-Ehlo: me.example\r\nX-Sender: ann@here.example\r\n"
	    "X-Recipient: bob@a.example\r\n\r\nSubject: a\r\n\r\nxxx"));
}

/* It cannot all be written: the peer is gone. */
static void
who_closed_a_used_connection_is_asked_again_on_another(void **state)
{
	add("bob@a.example");
	add("bob@a.example");
	w->answers[0] = OK_ANSWER;
	w->hangs_up = true;
	run();
	if (w->gone_cnt == 0)
		assert_int_equal(ev_run(w->loop), OK);
	ended(0, 0, CLASS_DONE, 250, "2.0.0 No Content");
	assert_int_equal(w->gone_cnt, 1);
	assert_false(w->has_why);
	assert_int_equal(w->back_cnt, 1);
	assert_null(w->deliveries[1]->rcpts[0].outcome);
}

/* It is all written, and not a byte of it was acknowledged. */
static void
what_nobody_acknowledged_was_not_taken(void **state)
{
	w->is_tcp = true;
	who_closed_a_used_connection_is_asked_again_on_another(state);
}

static void
who_hangs_up_instead_of_an_answer_may_have_taken_it(void **state)
{
	add("bob@a.example");
	w->answers[0] = "";
	w->hangs_up = true;
	run();
	ended(0, 0, CLASS_LATER, 451, "4.4.2 Connection lost");
	assert_int_equal(w->back_cnt, 0);
}

static void
a_refusal_of_several_is_asked_for_each(void **state)
{
	add("bob@a.example no@a.example");
	w->answers[0] = w->answers[2] = "HTTP/1.1 500 x\r\nContent-Length: 0"
	    "\r\nX-Smtp-Reply: 550; message=\"5.1.1 None\"\r\n\r\n";
	w->answers[1] = OK_ANSWER;
	run();
	ended(0, 0, CLASS_DONE, 250, "2.0.0 No Content");
	ended(0, 1, CLASS_NEVER, 550, "5.1.1 None");
	assert_int_equal(w->answer_cnt, 3);
}

static void
a_refusal_of_the_message_is_asked_twice_and_believed(void **state)
{
	add("a@a.example b@a.example c@a.example d@a.example");
	w->answers[0] = w->answers[1] = "HTTP/1.1 400 Spam\r\n"
	    "Content-Length: 0\r\n\r\n";
	run();
	for (uint32_t i = 0; i < 4; i++)
		ended(0, i, CLASS_NEVER, 550, "5.0.0 Spam");
	assert_int_equal(w->answer_cnt, 2);
}

static void
a_refusal_before_the_body_spares_it(void **state)
{
	w->body_len = 40 * PIECE_MAX;
	w->answers_heads = true;
	add("bob@a.example");
	w->answers[0] = "HTTP/1.1 413 Too much\r\nContent-Length: 0\r\n\r\n";
	run();
	ended(0, 0, CLASS_NEVER, 552, "5.3.4 Too much");
	assert_true(w->piece_cnt <= STREAM_CREDIT);
	if (w->gone_cnt == 0)
		assert_int_equal(ev_run(w->loop), OK);
	assert_int_equal(w->gone_cnt, 1);
}

static void
success_before_the_body_is_no_success(void **state)
{
	w->body_len = 40 * PIECE_MAX;
	w->answers_heads = true;
	add("bob@a.example");
	w->answers[0] = OK_ANSWER;
	run();
	ended(0, 0, CLASS_LATER, 451,
	    "4.5.0 The next hop sent a reply of the wrong kind");
}

static void
a_hop_that_wants_no_expectation_gets_none(void **state)
{
	w->body_len = 4 * PIECE_MAX;
	w->answers_heads = true;
	add("bob@a.example");
	w->answers[0] = "HTTP/1.1 417 No\r\nContent-Length: 0\r\n\r\n";
	run();
	assert_int_equal(w->back_cnt, 1);
	assert_true(w->learnt.is_deaf);
	assert_null(w->deliveries[0]->rcpts[0].outcome);
}

static void
an_endless_head_is_no_answer(void **state)
{
	static char head[80000] = "HTTP/1.1 200 Ok\r\nX: ";

	memset(head + strlen(head), 'a', sizeof(head) - 30);
	add("bob@a.example");
	w->answers[0] = head;
	run();
	ended(0, 0, CLASS_LATER, 451, "4.5.0 The next hop sent something that "
	    "is not an HTTP response");
}

static void
a_silent_hop_is_waited_for_as_long_as_the_block_says(void **state)
{
	w->target.done_ms = 50;
	add("bob@a.example");
	run();
	ended(0, 0, CLASS_LATER, 451, "4.4.2 Timed out waiting for a reply");
}

static void
words_that_hold_the_password_are_not_told(void **state)
{
	w->target.authorization = SPAN("Basic YW5uOnMza3IxdA==");
	w->target.login.password = SPAN("s3kr1t");
	add("bob@a.example");
	w->answers[0] = "HTTP/1.1 400 YW5uOnMza3IxdA==\r\nContent-Length: 0"
	    "\r\n\r\n";
	run();
	ended(0, 0, CLASS_NEVER, 550, "4.7.8 Words that held the password");
}

static void
a_url_is_read_and_a_wrong_one_told(void **state)
{
	static const char *const wrong[] = { "", "ftp://a/", "http://", "a.b",
	    "http://a:0/", "http://a:65536/", "http://u@a/", "http://a/b#c",
	    "http://a/b c", "http://[::1/", "http://a_/\r\n", "http://a?b",
	    "http://a:b/", "http://a b/" };
	struct http_url u;

	assert_null(http_url_read(SPAN("HTTPS://[::1]:8025/m?k=1"), &u));
	assert_true(u.is_https);
	assert_true(span_eq(u.host, SPAN("::1")));
	assert_true(span_eq(u.authority, SPAN("[::1]:8025")));
	assert_int_equal(u.port, 8025);
	assert_true(span_eq(u.path, SPAN("/m?k=1")));
	assert_null(http_url_read(SPAN("http://web.example"), &u));
	assert_false(u.is_https);
	assert_int_equal(u.port, 0);
	assert_true(span_eq(u.path, SPAN("/")));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_non_null(http_url_read(span_of(wrong[i]), &u));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		T(two_deliveries_share_a_connection),
		T(who_closed_a_used_connection_is_asked_again_on_another),
		T(what_nobody_acknowledged_was_not_taken),
		T(who_hangs_up_instead_of_an_answer_may_have_taken_it),
		T(a_refusal_of_several_is_asked_for_each),
		T(a_refusal_of_the_message_is_asked_twice_and_believed),
		T(a_refusal_before_the_body_spares_it),
		T(success_before_the_body_is_no_success),
		T(a_hop_that_wants_no_expectation_gets_none),
		T(an_endless_head_is_no_answer),
		T(a_silent_hop_is_waited_for_as_long_as_the_block_says),
		T(words_that_hold_the_password_are_not_told),
		cmocka_unit_test(a_url_is_read_and_a_wrong_one_told),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
