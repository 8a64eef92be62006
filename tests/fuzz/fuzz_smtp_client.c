/*
 * fuzz_smtp_client.c - the whole client against a next hop's bytes.
 *
 * The first byte says what the client is asked for; the rest is what the next
 * hop says, a piece a turn, cut at each 0xff; then it hangs up.  Whatever
 * comes, each delivery ends once, and nobody is delivered to before the end of
 * the text has gone out.
 *
 * room: relay
 */
#include <sys/socket.h>

#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "relay/smtp/smtp_client.h"

#define WITH_LMTP	0x01u
#define WITH_LOGIN	0x02u
#define WITH_TLS	0x04u
#define AT_ONCE		0x08u
#define WITH_VERIFIED	0x10u
#define WITH_8BIT	0x20u

#define DELIVERIES	2
#define HANG_MS		5000

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct world {
	struct ev_loop	*loop;
	struct smtp_client_target target;
	struct smtp_client *client;
	struct delivery	*deliveries[DELIVERIES];
	unsigned	 given_cnt, over_cnt, end_cnt;
	int		 fd;		/* the next hop's end		*/
	struct ev	 ev;
	struct timer	 turn, alarm;
	struct span	 words;
	unsigned	 dot_state;	/* of "\r\n.\r\n"		*/
	bool		 has_text;
};

static struct world w;
static struct tls_client *tls_client;

/* The next hop. */

static void
look_for_end(const char *buf, ssize_t n)
{
	static const char end[] = "\r\n.\r\n";

	for (ssize_t i = 0; i < n; i++) {
		if (buf[i] == end[w.dot_state])
			w.dot_state++;
		else
			w.dot_state = buf[i] == '\r';
		if (w.dot_state == sizeof(end) - 1) {
			w.has_text = true;
			w.dot_state = 2;
		}
	}
}

/* All that was said so far; false at the end. */
static bool
listens(void)
{
	char buf[4096];
	ssize_t n = 1;

	while (w.fd != -1 && n > 0) {
		n = recv(w.fd, buf, sizeof(buf), MSG_DONTWAIT);
		look_for_end(buf, n);
	}
	return n == -1;
}

static void
hang_up(void)
{
	(void)listens();
	timer_stop(&w.turn);
	ev_fini(&w.ev);
	if (w.fd != -1)
		close(w.fd);
	w.fd = -1;
}

static void
hears(struct ev *ev, unsigned what, void *arg)
{
	if (!listens())
		hang_up();
}

static void
pull(struct delivery *d, enum part part, uint32_t piece_no)
{
	struct span text = part == PART_HEADER ?
	    SPAN("Subject: x\r\n\r\n") : SPAN("one\r\n.two\r\n");

	if (delivery_add_piece(d, part, piece_no, PIECE_NEXT, text) != OK)
		abort();
}

static void
finished(struct delivery *d)
{
	w.over_cnt++;
	(void)listens();
	for (uint32_t i = 0; i < d->rcpt_cnt; i++)
		if (d->rcpts[i].outcome != NULL && !w.has_text &&
		    d->rcpts[i].outcome->verdict.class == CLASS_DONE)
			abort();
}

/* One connection has nobody else to give it to. */
static void
back(struct delivery *d, enum back why)
{
	abort();
}

static const struct delivery_calls delivery_calls = {
	.pull = pull, .finished = finished, .back = back,
};

static void
on_ready(void *arg)
{
	struct smtp_client *c = w.client;

	while (smtp_client_is_free(c) && w.given_cnt < DELIVERIES)
		smtp_client_deliver(c, w.deliveries[w.given_cnt++]);
	if (smtp_client_is_free(c))
		smtp_client_quit(c);
}

static void
on_return(struct delivery *d, void *arg)
{
	w.over_cnt++;
}

static void
on_gone(const struct verdict *why, struct span hop, void *arg)
{
	if (w.end_cnt++ > 0 || w.over_cnt != w.given_cnt)
		abort();
	if (why != NULL && (why->class != CLASS_LATER ||
	    why->text.len > REPLY_TEXT_MAX))
		abort();
	smtp_client_free(&w.client);
	ev_stop(w.loop);
}

static const struct hop_calls client_calls = {
	on_ready, on_return, on_gone
};

static void
speaks(struct timer *t, void *arg)
{
	size_t len = span_find(w.words, '\xff');

	if (w.words.len == 0) {
		hang_up();
		return;
	}
	(void)!send(w.fd, w.words.ptr, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	w.words = span_tail(w.words, len + 1);
	timer_set(&w.turn, 0);
}

static void
hangs(struct timer *t, void *arg)
{
	abort();
}

static void
set_target(unsigned flags)
{
	w.target.ehlo_as = SPAN("me.example");
	w.target.command_ms = w.target.data_ms = w.target.done_ms =
	    500;
	w.target.dial.host = SPAN("hop.example");
	w.target.is_lmtp = flags & WITH_LMTP;
	if (flags & WITH_LOGIN)
		w.target.login = (struct hop_login){ SPAN("ann"),
			SPAN("secret") };
	w.target.tls.client = tls_client;
	if (flags & WITH_TLS)
		w.target.tls.policy.security = flags & WITH_VERIFIED ?
		    TLS_VERIFIED : TLS_OPPORTUNISTIC;
	w.target.tls.policy.immediately = flags & WITH_TLS && flags & AT_ONCE;
}

static void
add_delivery(unsigned no, unsigned flags)
{
	const struct msg_delivery_open m = {
		.deadline_ms = BUS_NO_DEADLINE,
		.delivery = no, .header_len = 14, .body_len = 11,
		.flags = flags & WITH_8BIT ? MAIL_8BIT : 0,
		.body = (flags & (WITH_8BIT | WITH_LOGIN)) == (WITH_8BIT |
		    WITH_LOGIN) ? BODY_BINARYMIME : BODY_7BIT,
		.sender = SPAN("s@a.example"), .rcpt_cnt = 3,
	};
	struct delivery *d = delivery_new(&m, &delivery_calls, NULL);

	if (d == NULL || delivery_add_rcpt(d, 0, SPAN("a@b.example")) != OK ||
	    delivery_add_rcpt(d, 1, SPAN("b@b.example")) != OK ||
	    delivery_add_rcpt(d, 2, SPAN("c@b.example")) != OK)
		abort();
	w.deliveries[no] = d;
}

static void
begin(void)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };

	if (tls_client != NULL)
		return;
	if (sigaction(SIGPIPE, &ignore, NULL) == -1 ||
	    tls_client_open(&tls_client, -1) != OK)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	unsigned flags = len > 0 ? bytes[0] : 0;
	int fds[2];

	begin();
	memset(&w, 0, sizeof(w));
	if (len > 0)
		w.words = (struct span){ (const char *)bytes + 1, len - 1 };
	if (ev_open(&w.loop) != OK ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds) == -1)
		abort();
	set_target(flags);
	for (unsigned i = 0; i < DELIVERIES; i++)
		add_delivery(i, flags);
	w.fd = fds[1];
	timer_init(&w.turn, w.loop, speaks, NULL);
	timer_init(&w.alarm, w.loop, hangs, NULL);
	timer_set(&w.turn, 0);
	timer_set(&w.alarm, HANG_MS);
	w.client = smtp_client_new(w.loop, NULL, &w.target, &client_calls,
	    NULL);
	if (w.client == NULL ||
	    ev_init(&w.ev, w.loop, w.fd, EV_READ, hears, NULL) != OK)
		abort();
	smtp_client_start_on(w.client, fds[0], SPAN("hop"));
	if (ev_run(w.loop) != OK || w.end_cnt != 1)
		abort();
	timer_stop(&w.alarm);
	hang_up();
	for (unsigned i = 0; i < DELIVERIES; i++)
		delivery_free(&w.deliveries[i]);
	ev_close(&w.loop);
	return 0;
}
