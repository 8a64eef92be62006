/*
 * relay_kit - an SMTP client or a pool of them, deliveries to give it, and a
 * next hop in the same loop that does what the test tells it to, under TLS
 * where it is given a context.
 */
#ifndef TESTS_RELAY_KIT_H
#define TESTS_RELAY_KIT_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

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
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "ask/resolve.h"
#include "relay/delivery.h"
#include "relay/hop/pool.h"
#include "relay/smtp/smtp_client.h"

#define KIT_FN	static __attribute__((unused))

#define TEST_MS		30000	/* a test that takes longer hangs */
#define SEEN_MAX	(1 << 21)
#define RULES_MAX	8

/* The next hop. */

struct rule {			/* the nth command that begins so, from 1 */
	const char	*begin;
	unsigned	 nth;	/* 0 each				*/
	const char	*reply;	/* NULL close without one		*/
};

struct hop {
	struct ev_loop	*loop;
	int		 listen_fd, fd;
	struct ev	 listen_ev, ev;
	struct timer	 drip;
	bool		 drips;		/* replies byte by byte		*/
	bool		 closes_after;	/* each reply to the text	*/
	const char	*greeting, *ehlo;
	struct rule	 rules[RULES_MAX];
	unsigned	 hits[RULES_MAX];
	char		 in[8192];
	size_t		 in_len;
	char		 out[65536];
	size_t		 out_len;
	bool		 in_text;
	size_t		 chunk;		/* octets of a BDAT LAST to come */
	char		*seen;		/* all we got, as it came	*/
	size_t		 seen_len;
	unsigned	 reads;		/* in which commands came	*/
	unsigned	 connections;
	bool		 is_lmtp;	/* answers the end once for each... */
	unsigned	 rcpt_cnt;	/* ... recipient taken		*/
	SSL_CTX		*tls;		/* NULL: STARTTLS is unknown	*/
	SSL		*ssl;		/* NULL: in the clear		*/
	bool		 tls_at_once;	/* without STARTTLS		*/
	bool		 tls_is_next;	/* when what is to say is said	*/
	const char	*garbage;	/* said in place of a handshake */
	bool		 is_slow;	/* reads little at a time	*/
	struct timer	 pause;
};

/* One test: a hop, a client or pool, deliveries and what became of them. */
struct bench {
	struct ev_loop	*loop;
	struct hop	 hop;
	struct timer	 alarm;
	bool		 is_late;
	struct smtp_client_target target;
	struct smtp_client *client;
	struct resolve	*resolve;
	struct pool	*pool;
	struct delivery	*deliveries[20];
	unsigned	 delivery_cnt, given_cnt, finished_cnt;
	unsigned	 back_cnt, gone_cnt, ready_cnt;
	bool		 has_why;
	struct verdict	 why;
	char		 why_text[REPLY_TEXT_MAX + 1];
	const char	*header, *body;
	size_t		 body_len;
	bool		 has_no_text;	/* pulls are not answered	*/
	unsigned	 pieces_have;	/* 0: all; else of the body so many,
					 * then the queue gives it up	*/
	struct timer	 give_up;
	struct delivery	*given_up;
};

static struct bench *bench;	/* of the running test */

static void	hop_accept(struct ev *, unsigned, void *);

KIT_FN void
hop_hang_up(struct hop *h)
{
	ev_fini(&h->ev);
	timer_stop(&h->drip);
	timer_stop(&h->pause);
	SSL_free(h->ssl);
	h->ssl = NULL;
	h->tls_is_next = false;
	if (h->fd != -1)
		close(h->fd);
	h->fd = -1;
	h->in_len = h->out_len = h->chunk = 0;
	h->in_text = false;
}

KIT_FN void
hop_note(struct hop *h, const char *bytes, size_t len)
{
	if (h->seen_len + len >= SEEN_MAX)
		return;
	memcpy(h->seen + h->seen_len, bytes, len);
	h->seen_len += len;
	h->seen[h->seen_len] = '\0';
}

KIT_FN void
hop_begin_tls(struct hop *h)
{
	h->tls_is_next = false;
	h->ssl = SSL_new(h->tls);
	assert_non_null(h->ssl);
	assert_int_equal(SSL_set_fd(h->ssl, h->fd), 1);
	SSL_set_accept_state(h->ssl);
	hop_note(h, "<TLS>", 5);
}

KIT_FN void
hop_drip(struct timer *t, void *arg)
{
	struct hop *h = arg;
	size_t n = h->drips && t != NULL ? 1 : h->out_len;

	if (h->out_len == 0)
		return;
	if (h->ssl != NULL && !SSL_is_init_finished(h->ssl))
		return;
	if (h->ssl != NULL)
		(void)!SSL_write(h->ssl, h->out, (int)n);
	else
		(void)!send(h->fd, h->out, n, MSG_NOSIGNAL);
	memmove(h->out, h->out + n, h->out_len - n);
	h->out_len -= n;
	if (h->out_len > 0)
		timer_set(&h->drip, 0);
	else if (h->tls_is_next)
		hop_begin_tls(h);
}

KIT_FN void
hop_say(struct hop *h, const char *text)
{
	size_t len = strlen(text);

	assert_true(h->out_len + len + 2 <= sizeof(h->out));
	memcpy(h->out + h->out_len, text, len);
	memcpy(h->out + h->out_len + len, "\r\n", 2);
	h->out_len += len + 2;
	timer_set(&h->drip, 0);
}

/* True when a rule was there for it. */
KIT_FN bool
hop_follow_rule(struct hop *h, const char *line)
{
	for (unsigned i = 0; i < RULES_MAX && h->rules[i].begin != NULL; i++) {
		const struct rule *r = &h->rules[i];

		if (strncmp(line, r->begin, strlen(r->begin)) != 0)
			continue;
		if (++h->hits[i] != r->nth && r->nth != 0)
			continue;
		if (r->reply != NULL && strncmp(line, "RCPT", 4) == 0)
			h->rcpt_cnt += r->reply[0] == '2';
		if (r->reply == NULL) {
			hop_drip(NULL, h);
			hop_hang_up(h);
		} else {
			hop_say(h, r->reply);
		}
		h->in_text = r->reply != NULL &&
		    strncmp(r->reply, "354", 3) == 0;
		return true;
	}
	return false;
}

KIT_FN void
hop_command(struct hop *h, const char *line)
{
	if (hop_follow_rule(h, line))
		return;
	if (strncmp(line, h->is_lmtp ? "LHLO" : "EHLO", 4) == 0) {
		hop_say(h, h->ehlo);
	} else if (strcmp(line, "STARTTLS") == 0 && h->tls != NULL) {
		hop_say(h, "220 2.0.0 Go on");
		h->tls_is_next = true;
	} else if (strcmp(line, "DATA") == 0) {
		hop_say(h, "354 Go on");
		h->in_text = true;
	} else if (sscanf(line, "BDAT %zu LAST", &h->chunk) == 1) {
		return;		/* answered at its end */
	} else if (strcmp(line, "QUIT") == 0) {
		hop_say(h, "221 2.0.0 Bye");
	} else {
		if (strncmp(line, "MAIL", 4) == 0)
			h->rcpt_cnt = 0;
		if (strncmp(line, "RCPT", 4) == 0)
			h->rcpt_cnt++;
		hop_say(h, "250 2.0.0 Fine");
	}
}

KIT_FN void
hop_end_text(struct hop *h)
{
	unsigned cnt = h->is_lmtp ? h->rcpt_cnt : 1;

	for (unsigned i = 0; i < cnt && h->fd != -1; i++)
		if (!hop_follow_rule(h, "."))
			hop_say(h, "250 2.6.0 Taken as 42");
}

KIT_FN void
hop_line(struct hop *h, char *line)
{
	if (!h->in_text) {
		hop_command(h, line);
	} else if (strcmp(line, ".") == 0) {
		h->in_text = false;
		hop_end_text(h);
		if (h->closes_after) {
			h->drips = false;
			hop_drip(NULL, h);
			hop_hang_up(h);
		}
	}
}

/* Bytes got, 0 at the end, -1 later. */
KIT_FN ssize_t
hop_get(struct hop *h, char *buf, size_t cap)
{
	int n;

	if (h->ssl == NULL)
		return recv(h->fd, buf, cap, MSG_DONTWAIT);
	n = SSL_read(h->ssl, buf, (int)cap);
	if (n > 0)
		return n;
	n = SSL_get_error(h->ssl, n);
	ERR_clear_error();
	if (SSL_is_init_finished(h->ssl) && h->out_len > 0)
		timer_set(&h->drip, 0);
	return n == SSL_ERROR_WANT_READ || n == SSL_ERROR_WANT_WRITE ? -1 : 0;
}

KIT_FN void
hop_lines(struct hop *h)
{
	char *end, *at = h->in;

	while (h->fd != -1 && h->chunk > 0 && h->in_len > 0) {
		size_t n = h->chunk < h->in_len ? h->chunk : h->in_len;

		h->in_len -= n;
		memmove(h->in, h->in + n, h->in_len);
		if ((h->chunk -= n) == 0)
			hop_end_text(h);
	}
	while (h->fd != -1 && !h->tls_is_next && h->chunk == 0 &&
	    (end = memmem(at, h->in_len, "\r\n", 2)) != NULL) {
		*end = '\0';
		h->in_len -= (size_t)(end + 2 - at);
		hop_line(h, at);
		at = end + 2;
	}
	if (h->chunk > 0 && h->in_len > 0) {
		memmove(h->in, at, h->in_len);
		hop_lines(h);
		return;
	}
	if (h->fd == -1)
		return;
	if (h->in_len == sizeof(h->in) - 1)
		h->in_len = 0;		/* one endless line of text */
	memmove(h->in, at, h->in_len);
}

KIT_FN void
hop_wake(struct timer *t, void *arg)
{
	struct hop *h = arg;

	ev_want(&h->ev, EV_READ);
}

KIT_FN void
hop_read(struct ev *ev, unsigned what, void *arg)
{
	struct hop *h = arg;
	size_t room = h->is_slow ? 3000 : sizeof(h->in);
	ssize_t n;

	do {
		if (room > sizeof(h->in) - h->in_len - 1)
			room = sizeof(h->in) - h->in_len - 1;
		n = hop_get(h, h->in + h->in_len, room);
		if (n == -1 && h->ssl != NULL)
			return;
		if (n <= 0) {
			hop_hang_up(h);
			return;
		}
		if (!h->in_text)
			h->reads++;
		if (h->garbage != NULL && h->in[0] == 0x16) {
			hop_say(h, h->garbage);
			return;
		}
		hop_note(h, h->in + h->in_len, (size_t)n);
		h->in_len += (size_t)n;
		hop_lines(h);
	} while (h->ssl != NULL && SSL_pending(h->ssl) > 0);
	if (h->is_slow && h->fd != -1) {
		ev_want(&h->ev, 0);
		timer_set(&h->pause, 1);
	}
}

KIT_FN void
hop_take(struct hop *h, int fd)
{
	hop_hang_up(h);
	h->fd = fd;
	if (h->connections++ > 0)
		hop_note(h, "<AGAIN>", 7);
	assert_int_equal(ev_init(&h->ev, h->loop, fd, EV_READ, hop_read, h),
	    OK);
	if (h->tls_at_once)
		hop_begin_tls(h);
	if (h->greeting != NULL)
		hop_say(h, h->greeting);
}

KIT_FN void
hop_accept(struct ev *ev, unsigned what, void *arg)
{
	struct hop *h = arg;
	int fd = accept4(h->listen_fd, NULL, NULL, SOCK_NONBLOCK);

	assert_int_not_equal(fd, -1);
	hop_take(h, fd);
}

/* The deliveries. */

KIT_FN void
orphan(struct timer *t, void *arg)
{
	struct bench *b = arg;

	delivery_orphan(b->given_up);
}

KIT_FN void
pull(struct delivery *d, enum part part, uint32_t piece_no)
{
	const char *text = part == PART_HEADER ? bench->header : bench->body;
	size_t len = part == PART_HEADER ? strlen(bench->header) :
	    bench->body_len;
	struct span s = span_head(span_tail((struct span){ text, len },
	    (size_t)piece_no * PIECE_MAX), PIECE_MAX);

	if (part == PART_BODY && bench->pieces_have > 0 &&
	    piece_no >= bench->pieces_have) {
		bench->given_up = d;	/* soon, when the rest is out */
		timer_set(&bench->give_up, 20);
	} else if (!bench->has_no_text)
		assert_int_equal(delivery_add_piece(d, part, piece_no,
		    PIECE_NEXT, s), OK);
}

KIT_FN void
finished(struct delivery *d)
{
	bench->finished_cnt++;
	if (bench->finished_cnt == bench->delivery_cnt)
		ev_stop(bench->loop);
}

static void
back(struct delivery *d, enum back why)
{
	fail_msg("a delivery came back: %d", (int)why);
}

static const struct delivery_calls delivery_calls = {
	.pull = pull, .finished = finished, .back = back,
};

KIT_FN struct delivery *
add_delivery(unsigned flags, const char *sender, const char *rcpts)
{
	struct msg_delivery_open m = {
		.delivery = bench->delivery_cnt, .flags = (uint8_t)flags,
		.header_len = strlen(bench->header),
		.body_len = bench->body_len, .sender = span_of(sender),
		.rcpt_cnt = 1, .deadline_ms = BUS_NO_DEADLINE,
	};
	struct span left = span_of(rcpts);
	struct delivery *d;

	for (size_t i = 0; i < left.len; i++)
		m.rcpt_cnt += left.ptr[i] == ' ';
	d = delivery_new(&m, &delivery_calls, NULL);
	assert_non_null(d);
	while (left.len > 0) {
		size_t len = span_find(left, ' ');

		assert_int_equal(delivery_add_rcpt(d, d->rcpt_have + 100,
		    span_head(left, len)), OK);
		left = span_tail(left, len + 1);
	}
	bench->deliveries[bench->delivery_cnt++] = d;
	return d;
}

/* The client. */

KIT_FN void
is_ready(void *arg)
{
	struct bench *b = arg;
	struct smtp_client *c = b->client;

	b->ready_cnt++;
	while (smtp_client_is_free(c) && b->given_cnt < b->delivery_cnt)
		smtp_client_deliver(c, b->deliveries[b->given_cnt++]);
}

KIT_FN void
is_back(struct delivery *d, void *arg)
{
	struct bench *b = arg;

	b->back_cnt++;
}

KIT_FN void
is_gone(const struct verdict *why, struct span hop, void *arg)
{
	struct bench *b = arg;

	b->gone_cnt++;
	b->has_why = why != NULL;
	if (why != NULL) {
		b->why = *why;
		(void)span_cstr(why->text, b->why_text, sizeof(b->why_text));
		b->why.text = span_of(b->why_text);
	}
	smtp_client_free(&b->client);
	ev_stop(b->loop);
}

static const struct hop_calls client_calls = {
	is_ready, is_back, is_gone
};

KIT_FN void
too_late(struct timer *t, void *arg)
{
	struct bench *b = arg;

	b->is_late = true;
	ev_stop(b->loop);
}

KIT_FN void
run(struct bench *b)
{
	timer_set(&b->alarm, TEST_MS);
	assert_int_equal(ev_run(b->loop), OK);
	timer_stop(&b->alarm);
	assert_false(b->is_late);
}

KIT_FN void
connect_client(struct bench *b)
{
	int fds[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    fds), 0);
	b->client = smtp_client_new(b->loop, NULL, &b->target, &client_calls,
	    b);
	assert_non_null(b->client);
	hop_take(&b->hop, fds[1]);
	smtp_client_start_on(b->client, fds[0], SPAN("hop[127.0.0.1]:25"));
}

/* Everything as usual, until a test says otherwise. */
KIT_FN int
set_up(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));

	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	bench = b;
	*state = b;
	if (sigaction(SIGPIPE, &ignore, NULL) == -1)
		return -1;
	if (ev_open(&b->loop) != OK)
		return -1;
	timer_init(&b->alarm, b->loop, too_late, b);
	timer_init(&b->give_up, b->loop, orphan, b);
	b->hop.loop = b->loop;
	b->hop.fd = b->hop.listen_fd = -1;
	b->hop.greeting = "220 hop.example ESMTP";
	b->hop.ehlo = "250-hop.example\r\n250-PIPELINING\r\n250-SIZE 100000\r\n"
	    "250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n250 SMTPUTF8";
	b->hop.seen = calloc(1, SEEN_MAX);
	timer_init(&b->hop.drip, b->loop, hop_drip, &b->hop);
	timer_init(&b->hop.pause, b->loop, hop_wake, &b->hop);
	b->target.ehlo_as = SPAN("me.example");
	b->target.dial.families = RESOLVE_BOTH;
	b->target.command_ms = b->target.data_ms = b->target.done_ms = 2000;
	b->header = "Subject: x\r\n\r\n";
	b->body = "Hello\r\n";
	b->body_len = 7;
	return 0;
}

KIT_FN int
tear_down(void **state)
{
	struct bench *b = *state;

	smtp_client_free(&b->client);
	timer_stop(&b->give_up);
	pool_close(&b->pool);
	if (b->resolve != NULL)
		resolve_close(&b->resolve);
	hop_hang_up(&b->hop);
	ev_fini(&b->hop.listen_ev);
	if (b->hop.listen_fd != -1)
		close(b->hop.listen_fd);
	for (unsigned i = 0; i < b->delivery_cnt; i++)
		delivery_free(&b->deliveries[i]);
	free(b->hop.seen);
	ev_close(&b->loop);
	free(b);
	return 0;
}

KIT_FN void
want_outcome(const struct delivery *d, uint32_t i, enum outcome_class class,
    enum outcome_scope scope, enum stage stage, unsigned code)
{
	const struct outcome *o = d->rcpts[i].outcome;

	assert_non_null(o);
	if (o->verdict.code != code)
		print_error("reply: %.*s\n", (int)o->verdict.text.len,
		    o->verdict.text.ptr);
	assert_int_equal(o->verdict.code, code);
	assert_int_equal(o->verdict.class, class);
	assert_int_equal(o->verdict.scope, scope);
	assert_int_equal(o->verdict.stage, stage);
}

KIT_FN void
want_done(const struct delivery *d, uint32_t i)
{
	want_outcome(d, i, CLASS_DONE, SCOPE_RECIPIENT, STAGE_BODY, 250);
}

/* The pool, over loopback. */

KIT_FN void
open_pool(struct bench *b, unsigned connections, bool listens)
{
	const struct pool_limits limits = {
		.connections = connections, .idle_ms = 1000,
	};
	struct sockaddr_in a = { .sin_family = AF_INET };
	socklen_t len = sizeof(a);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	b->hop.listen_fd = fd;
	if (listens) {
		assert_int_equal(listen(fd, 10), 0);
		assert_int_equal(ev_init(&b->hop.listen_ev, b->loop, fd,
		    EV_READ, hop_accept, &b->hop), OK);
	}
	if (b->target.dial.host.len == 0)
		b->target.dial.host = SPAN("127.0.0.1");
	b->target.dial.port = ntohs(a.sin_port);
	b->target.dial.connect_ms = 1000;
	b->target.dial.private_too = true;	/* all is on loopback	*/
	assert_int_equal(resolve_open(&b->resolve, b->loop, NULL, NULL), OK);
	assert_int_equal(pool_open(&b->pool, b->loop, b->resolve,
	    &smtp_client_hop, &b->target, &limits), OK);
	for (unsigned i = 0; i < b->delivery_cnt; i++)
		pool_take(b->pool, b->deliveries[i]);
}

#endif
