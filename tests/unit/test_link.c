/*
 * test_link - two ends of a link in one loop, and an end that misbehaves.
 */
#include <sys/socket.h>
#include <sys/stat.h>

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/limits.h"
#include "bus/build.h"
#include "bus/link.h"

#define FULL_PIECES	10000
#define AHEAD		8	/* pieces the test lets be under way */

struct end {
	struct link	*link;
	struct world	*w;
	unsigned	 msgs;		/* that came			*/
	unsigned	 last_type;
	uint64_t	 next;		/* stream number expected	*/
	unsigned	 gone;
	enum err	 why;
	enum err	 verdict;	/* what our handler returns	*/
	bool		 closes;	/* in the handler		*/
	int		 fd;		/* that came			*/
};

struct world {
	struct ev_loop	*loop;
	struct end	 edge, queue;
	int		 raw;		/* the queue's peer, by hand	*/
	uint64_t	 sent, credit;
	struct timer	 end;
};

static char piece_bytes[PIECE_MAX + 1];

static enum err
take(struct end *e, unsigned type, int fd)
{
	e->msgs++;
	e->last_type = type;
	e->fd = fd;
	if (e->closes)
		link_close(&e->link);
	return e->verdict;
}

static enum err
on_msg(struct link *l, unsigned type, const union msg *m, struct span piece,
    int fd, void *arg)
{
	struct end *e = arg;

	if (type == MSG_mail_abort)
		assert_true(m->mail_abort.stream == e->next++);
	if (type == MSG_mail_body) {
		assert_true(m->mail_body.stream == e->next++);
		assert_true(piece.len <= PIECE_MAX);
		if (piece.len > 0)
			assert_memory_equal(piece.ptr, piece_bytes, piece.len);
	}
	return take(e, type, fd);
}

static void
on_gone(struct link *l, enum err why, void *arg)
{
	struct end *e = arg;

	e->gone++;
	e->why = why;
	link_close(&e->link);
}

static void
end_now(struct timer *t, void *arg)
{
	struct world *w = arg;

	ev_stop(w->loop);
}

static void
run(struct world *w, int64_t ms)
{
	timer_set(&w->end, ms);
	assert_int_equal(ev_run(w->loop), OK);
}

static void
open_loop(struct world *w)
{
	*w = (struct world){ .raw = -1 };
	w->edge.fd = w->queue.fd = -1;
	assert_int_equal(ev_open(&w->loop), OK);
	timer_init(&w->end, w->loop, end_now, w);
}

static void
open_end(struct end *e, struct world *w, int fd, enum role mine,
    enum role other)
{
	struct link_peer peer = { .role = other, .block = "x", .no = 7 };

	e->w = w;
	assert_int_equal(link_open(&e->link, w->loop, fd, mine, &peer, on_msg,
	    on_gone, e), OK);
}

static void
make_pair(int ends[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0, ends), 0);
}

/* An edge and a queue. */
static void
open_pair(struct world *w)
{
	int ends[2];

	open_loop(w);
	make_pair(ends);
	open_end(&w->edge, w, ends[0], ROLE_EDGE, ROLE_QUEUE);
	open_end(&w->queue, w, ends[1], ROLE_QUEUE, ROLE_EDGE);
}

/* A queue whose edge is the test itself. */
static void
open_raw(struct world *w, enum role peer)
{
	int ends[2];

	open_loop(w);
	make_pair(ends);
	w->raw = ends[0];
	open_end(&w->queue, w, ends[1], ROLE_QUEUE, peer);
}

static void
close_world(struct world *w)
{
	link_close(&w->edge.link);
	link_close(&w->queue.link);
	if (w->raw != -1)
		close(w->raw);
	timer_stop(&w->end);
	ev_close(&w->loop);
}

/* Frames by hand. */

static size_t
put_frame(uint8_t *buf, size_t cap, unsigned type, const void *m)
{
	struct wire_out w = { buf + 8, 0, cap - 8, false };
	struct wire_out head = { buf, 0, 8, false };

	msg_put(&w, type, m);
	wire_u16(&head, (uint16_t)type);
	wire_u16(&head, 0);
	wire_u32(&head, (uint32_t)w.len);
	assert_false(w.bad || head.bad);
	return 8 + w.len;
}

/* As put_frame() has it, with so much of a piece behind it. */
static void
set_piece(uint8_t *frame, size_t len)
{
	frame[2] = (uint8_t)len;
	frame[3] = (uint8_t)(len >> 8);
}

static void
send_bytes(struct world *w, const void *bytes, size_t len)
{
	assert_int_equal(send(w->raw, bytes, len, MSG_NOSIGNAL), len);
}

static void
say(struct world *w, unsigned type, const void *m)
{
	uint8_t buf[4096];

	send_bytes(w, buf, put_frame(buf, sizeof(buf), type, m));
}

static void
say_hello(struct world *w)
{
	say(w, MSG_hello, &(struct msg_hello){ BUS_VERSION,
	    span_of(build_id()) });
}

static void
say_fds(struct world *w, unsigned type, const void *m, const int *fds,
    size_t cnt)
{
	union {
		struct cmsghdr	 align;
		char		 bytes[CMSG_SPACE(4 * sizeof(int))];
	} room = { 0 };
	uint8_t buf[4096];
	struct iovec iov = { buf, put_frame(buf, sizeof(buf), type, m) };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = room.bytes,
	    .msg_controllen = CMSG_SPACE(cnt * sizeof(int)) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&h);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(cnt * sizeof(int));
	memcpy(CMSG_DATA(c), fds, cnt * sizeof(int));
	assert_true(sendmsg(w->raw, &h, MSG_NOSIGNAL) > 0);
}

static unsigned
open_fds(void)
{
	DIR *d = opendir("/proc/self/fd");
	unsigned cnt = 0;

	assert_non_null(d);
	while (readdir(d) != NULL)
		cnt++;
	closedir(d);
	return cnt;
}

static void
want_dropped(struct world *w, enum err why)
{
	run(w, 10);
	assert_int_equal(w->queue.gone, 1);
	assert_int_equal(w->queue.why, why);
	assert_null(w->queue.link);
}

/* Two honest ends. */

static void
order_is_kept_whatever_the_size(void **state)
{
	struct world w;

	open_pair(&w);
	for (uint64_t i = 0; i < 600; i++) {
		struct span piece = { piece_bytes, i * 997 % PIECE_MAX };

		if (i % 3 == 0)
			assert_int_equal(link_send_mail_abort(w.edge.link,
			    &(struct msg_mail_abort){ i }), OK);
		else
			assert_int_equal(link_send_mail_body(w.edge.link,
			    &(struct msg_mail_body){ i }, piece), OK);
	}
	for (int i = 0; i < 100 && w.queue.msgs < 600; i++)
		run(&w, 10);
	assert_int_equal(w.queue.msgs, 600);
	assert_int_equal(link_unsent(w.edge.link), 0);
	assert_int_equal(w.edge.gone + w.queue.gone, 0);
	close_world(&w);
}

static void
pump(struct world *w)
{
	static const struct span full = { piece_bytes, PIECE_MAX };

	while (w->credit > 0 && w->sent < FULL_PIECES) {
		w->credit--;
		assert_int_equal(link_send_mail_body(w->edge.link,
		    &(struct msg_mail_body){ w->sent++ }, full), OK);
	}
}

static enum err
edge_credit(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	struct end *e = arg;

	assert_int_equal(type, MSG_mail_credit);
	e->msgs++;
	e->w->credit += m->mail_credit.pieces;
	pump(e->w);
	return OK;
}

static enum err
queue_body(struct link *l, unsigned type, const union msg *m,
    struct span piece, int fd, void *arg)
{
	struct end *e = arg;

	assert_true(m->mail_body.stream == e->next++);
	assert_int_equal(piece.len, PIECE_MAX);
	if (++e->msgs == FULL_PIECES)
		ev_stop(e->w->loop);
	return link_send_mail_credit(l, &(struct msg_mail_credit){ 0, 1 });
}

static void
ten_thousand_full_pieces_flow_with_credit(void **state)
{
	static const struct link_peer edge = { .role = ROLE_EDGE };
	static const struct link_peer queue = { .role = ROLE_QUEUE };
	struct world w;
	int ends[2];

	open_loop(&w);
	make_pair(ends);
	w.edge.w = w.queue.w = &w;
	assert_int_equal(link_open(&w.edge.link, w.loop, ends[0], ROLE_EDGE,
	    &queue, edge_credit, on_gone, &w.edge), OK);
	assert_int_equal(link_open(&w.queue.link, w.loop, ends[1], ROLE_QUEUE,
	    &edge, queue_body, on_gone, &w.queue), OK);
	w.credit = AHEAD;
	pump(&w);
	run(&w, 60000);
	assert_int_equal(w.queue.msgs, FULL_PIECES);
	assert_int_equal(w.edge.gone + w.queue.gone, 0);
	close_world(&w);
}

/* More than the socket takes waits in order and is not lost. */
static void
what_the_kernel_does_not_take_waits(void **state)
{
	static const struct span full = { piece_bytes, PIECE_MAX };
	struct world w;

	open_pair(&w);
	for (uint64_t i = 0; i < 300; i++)
		assert_int_equal(link_send_mail_body(w.edge.link,
		    &(struct msg_mail_body){ i }, full), OK);
	link_flush(w.edge.link);
	assert_true(link_unsent(w.edge.link) > 100 * PIECE_MAX);
	for (int i = 0; i < 100 && w.queue.msgs < 300; i++)
		run(&w, 10);
	assert_int_equal(w.queue.msgs, 300);
	close_world(&w);
}

static void
a_queue_over_its_ceiling_ends_the_link(void **state)
{
	static const struct span full = { piece_bytes, PIECE_MAX };
	enum err e = OK;
	struct world w;

	open_pair(&w);
	link_set_queue_max(w.edge.link, 10 * PIECE_MAX);
	for (uint64_t i = 0; i < 100 && e == OK; i++)
		e = link_send_mail_body(w.edge.link,
		    &(struct msg_mail_body){ i }, full);
	assert_int_equal(e, ERR_FULL);
	assert_int_equal(w.edge.gone, 0);	/* not inside our call */
	assert_int_equal(link_send_mail_abort(w.edge.link,
	    &(struct msg_mail_abort){ 0 }), ERR_CLOSED);
	run(&w, 10);
	assert_int_equal(w.edge.gone, 1);
	assert_int_equal(w.edge.why, ERR_FULL);
	close_world(&w);
}

static void
what_was_sent_before_the_end_arrives(void **state)
{
	struct world w;

	open_pair(&w);
	run(&w, 5);
	for (uint64_t i = 0; i < 20; i++)
		assert_int_equal(link_send_mail_abort(w.edge.link,
		    &(struct msg_mail_abort){ i }), OK);
	link_flush(w.edge.link);
	/* Something of ours is left unread there when it closes. */
	assert_int_equal(link_send_mail_taken(w.queue.link,
	    &(struct msg_mail_taken){ .stream = 1 }), OK);
	link_flush(w.queue.link);
	link_close(&w.edge.link);
	assert_null(w.edge.link);
	run(&w, 20);
	assert_int_equal(w.queue.msgs, 20);
	assert_int_equal(w.queue.gone, 1);
	assert_int_equal(w.queue.why, ERR_CLOSED);
	close_world(&w);
}

static void
a_handler_may_close_its_link(void **state)
{
	struct world w;

	open_pair(&w);
	w.queue.closes = true;
	for (uint64_t i = 0; i < 20; i++)
		assert_int_equal(link_send_mail_abort(w.edge.link,
		    &(struct msg_mail_abort){ i }), OK);
	run(&w, 20);
	assert_int_equal(w.queue.msgs, 1);
	assert_int_equal(w.queue.gone, 0);
	assert_int_equal(w.edge.why, ERR_CLOSED);
	close_world(&w);
}

static void
a_handler_that_objects_ends_the_link(void **state)
{
	struct world w;

	open_pair(&w);
	w.queue.verdict = ERR_PEER;
	for (uint64_t i = 0; i < 3; i++)
		assert_int_equal(link_send_mail_abort(w.edge.link,
		    &(struct msg_mail_abort){ i }), OK);
	run(&w, 20);
	assert_int_equal(w.queue.msgs, 1);
	assert_int_equal(w.queue.gone, 1);
	assert_int_equal(w.queue.why, ERR_PEER);
	close_world(&w);
}

static void
no_field_too_long_is_sent(void **state)
{
	struct world w;

	open_pair(&w);
	assert_int_equal(link_send_mail_rcpt(w.edge.link,
	    &(struct msg_mail_rcpt){ .stream = 1,
	    .rcpt = { piece_bytes, BUS_STR_MAX + 1 } }),
	    ERR_SYS);
	run(&w, 10);
	assert_int_equal(w.edge.why, ERR_SYS);
	assert_int_equal(w.queue.msgs, 0);
	close_world(&w);
}

/* An end that breaks the rules. */

static void
the_rightful_peer_is_heard(void **state)
{
	struct world w;

	open_raw(&w, ROLE_EDGE);
	say_hello(&w);
	say(&w, MSG_mail_abort, &(struct msg_mail_abort){ 0 });
	run(&w, 10);
	assert_int_equal(w.queue.msgs, 1);
	assert_int_equal(w.queue.gone, 0);
	close_world(&w);
}

static void
a_hello_that_differs_is_refused(void **state)
{
	const struct msg_hello hellos[] = {
		{ BUS_VERSION + 1, span_of(build_id()) },
		{ 0, span_of(build_id()) },
		{ BUS_VERSION, SPAN("another build") },
		{ BUS_VERSION, { NULL, 0 } },
	};
	struct world w;

	for (size_t i = 0; i < sizeof(hellos) / sizeof(hellos[0]); i++) {
		open_raw(&w, ROLE_EDGE);
		say(&w, MSG_hello, &hellos[i]);
		want_dropped(&w, ERR_PEER);
		close_world(&w);
	}
}

static void
hello_comes_first_and_once(void **state)
{
	struct world w;

	open_raw(&w, ROLE_EDGE);
	say(&w, MSG_mail_abort, &(struct msg_mail_abort){ 0 });
	want_dropped(&w, ERR_PEER);
	assert_int_equal(w.queue.msgs, 0);
	close_world(&w);

	open_raw(&w, ROLE_EDGE);
	say_hello(&w);
	say_hello(&w);
	want_dropped(&w, ERR_PEER);
	close_world(&w);
}

/* For every role that can be at the other end, every message. */
static void
what_the_rows_forbid_is_refused(void **state)
{
	for (unsigned peer = 0; peer < ROLE__COUNT; peer++)
		for (unsigned type = 1; type < MSG__COUNT; type++) {
			static const union msg m;
			struct world w;

			if (msg_allowed(type, peer, ROLE_QUEUE) ||
			    !msg_allowed(MSG_hello, peer, ROLE_QUEUE))
				continue;
			open_raw(&w, peer);
			say_hello(&w);
			say(&w, type, &m);
			run(&w, 1);
			assert_int_equal(w.queue.msgs, 0);
			assert_int_equal(w.queue.why, ERR_PEER);
			close_world(&w);
		}
}

static void
frames_that_are_none_are_refused(void **state)
{
	static const struct {
		const char	*bytes;
		size_t		 len;
	} cases[] = {
		{ "\0", 1 },
		{ "\0\0\0\0\0\0\0", 7 },
		{ "\xff\xff\0\0\0\0\0\0", 8 },		/* no such type */
		{ "\0\0\0\0\xff\xff\xff\xff", 8 },	/* length lies	*/
		{ "\0\0\0\0\1\0\0\0", 8 },
	};
	struct world w;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		open_raw(&w, ROLE_EDGE);
		say_hello(&w);
		send_bytes(&w, cases[i].bytes, cases[i].len);
		want_dropped(&w, ERR_PEER);
		close_world(&w);
	}
}

static void
a_frame_cut_or_spoilt_is_refused(void **state)
{
	uint8_t whole[64], buf[65];
	size_t len = put_frame(whole, sizeof(whole), MSG_mail_abort,
	    &(struct msg_mail_abort){ 0 });
	struct world w;

	for (size_t cut = 1; cut < len; cut++) {
		open_raw(&w, ROLE_EDGE);
		say_hello(&w);
		send_bytes(&w, whole, cut);
		want_dropped(&w, ERR_PEER);
		close_world(&w);
	}
	memcpy(buf, whole, len);
	buf[len] = 0;			/* a piece it may not carry */
	open_raw(&w, ROLE_EDGE);
	say_hello(&w);
	send_bytes(&w, buf, len + 1);
	want_dropped(&w, ERR_PEER);
	close_world(&w);
	memcpy(buf, whole, len);
	set_piece(buf, 1);		/* and one that is not there */
	open_raw(&w, ROLE_EDGE);
	say_hello(&w);
	send_bytes(&w, buf, len);
	want_dropped(&w, ERR_PEER);
	close_world(&w);
}

static void
pieces_and_frames_have_a_ceiling(void **state)
{
	static uint8_t buf[FRAME_MAX + 100];
	struct world w;
	size_t len;

	open_raw(&w, ROLE_EDGE);
	say_hello(&w);
	len = put_frame(buf, sizeof(buf), MSG_mail_body,
	    &(struct msg_mail_body){ 0 });
	memcpy(buf + len, piece_bytes, PIECE_MAX);
	set_piece(buf, PIECE_MAX);
	send_bytes(&w, buf, len + PIECE_MAX);
	run(&w, 10);
	assert_int_equal(w.queue.msgs, 1);
	buf[len + PIECE_MAX] = 'x';
	set_piece(buf, PIECE_MAX + 1);
	send_bytes(&w, buf, len + PIECE_MAX + 1);
	want_dropped(&w, ERR_PEER);
	assert_int_equal(w.queue.msgs, 1);
	close_world(&w);

	open_raw(&w, ROLE_EDGE);
	say_hello(&w);
	send_bytes(&w, buf, sizeof(buf));	/* the kernel cuts it */
	want_dropped(&w, ERR_PEER);
	close_world(&w);
}

static void
descriptors_come_from_master_only(void **state)
{
	struct msg_mail_abort m = { 0 };
	unsigned before;
	struct world w;

	open_raw(&w, ROLE_EDGE);
	say_hello(&w);
	before = open_fds();
	say_fds(&w, MSG_mail_abort, &m, (const int[]){ 0 }, 1);
	run(&w, 10);
	assert_int_equal(w.queue.msgs, 0);
	assert_int_equal(w.queue.why, ERR_PEER);
	assert_int_equal(open_fds(), before - 1);	/* the link's own */
	close_world(&w);
}

static void
masters_descriptor_is_the_receivers(void **state)
{
	struct msg_slice_new m = { 3 };
	struct stat sent, got;
	struct world w;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	open_raw(&w, ROLE_MASTER);
	say_hello(&w);
	say_fds(&w, MSG_slice_new, &m, &fd, 1);
	run(&w, 10);
	assert_int_equal(w.queue.msgs, 1);
	assert_int_not_equal(w.queue.fd, -1);
	assert_int_equal(fstat(fd, &sent), 0);
	assert_int_equal(fstat(w.queue.fd, &got), 0);
	assert_int_equal(sent.st_ino, got.st_ino);
	assert_int_equal(fcntl(w.queue.fd, F_GETFD), FD_CLOEXEC);
	close(w.queue.fd);
	close(fd);
	close_world(&w);
}

static void
too_many_or_missing_descriptors_are_refused(void **state)
{
	struct msg_slice_new m = { 3 };
	const int fds[] = { 0, 1 };
	unsigned before;
	struct world w;

	open_raw(&w, ROLE_MASTER);
	say_hello(&w);
	say(&w, MSG_slice_new, &m);
	want_dropped(&w, ERR_PEER);
	close_world(&w);

	open_raw(&w, ROLE_MASTER);
	say_hello(&w);
	before = open_fds();
	say_fds(&w, MSG_slice_new, &m, fds, 2);
	want_dropped(&w, ERR_PEER);
	assert_int_equal(open_fds(), before - 1);
	close_world(&w);

	open_raw(&w, ROLE_MASTER);
	say_hello(&w);
	before = open_fds();
	say_fds(&w, MSG_holding_ask, &(struct msg_holding_ask){ 0 }, fds, 1);
	want_dropped(&w, ERR_PEER);
	assert_int_equal(open_fds(), before - 1);
	close_world(&w);
}

static void
a_descriptor_is_sent_though_closed_at_once(void **state)
{
	struct link_peer peer = { .role = ROLE_QUEUE };
	struct world w;
	int ends[2], fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	open_loop(&w);
	make_pair(ends);
	assert_int_equal(link_open(&w.edge.link, w.loop, ends[0], ROLE_MASTER,
	    &peer, on_msg, on_gone, &w.edge), OK);
	open_end(&w.queue, &w, ends[1], ROLE_QUEUE, ROLE_MASTER);
	assert_int_equal(link_send_slice_new(w.edge.link,
	    &(struct msg_slice_new){ 1 }, fd), OK);
	close(fd);
	run(&w, 10);
	assert_int_equal(w.queue.msgs, 1);
	assert_int_equal(close(w.queue.fd), 0);
	close_world(&w);
}

/* Several frames in a packet. */

/* How many packets have come, and frames in them; hello is one. */
static unsigned
count_packets(struct world *w, unsigned *frames)
{
	static uint8_t buf[FRAME_MAX];
	unsigned packets = 0;
	ssize_t len;

	*frames = 0;
	for (; (len = recv(w->raw, buf, sizeof(buf), MSG_DONTWAIT)) > 0;
	    packets++)
		for (size_t at = 0; at < (size_t)len; (*frames)++)
			at += 8 + (size_t)(buf[at + 2] | buf[at + 3] << 8) +
			    (size_t)(buf[at + 4] | buf[at + 5] << 8);
	return packets;
}

static void
small_frames_share_a_packet(void **state)
{
	struct world w;
	unsigned frames;

	open_raw(&w, ROLE_EDGE);
	for (uint64_t i = 0; i < 300; i++)
		assert_int_equal(link_send_mail_credit(w.queue.link,
		    &(struct msg_mail_credit){ i, 1 }), OK);
	run(&w, 10);
	assert_true(count_packets(&w, &frames) <= 6);
	assert_int_equal(frames, 301);
	assert_int_equal(link_unsent(w.queue.link), 0);
	close_world(&w);
}

/* abort, credit: what an edge may say, and may not. */
static size_t
put_aborts(uint8_t *buf, size_t cap, unsigned cnt)
{
	size_t len = 0;

	for (uint64_t i = 0; i < cnt; i++)
		len += put_frame(buf + len, cap - len, MSG_mail_abort,
		    &(struct msg_mail_abort){ i });
	return len;
}

static void
all_frames_of_a_packet_are_heard(void **state)
{
	uint8_t buf[4096];
	struct world w;
	size_t len;

	open_raw(&w, ROLE_EDGE);
	len = put_frame(buf, sizeof(buf), MSG_hello,
	    &(struct msg_hello){ BUS_VERSION, span_of(build_id()) });
	len += put_aborts(buf + len, sizeof(buf) - len, 3);
	len += put_frame(buf + len, sizeof(buf) - len, MSG_mail_body,
	    &(struct msg_mail_body){ 3 });
	memcpy(buf + len, piece_bytes, 20);
	set_piece(buf + len - 16, 20);
	len += 20;
	len += put_frame(buf + len, sizeof(buf) - len, MSG_mail_abort,
	    &(struct msg_mail_abort){ 4 });
	send_bytes(&w, buf, len);
	run(&w, 10);
	assert_int_equal(w.queue.msgs, 5);
	assert_int_equal(w.queue.gone, 0);
	close_world(&w);
}

static void
a_bad_frame_of_a_packet_ends_the_link_there(void **state)
{
	uint8_t buf[4096];
	struct world w;
	size_t len;

	open_raw(&w, ROLE_EDGE);
	say_hello(&w);
	len = put_aborts(buf, sizeof(buf), 2);
	len += put_frame(buf + len, sizeof(buf) - len, MSG_mail_credit,
	    &(struct msg_mail_credit){ 0, 1 });
	len += put_aborts(buf + len, sizeof(buf) - len, 1);
	send_bytes(&w, buf, len);
	want_dropped(&w, ERR_PEER);
	assert_int_equal(w.queue.msgs, 2);
	close_world(&w);
}

static void
a_packet_has_at_most_so_many_frames(void **state)
{
	uint8_t buf[4096];
	struct world w;

	open_raw(&w, ROLE_EDGE);
	say_hello(&w);
	send_bytes(&w, buf, put_aborts(buf, sizeof(buf), 64));
	run(&w, 10);
	assert_int_equal(w.queue.msgs, 64);
	w.queue.next = 0;
	send_bytes(&w, buf, put_aborts(buf, sizeof(buf), 65));
	want_dropped(&w, ERR_PEER);
	assert_int_equal(w.queue.msgs, 128);
	close_world(&w);
}

/* A descriptor is a frame's that is alone, so that it is clear whose. */
static void
a_descriptor_comes_with_one_frame(void **state)
{
	uint8_t buf[256];
	struct iovec iov = { buf, 0 };
	union {
		struct cmsghdr	 align;
		char		 bytes[CMSG_SPACE(sizeof(int))];
	} room = { 0 };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1,
	    .msg_control = room.bytes, .msg_controllen = sizeof(room.bytes) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&h);
	struct msg_slice_new m = { 3 };
	unsigned before;
	struct world w;

	open_raw(&w, ROLE_MASTER);
	say_hello(&w);
	before = open_fds();
	iov.iov_len = put_frame(buf, sizeof(buf), MSG_slice_new, &m);
	iov.iov_len += put_frame(buf + iov.iov_len, sizeof(buf) - iov.iov_len,
	    MSG_holding_ask, &(struct msg_holding_ask){ 0 });
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	assert_true(sendmsg(w.raw, &h, MSG_NOSIGNAL) > 0);
	want_dropped(&w, ERR_PEER);
	assert_int_equal(w.queue.msgs, 0);
	assert_int_equal(open_fds(), before - 1);
	close_world(&w);
}

static void
names_are_those_of_block_and_worker(void **state)
{
	struct link_peer p = { .role = ROLE_EDGE, .block = "in" };
	char name[LINK_NAME_MAX];

	p.workers = 1;
	link_name(&p, name);
	assert_string_equal(name, "edge in");
	p.workers = 2;
	p.worker = 1;
	link_name(&p, name);
	assert_string_equal(name, "edge in/1");
}

static int
set_up(void **state)
{
	srandom(7);
	for (size_t i = 0; i < sizeof(piece_bytes); i++)
		piece_bytes[i] = (char)random();
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(order_is_kept_whatever_the_size),
		cmocka_unit_test(ten_thousand_full_pieces_flow_with_credit),
		cmocka_unit_test(what_the_kernel_does_not_take_waits),
		cmocka_unit_test(a_queue_over_its_ceiling_ends_the_link),
		cmocka_unit_test(what_was_sent_before_the_end_arrives),
		cmocka_unit_test(a_handler_may_close_its_link),
		cmocka_unit_test(a_handler_that_objects_ends_the_link),
		cmocka_unit_test(no_field_too_long_is_sent),
		cmocka_unit_test(the_rightful_peer_is_heard),
		cmocka_unit_test(a_hello_that_differs_is_refused),
		cmocka_unit_test(hello_comes_first_and_once),
		cmocka_unit_test(what_the_rows_forbid_is_refused),
		cmocka_unit_test(frames_that_are_none_are_refused),
		cmocka_unit_test(a_frame_cut_or_spoilt_is_refused),
		cmocka_unit_test(pieces_and_frames_have_a_ceiling),
		cmocka_unit_test(descriptors_come_from_master_only),
		cmocka_unit_test(masters_descriptor_is_the_receivers),
		cmocka_unit_test(too_many_or_missing_descriptors_are_refused),
		cmocka_unit_test(a_descriptor_is_sent_though_closed_at_once),
		cmocka_unit_test(small_frames_share_a_packet),
		cmocka_unit_test(all_frames_of_a_packet_are_heard),
		cmocka_unit_test(a_bad_frame_of_a_packet_ends_the_link_there),
		cmocka_unit_test(a_packet_has_at_most_so_many_frames),
		cmocka_unit_test(a_descriptor_comes_with_one_frame),
		cmocka_unit_test(names_are_those_of_block_and_worker),
	};

	return cmocka_run_group_tests_name("link", tests, set_up, NULL);
}
