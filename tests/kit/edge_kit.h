/*
 * edge_kit - an edge in a box for the edge's tests: the real thing on a real
 * loop and a real link, with a client on a socket pair and a queue that keeps
 * what it hears and answers as the test wishes.
 */
#ifndef TESTS_EDGE_KIT_H
#define TESTS_EDGE_KIT_H

#include <sys/eventfd.h>
#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "ask/login.h"
#include "edge/client/client.h"
#include "edge/edge.h"
#include "edge/from_queue.h"
#include "edge/smtp/session.h"
#include "edge/text/transaction.h"

#define KIT_TURNS	8	/* of the loop, after which all has settled */
#define KIT_STREAMS	64	/* streams the queue remembers		*/

/* What the queue knows of a stream. */
struct kit_mail {
	uint64_t	 stream;
	unsigned	 flags, rcpt_cnt;
	char		 sender[320], rcpts[4096], proto[16], tenant[64];
	size_t		 rcpts_before;	/* the last one was added	*/
	struct grow	 header, body;
	unsigned	 piece_cnt, slow_cnt;
	unsigned	 odd_cnt;	/* over credit, or of a wrong size */
	unsigned	 credit;
	bool		 is_short;		/* the last body piece came */
	bool		 is_committed, is_aborted;
	uint64_t	 header_len, body_len;
	char		 asked[1200];	/* what reports are wanted	*/
	unsigned	 kind, params;	/* and what else MAIL said	*/
	struct id	 id;
};

struct kit {
	struct ev_loop	*loop;
	struct edge	*edge;
	struct link	*queue;
	int		 fd;		/* the client's end		*/
	struct grow	 heard;		/* replies not yet asked for	*/
	bool		 is_closed;	/* the edge has closed		*/
	bool		 was_reset;	/* and thrown away what we said	*/
	struct kit_mail	 mails[KIT_STREAMS];
	unsigned	 mail_cnt;
	bool		 no_grant, no_credit, no_verdict;
	uint64_t	 asks[KIT_STREAMS];	/* about recipients	*/
	char		 asked[4096];
	unsigned	 ask_cnt;
	struct kit_mail	*mail_asked;	/* whose recipient it was	*/
	struct link	*vault;		/* of users; NULL without	*/
	uint64_t	 logins[KIT_STREAMS];	/* requests	*/
	char		 login_user[300], login_password[300];
	char		 login_client[64];
	unsigned	 login_cnt;
	unsigned	 lost_cnt;
	bool		 is_drained;
	unsigned	 room_cnt;	/* on_room() was called */
	int		 tick_fd, turns;
	struct ev	 tick;
};

static struct kit kit;

static inline void
kit_tick(struct ev *ev, unsigned what, void *arg)
{
	if (--kit.turns <= 0)
		ev_stop(kit.loop);
}

/* Let the loop turn some times without sleeping. */
static inline void
kit_turn(int turns)
{
	kit.turns = turns;
	assert_int_equal(ev_run(kit.loop), OK);
}

static inline struct kit_mail *
kit_mail(uint64_t stream)
{
	for (unsigned i = 0; i < kit.mail_cnt; i++)
		if (kit.mails[i].stream == stream)
			return &kit.mails[i];
	fail_msg("the queue was told of a stream it does not know");
	return NULL;
}

static inline struct kit_mail *
kit_last(void)
{
	assert_true(kit.mail_cnt > 0);
	return &kit.mails[kit.mail_cnt - 1];
}

static inline void
kit_grant(struct kit_mail *m)
{
	m->id.b[0] = 0x01;
	m->id.b[15] = (uint8_t)m->stream;
	m->credit = STREAM_CREDIT;
	(void)link_send_mail_grant(kit.queue, &(struct msg_mail_grant){
	    .stream = m->stream, .id = m->id });
}

static inline void
kit_credit(struct kit_mail *m, unsigned pieces)
{
	m->credit += pieces;
	(void)link_send_mail_credit(kit.queue, &(struct msg_mail_credit){
	    .stream = m->stream, .pieces = pieces });
}

static inline void
kit_taken(struct kit_mail *m)
{
	(void)link_send_mail_taken(kit.queue, &(struct msg_mail_taken){
	    .stream = m->stream });
}

static inline void
kit_refuse(struct kit_mail *m, unsigned code, const char *dsn,
    const char *text)
{
	(void)link_send_mail_refused(kit.queue, &(struct msg_mail_refused){
	    .stream = m->stream, .code = (uint16_t)code, .dsn = span_of(dsn),
	    .text = span_of(text) });
}

static inline void
kit_open(const struct msg_mail_open *o)
{
	struct kit_mail *m = &kit.mails[kit.mail_cnt % KIT_STREAMS];

	assert_true(kit.mail_cnt < KIT_STREAMS);
	kit.mail_cnt++;
	m->stream = o->stream;
	m->flags = o->flags;
	m->kind = o->body;
	m->params = o->params;
	assert_true(span_cstr(o->sender, m->sender, sizeof(m->sender)));
	assert_true(span_cstr(o->proto, m->proto, sizeof(m->proto)));
	assert_true(span_cstr(o->tenant, m->tenant, sizeof(m->tenant)));
	snprintf(m->asked, sizeof(m->asked), "ret=%u envid=%.*s", o->ret,
	    (int)o->envid.len, o->envid.ptr);
	if (!kit.no_grant)
		kit_grant(m);
}

static inline void
kit_piece(struct kit_mail *m, struct grow *g, struct span piece)
{
	m->piece_cnt++;
	if (m->credit == 0 || piece.len == 0)
		m->odd_cnt++;
	else
		m->credit--;
	assert_int_equal(grow_add(g, piece), OK);
	if (!kit.no_credit)
		kit_credit(m, 1);
}

static inline void
kit_commit(const struct msg_mail_commit *c, struct span piece)
{
	struct kit_mail *m = kit_mail(c->stream);

	assert_int_equal(grow_add(&m->header, piece), OK);
	m->is_committed = true;
	m->flags = c->flags;
	m->header_len = c->header_len;
	m->body_len = c->body_len;
	assert_int_equal(m->header_len, m->header.len);
	assert_int_equal(m->body_len, m->body.len);
	if (!kit.no_verdict)
		kit_taken(m);
}

static inline enum err
kit_hears(struct link *l, unsigned type, const union msg *u,
    struct span piece, int fd, void *arg)
{
	struct kit_mail *m;

	switch (type) {
	case MSG_mail_open:
		kit_open(&u->mail_open);
		break;
	case MSG_mail_rcpt:
		m = kit_mail(u->mail_rcpt.stream);
		if (u->mail_rcpt.ask != 0) {
			kit.mail_asked = m;
			kit.asks[kit.ask_cnt++ % KIT_STREAMS] =
			    u->mail_rcpt.ask;
			snprintf(kit.asked + strlen(kit.asked),
			    sizeof(kit.asked) - strlen(kit.asked), "%.*s,",
			    (int)u->mail_rcpt.rcpt.len, u->mail_rcpt.rcpt.ptr);
		}
		m->rcpts_before = strlen(m->rcpts);
		m->rcpt_cnt++;
		snprintf(m->rcpts + strlen(m->rcpts),
		    sizeof(m->rcpts) - strlen(m->rcpts), "%.*s,",
		    (int)u->mail_rcpt.rcpt.len, u->mail_rcpt.rcpt.ptr);
		snprintf(m->asked + strlen(m->asked),
		    sizeof(m->asked) - strlen(m->asked), " %x:%.*s",
		    u->mail_rcpt.notify, (int)u->mail_rcpt.orcpt.len,
		    u->mail_rcpt.orcpt.ptr);
		break;
	case MSG_mail_body:
		m = kit_mail(u->mail_body.stream);
		if (piece.len == 0) {
			m->slow_cnt++;
			break;
		}
		if (m->is_short || m->header.len > 0)
			m->odd_cnt++;
		m->is_short = piece.len != PIECE_MAX;
		kit_piece(m, &m->body, piece);
		break;
	case MSG_mail_header:
		m = kit_mail(u->mail_header.stream);
		if (piece.len != PIECE_MAX)
			m->odd_cnt++;
		kit_piece(m, &m->header, piece);
		break;
	case MSG_mail_commit:
		kit_commit(&u->mail_commit, piece);
		break;
	case MSG_mail_abort:
		kit_mail(u->mail_abort.stream)->is_aborted = true;
		break;
	default:
		fail_msg("the edge said %s", msg_name(type));
	}
	return OK;
}

static inline void
kit_gone(struct link *l, enum err why, void *arg)
{
	link_close(&kit.queue);
}

/* A queue that has said nothing yet but hello. */
static inline void
kit_link_silent(void)
{
	struct link_peer to_queue = { .role = ROLE_QUEUE, .block = "main" };
	struct link_peer to_edge = { .role = ROLE_EDGE, .block = "in" };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, pair), 0);
	link_close(&kit.queue);
	assert_int_equal(link_open(&kit.queue, kit.loop, pair[1], ROLE_QUEUE,
	    &to_edge, kit_hears, kit_gone, NULL), OK);
	from_queue_link(kit.edge, pair[0], &to_queue);
	kit_turn(KIT_TURNS);
}

/* The queue's wish to hear of each recipient. */
static inline void
kit_asks(bool asks)
{
	(void)link_send_queue_state(kit.queue, &(struct msg_queue_state){
	    .eightbit = 1, .asks = asks, .utf8 = QUEUE_UTF8, .binary = true });
	kit_turn(KIT_TURNS);
}

static inline void
kit_link(void)
{
	kit_link_silent();
	kit_asks(false);
}

static inline void
kit_lost(const struct link_peer *p, enum err why, void *arg)
{
	kit.lost_cnt++;
}

/* Its word about the recipient that was asked about last. */
static inline void
kit_judge(unsigned code, const char *dsn, const char *text)
{
	assert_true(kit.ask_cnt > 0);
	if (code != 250 && kit.mail_asked != NULL) {	/* it has him not */
		kit.mail_asked->rcpts[kit.mail_asked->rcpts_before] = '\0';
		kit.mail_asked->rcpt_cnt--;
	}
	kit.mail_asked = NULL;
	(void)link_send_rcpt_answer(kit.queue, &(struct msg_rcpt_answer){
	    .ask = kit.asks[(kit.ask_cnt - 1) % KIT_STREAMS],
	    .code = (uint16_t)code, .dsn = span_of(dsn),
	    .text = span_of(text) });
	kit_turn(KIT_TURNS);
}

static inline enum err
kit_vault_hears(struct link *l, unsigned type, const union msg *u,
    struct span piece, int fd, void *arg)
{
	assert_int_equal(type, MSG_login_ask);
	kit.logins[kit.login_cnt++ % KIT_STREAMS] = u->login_ask.request;
	assert_true(span_cstr(u->login_ask.user, kit.login_user,
	    sizeof(kit.login_user)));
	assert_true(span_cstr(u->login_ask.password, kit.login_password,
	    sizeof(kit.login_password)));
	assert_true(span_cstr(u->login_ask.client, kit.login_client,
	    sizeof(kit.login_client)));
	return OK;
}

static inline void
kit_vault_gone(struct link *l, enum err why, void *arg)
{
	link_close(&kit.vault);
}

/* Have users; for a client in the clear too, unless the test says no. */
static inline void
kit_users(void)
{
	struct link_peer to_vault = { .role = ROLE_USERS, .block = "staff" };
	struct link_peer to_edge = { .role = ROLE_EDGE, .block = "in" };
	bool has_tls = kit.edge->set.has_tls;
	int pair[2];

	kit.edge->set.has_users = kit.edge->set.auth_without_tls = true;
	kit.edge->set.has_tls = false;		/* of edge_tls.h: it is there */
	assert_int_equal(edge_ask_vault(kit.edge, -1), OK);
	kit.edge->set.has_tls = has_tls;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, pair), 0);
	assert_int_equal(link_open(&kit.vault, kit.loop, pair[1], ROLE_USERS,
	    &to_edge, kit_vault_hears, kit_vault_gone, NULL), OK);
	assert_int_equal(login_set_link(kit.edge->users, pair[0], ROLE_EDGE,
	    &to_vault), OK);
	kit_turn(KIT_TURNS);
}

/* The vault's word about the login that was asked about last. */
static inline void
kit_vault_says(enum login_status status)
{
	assert_true(kit.login_cnt > 0);
	(void)link_send_login_answer(kit.vault, &(struct msg_login_answer){
	    .request = kit.logins[(kit.login_cnt - 1) % KIT_STREAMS],
	    .status = (uint8_t)status });
	kit_turn(KIT_TURNS);
}

static inline void
kit_drained(void *arg)
{
	kit.is_drained = true;
}

static inline void
kit_on_room(void *arg)
{
	kit.room_cnt++;
}

static inline struct settings
kit_settings(void)
{
	return (struct settings){
		.hostname = strdup("mx.test.example"),
		.home = strdup("mx.test.example"),
		.banner = strdup("mx.test.example ESMTP"),
		.max_size = 1u << 20,
		.max_header_size = 256u << 10,
		.timeout_ms = 60000,
		.data_timeout_ms = 60000,
		.session_timeout_ms = 600000,
		.max_recipients = 100,
		.max_errors = 20,
		.max_sessions = 1000,
		.max_sessions_per_client = 10,
		.add_received = true,
	};
}

static inline void
kit_start(void)
{
	static const struct edge_calls calls = {
		kit_lost, kit_drained, kit_on_room
	};
	struct settings set = kit_settings();

	memset(&kit, 0, sizeof(kit));
	kit.fd = -1;
	assert_int_equal(ev_open(&kit.loop), OK);
	kit.tick_fd = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
	assert_int_not_equal(kit.tick_fd, -1);
	assert_int_equal(ev_init(&kit.tick, kit.loop, kit.tick_fd, EV_READ,
	    kit_tick, NULL), OK);
	assert_int_equal(edge_new(&kit.edge, kit.loop, &set, 42, &calls,
	    NULL), OK);
	kit_link();
}

static inline void
kit_hang_up(void)
{
	if (kit.fd != -1)
		close(kit.fd);
	kit.fd = -1;
}

static inline void
kit_stop(void)
{
	kit_hang_up();
	edge_free(&kit.edge);
	link_close(&kit.queue);
	link_close(&kit.vault);
	ev_fini(&kit.tick);
	close(kit.tick_fd);
	ev_close(&kit.loop);
	grow_free(&kit.heard);
	for (unsigned i = 0; i < kit.mail_cnt; i++) {
		grow_free(&kit.mails[i].header);
		grow_free(&kit.mails[i].body);
	}
}

static inline int
kit_setup(void **state)
{
	kit_start();
	return 0;
}

static inline int
kit_teardown(void **state)
{
	kit_stop();
	return 0;
}

/* What the edge has said since we asked last, as a string. */
static inline const char *
kit_hear(void)
{
	static char said[1 << 20];
	char buf[65536];
	ssize_t n;

	for (int quiet = 0; quiet < 2;) {
		kit_turn(KIT_TURNS);
		n = kit.fd == -1 ? 0 : recv(kit.fd, buf, sizeof(buf),
		    MSG_DONTWAIT);
		if (n > 0)
			assert_int_equal(grow_add(&kit.heard,
			    (struct span){ buf, (size_t)n }), OK);
		else
			quiet++;
		if (n == -1 && errno == ECONNRESET)
			kit.was_reset = true;
		if (n == 0 || kit.was_reset)
			kit.is_closed = true;
	}
	assert_true(kit.heard.len < sizeof(said));
	memcpy(said, kit.heard.ptr != NULL ? kit.heard.ptr : "",
	    kit.heard.len);
	said[kit.heard.len] = '\0';
	grow_free(&kit.heard);
	return said;
}

/* Give the edge bytes; the loop turns while its socket is full. */
static inline void
kit_give(const char *bytes, size_t len)
{
	ssize_t n;

	for (int tries = 0; len > 0 && tries < 1000; tries++) {
		n = send(kit.fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n > 0) {
			bytes += n;
			len -= (size_t)n;
			tries = 0;
		} else if (errno != EAGAIN)
			return;		/* closed, as it may be */
		else
			kit_turn(2);
	}
}

static inline void
kit_say(const char *text)
{
	kit_give(text, strlen(text));
}

static inline void
kit_connect_as(struct client_address a)
{
	unsigned cnt;
	int pair[2];

	kit_hang_up();
	kit.is_closed = false;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, pair), 0);
	kit.fd = pair[0];
	assert_int_equal(limits_enter(kit.edge->limits, &a, &cnt), OK);
	assert_int_equal(client_open(kit.edge, pair[1], &a), OK);
}

static inline void
kit_connect_from(const char *ip)
{
	struct client_address a = { .family = 4, .bytes = { 192, 0, 2, 1 } };
	int v[4];

	if (sscanf(ip, "%d.%d.%d.%d", &v[0], &v[1], &v[2], &v[3]) == 4)
		for (int i = 0; i < 4; i++)
			a.bytes[i] = (uint8_t)v[i];
	kit_connect_as(a);
}

static inline void
kit_connect(void)
{
	kit_connect_from("192.0.2.1");
}

/* Turn for so long, not sleeping. */
static inline void
kit_wait(long ms)
{
	struct timespec from, now;

	clock_gettime(CLOCK_MONOTONIC, &from);
	do {
		kit_turn(20);
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - from.tv_sec) * 1000 +
	    (now.tv_nsec - from.tv_nsec) / 1000000 < ms);
}

/* Say something and want exactly this for an answer. */
static inline void
kit_want(const char *said, const char *answer)
{
	kit_say(said);
	assert_string_equal(kit_hear(), answer);
}

/* A client that has said EHLO and been answered. */
static inline void
kit_ready(void)
{
	kit_connect();
	kit_say("EHLO client.example\r\n");
	assert_non_null(strstr(kit_hear(), "250 SIZE"));
}

#define KIT_ENVELOPE	"MAIL FROM:<a@other.example>\r\n"		\
			"RCPT TO:<v@test.example>\r\n"

/* Up to and with 354. */
static inline void
kit_data(void)
{
	kit_ready();
	kit_say(KIT_ENVELOPE "DATA\r\n");
	assert_non_null(strstr(kit_hear(), "354 "));
}

/* The codes of all final reply lines, "250 250 354 ". */
static inline const char *
kit_codes(const char *said)
{
	static char codes[65536];
	size_t len = 0;

	for (const char *p = said; *p != '\0' && len + 5 < sizeof(codes);) {
		if (strlen(p) > 3 && p[3] == ' ')
			len += (size_t)snprintf(codes + len,
			    sizeof(codes) - len, "%.3s ", p);
		p = strstr(p, "\r\n");
		if (p == NULL)
			break;
		p += 2;
	}
	codes[len] = '\0';
	return codes;
}

#endif
