/*
 * Any bytes, cut anywhere, to a whole SMTP session: it must not break, must
 * use its input up or say why not, and may answer with well-formed lines only.
 * The first byte says how long the cuts are, and whether LMTP is spoken; the
 * second what is configured and what queue and vault answer.  A handshake
 * always succeeds.
 *
 * room: edge
 */
#include <sys/socket.h>

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask/login.h"
#include "edge/smtp/auth.h"
#include "edge/edge.h"
#include "edge/from_queue.h"
#include "edge/smtp/session.h"
#include "edge/text/transaction.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define HAS_TLS		0x01u
#define NEEDS_TLS	0x02u
#define HAS_USERS	0x04u
#define NEEDS_LOGIN	0x08u
#define CLEAR_LOGIN	0x10u
#define ASKS		0x20u
#define SAYS_NO		0x40u
#define IS_LOCAL	0x80u

static struct ev_loop *loop;

static void
lost(const struct link_peer *p, enum err why, void *arg)
{
}

static void
users_lost(const struct link_peer *p, enum err why, void *arg)
{
}

static void
drained(void *arg)
{
}

static struct edge *
make_edge(int *queue_fd, unsigned has)
{
	static const struct edge_calls calls = {
		.lost = lost, .drained = drained,
	};
	struct link_peer peer = { .role = ROLE_QUEUE, .block = "main" };
	struct settings set = {
		.hostname = strdup("mx.test.example"),
		.banner = strdup("mx.test.example ESMTP"),
		.max_size = 4096, .max_header_size = 512,
		.timeout_ms = 1000, .data_timeout_ms = 1000,
		.session_timeout_ms = 1000, .max_recipients = 10,
		.max_errors = 20, .max_sessions = 10,
		.max_sessions_per_client = 10,
		.has_tls = has & HAS_TLS,
		.tls_immediately = (has & (HAS_TLS | NEEDS_TLS)) == NEEDS_TLS,
		.require_tls = has & NEEDS_TLS, .has_users = has & HAS_USERS,
		.require_auth = has & NEEDS_LOGIN,
		.auth_without_tls = has & CLEAR_LOGIN,
		.add_date = true, .add_message_id = true, .add_received = true,
	};
	struct edge *edge;
	int pair[2];

	if (loop == NULL && ev_open(&loop) != OK)
		abort();
	if (edge_new(&edge, loop, &set, 1, &calls, NULL) != OK ||
	    socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, pair) != 0)
		abort();
	from_queue_link(edge, pair[0], &peer);
	if (has & HAS_USERS &&
	    login_open(&edge->users, loop, users_lost, NULL) != OK)
		abort();
	edge->can_tls = true;
	edge->asks = edge->waits = has & ASKS;
	*queue_fd = pair[1];
	return edge;
}

static void
on_turn(struct later *l, void *arg)
{
	ev_stop(loop);
}

/* What was answered is told at the end of a turn. */
static void
turn(void)
{
	struct later end;

	later_init(&end, loop, on_turn, NULL);
	later_call(&end);
	if (ev_run(loop) != OK)
		abort();
}

/* A recipient, a password: yes, or every other time no. */
static void
judge(struct session *s, unsigned has)
{
	static const struct reply no = { 550, "5.1.1", "No such user", false };
	static const struct reply yes = { .code = 250 };

	bool is_rcpt = session_waits_for(s, &check_queue_rcpt);
	bool is_login = session_waits_for(s, &check_login);

	if (is_rcpt) {
		struct question *word = &s->transaction->word;

		transaction_judged(word, has & SAYS_NO && word->no & 1 ?
		    &no : &yes);
		turn();
	} else if (is_login && has & SAYS_NO)
		auth_status(s, LOGIN_BUSY);
	else if (is_login)
		auth_status(s, LOGIN_GOOD);
	else if (s->state == ST_SECURE)
		session_secured(s);
}

/* The queue grants and takes what it is given, but for some at MAIL. */
static void
answer(struct session *s, unsigned has)
{
	static const struct reply no = { 452, "4.3.1", "Full", false };
	static const struct reply yes = { .code = 250 };
	struct transaction *t = s->transaction;

	if (t == NULL || t->stream.no == 0)
		return;
	if (t->is_opening && has & SAYS_NO && t->stream.no & 1) {
		transaction_refused(t, &no);
		return;
	}
	if ((t->stream.is_granted ? transaction_credited(t, STREAM_CREDIT -
	    t->stream.credit) : transaction_granted(t, (struct id){ 0 })) != OK)
		abort();
	t = s->transaction;
	if (t != NULL && t->stream.is_committed && transaction_taken(t, &yes) !=
	    OK)
		abort();
}

/* Lines of at most 512 bytes that begin with a code and end with CRLF. */
static void
check_replies(struct span out)
{
	size_t n;

	for (; out.len > 0; out = span_tail(out, n + 1)) {
		n = span_find(out, '\n');
		if (n == out.len || n < 5 || n > 511 || out.ptr[n - 1] != '\r')
			abort();
		if (!isdigit((unsigned char)out.ptr[0]) ||
		    (out.ptr[3] != ' ' && out.ptr[3] != '-') ||
		    span_find(span_head(out, n - 1), '\r') != n - 1)
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct client_address a = { .family = 4, .bytes = { 192, 0, 2, 1 } };
	size_t step = len > 0 ? bytes[0] + 1u : 1, held = 0, n;
	unsigned has = len > 1 ? bytes[1] : 0;
	enum state was;
	char *in = malloc(len + 1);
	struct session s;
	struct edge *edge;
	struct span left;
	int queue_fd;

	if (in == NULL)
		return 0;
	edge = make_edge(&queue_fd, has);
	if (has & IS_LOCAL)
		a = client_address_user(1000);
	session_init(&s, edge, &a, NULL, NULL);
	s.origin.is_lmtp = len > 0 && bytes[0] & 0x40;
	session_greet(&s);
	judge(&s, has);
	for (size_t at = 2; at < len && s.state != ST_CLOSED; at += n) {
		n = step < len - at ? step : len - at;
		memcpy(in + held, bytes + at, n);
		left = (struct span){ in, held + n };
		do {
			held = left.len;
			was = s.state;
			session_feed(&s, &left);
			if (s.state == ST_SECURE && held > 0 && left.len > 0)
				abort();	/* smuggled */
			answer(&s, has);
			judge(&s, has);
			check_replies(grow_span(&s.seat.out));
			grow_free(&s.seat.out);
		} while (left.len > 0 &&
		    (left.len < held || s.state != was));
		held = left.len;
		memmove(in, left.ptr, held);
		if (s.state != ST_CLOSED && held >= AUTH_LINE_MAX)
			abort();
	}
	session_fini(&s);
	edge_free(&edge);
	close(queue_fd);
	free(in);
	return 0;
}
