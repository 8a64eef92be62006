/*
 * link.c - frames over SOCK_SEQPACKET: gathered when sent, checked when read.
 *
 * A frame is: u16 type, u16 zero, u32 length of the fields, the fields, and
 * whatever follows is the piece.  Frames queued in a turn leave together at
 * its end.  A large piece is not copied when nothing waits before it: it goes
 * to the kernel from where it lies.
 *
 * Reading shares one set of buffers between all links of the process; a
 * message's strings and piece point into them until its handler returns.
 */
#include <sys/queue.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "bus/build.h"
#include "bus/link.h"
#include "sys/logfile.h"

#define HEAD_LEN	8	/* bytes of a frame before its fields	*/
#define READ_BATCH	8	/* frames fetched by one system call	*/
#define READ_ROUNDS	4	/* batches a link may read in one turn	*/
#define DIRECT_MIN	8192	/* bytes of piece worth sending uncopied */

struct out_frame {
	TAILQ_ENTRY(out_frame) entry;
	size_t		 len;
	int		 fd;		/* ours, to pass along; or -1	*/
	bool		 is_secret;	/* wiped before it is freed	*/
	uint8_t		 bytes[];
};

struct link {
	struct ev_loop	*loop;
	struct ev	 ev;
	struct later	 flush;		/* at the end of the turn	*/
	int		 fd;
	enum role	 mine;
	struct link_peer peer;
	link_msg_fn	*on_msg;
	link_gone_fn	*on_gone;
	void		*arg;

	TAILQ_HEAD(, out_frame) queue;
	size_t		 unsent;	/* bytes in the queue		*/
	size_t		 queue_max;

	bool		 greeted;	/* the peer has said hello	*/
	bool		 traced;
	bool		 failed;	/* gone() is due or was called	*/
	enum err	 why;
	bool		 reading;	/* in link_ready(): free later	*/
	bool		 closed;	/* by its owner, while reading	*/
};

static uint8_t buffers[READ_BATCH][FRAME_MAX];

void
link_name(const struct link_peer *p, char *buf)
{
	const char *role = role_row(p->role)->name;

	if (p->role == ROLE_MASTER)
		snprintf(buf, LINK_NAME_MAX, "%s", role);
	else if (p->workers > 1)
		snprintf(buf, LINK_NAME_MAX, "%s %s/%u", role, p->block,
		    p->worker);
	else
		snprintf(buf, LINK_NAME_MAX, "%s %s", role, p->block);
}

static void
trace(const struct link *l, const char *arrow, unsigned type,
    const union msg *m, size_t piece_len)
{
	char peer[LINK_NAME_MAX], text[1024], line[1400];
	int len;

	link_name(&l->peer, peer);
	msg_print(text, sizeof(text), type, m);
	len = snprintf(line, sizeof(line), "bus: [%d] %s %s %s %s",
	    (int)getpid(), role_row(l->mine)->name, arrow, peer, text);
	if (piece_len > 0)
		len += snprintf(line + len, sizeof(line) - (size_t)len,
		    " piece=%zu", piece_len);
	line[len++] = '\n';
	logfile_trace(line, (size_t)len);
}

/* Failing. */

static void
fail(struct link *l, enum err why)
{
	if (l->failed)
		return;
	l->failed = true;
	l->why = why;
	ev_fini(&l->ev);
	later_call(&l->flush);		/* which tells the owner */
}

static void
drop_frame(struct link *l, struct out_frame *f)
{
	TAILQ_REMOVE(&l->queue, f, entry);
	l->unsent -= f->len;
	if (f->fd != -1)
		close(f->fd);
	if (f->is_secret)
		explicit_bzero(f->bytes, f->len);
	free(f);
}

static void
release(struct link *l)
{
	struct out_frame *f;

	while ((f = TAILQ_FIRST(&l->queue)) != NULL)
		drop_frame(l, f);
	free(l);
}

void
link_close(struct link **lp)
{
	struct link *l = *lp;

	*lp = NULL;
	if (l == NULL)
		return;
	ev_fini(&l->ev);
	later_stop(&l->flush);
	close(l->fd);
	l->closed = true;
	if (!l->reading)
		release(l);
}

/* Sending. */

union fd_room {			/* for one descriptor, aligned */
	struct cmsghdr	 align;
	char		 bytes[CMSG_SPACE(sizeof(int))];
};

static void
attach_fd(struct msghdr *h, union fd_room *room, int fd)
{
	struct cmsghdr *c;

	memset(room, 0, sizeof(*room));
	h->msg_control = room->bytes;
	h->msg_controllen = sizeof(room->bytes);
	c = CMSG_FIRSTHDR(h);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
}

static enum err
send_error(int e)
{
	if (e == EAGAIN || e == EINTR || e == ENOBUFS)
		return ERR_AGAIN;
	if (e == EPIPE || e == ECONNRESET)
		return ERR_CLOSED;
	return ERR_SYS;
}

/* Only master passes descriptors: sys/seccomp.c leaves sendmsg() to few. */
static ssize_t
send_with_fd(const struct link *l, struct out_frame *f)
{
	struct iovec iov = { f->bytes, f->len };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	union fd_room room;

	attach_fd(&h, &room, f->fd);
	return sendmsg(l->fd, &h, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Give the kernel the first frame of the queue. */
static enum err
send_first(struct link *l)
{
	struct out_frame *f = TAILQ_FIRST(&l->queue);
	ssize_t sent;

	if (f->fd != -1)
		sent = send_with_fd(l, f);
	else
		sent = send(l->fd, f->bytes, f->len,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent == -1)
		return send_error(errno);
	drop_frame(l, f);
	return OK;
}

void
link_flush(struct link *l)
{
	enum err e = OK;

	while (!l->failed && e == OK && !TAILQ_EMPTY(&l->queue))
		e = send_first(l);
	if (e != OK && e != ERR_AGAIN)
		fail(l, e);
	if (!l->failed)
		ev_want(&l->ev, EV_READ |
		    (TAILQ_EMPTY(&l->queue) ? 0 : EV_WRITE));
}

static void
flush_later(struct later *later, void *arg)
{
	struct link *l = arg;

	if (l->failed)
		l->on_gone(l, l->why, l->arg);
	else
		link_flush(l);
}

static void
put_head(uint8_t *frame, unsigned type, size_t fields_len)
{
	struct wire_out w = { frame, 0, HEAD_LEN, false };

	wire_u16(&w, (uint16_t)type);
	wire_u16(&w, 0);
	wire_u32(&w, (uint32_t)fields_len);
}

/* Try to spare the copy of a large piece; ERR_AGAIN when it must be queued. */
static enum err
send_direct(struct link *l, uint8_t *head, size_t head_len, struct span piece)
{
	struct iovec iov[2] = {
		{ head, head_len },
		{ (void *)(uintptr_t)piece.ptr, piece.len },
	};

	if (!TAILQ_EMPTY(&l->queue))
		link_flush(l);
	if (l->failed || !TAILQ_EMPTY(&l->queue))
		return ERR_AGAIN;
	if (writev(l->fd, iov, 2) == -1)
		return send_error(errno);
	return OK;
}

static enum err
enqueue(struct link *l, unsigned type, const uint8_t *head,
    size_t head_len, struct span piece, int fd)
{
	size_t len = head_len + piece.len;
	struct out_frame *f;

	if (l->unsent + len > l->queue_max)
		return ERR_FULL;
	if ((f = malloc(sizeof(*f) + len)) == NULL)
		return ERR_SYS;
	f->len = len;
	f->fd = -1;
	f->is_secret = msg_has_secret(type);
	if (fd != -1 && (f->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3)) == -1) {
		free(f);
		return ERR_SYS;
	}
	memcpy(f->bytes, head, head_len);
	if (piece.len > 0)
		memcpy(f->bytes + head_len, piece.ptr, piece.len);
	TAILQ_INSERT_TAIL(&l->queue, f, entry);
	l->unsent += len;
	if (!(l->ev.want & EV_WRITE))
		later_call(&l->flush);
	return OK;
}

static enum err
send_frame(struct link *l, unsigned type, const void *m, struct span piece,
    int fd)
{
	static uint8_t head[HEAD_LEN + FRAME_FIELDS_MAX];
	struct wire_out w = { head + HEAD_LEN, 0, FRAME_FIELDS_MAX, false };
	enum err e = ERR_AGAIN;

	if (l->failed)
		return ERR_CLOSED;
	msg_put(&w, type, m);
	if (w.bad || piece.len > PIECE_MAX) {
		fail(l, ERR_SYS);	/* our own mistake, and our loss */
		return ERR_SYS;
	}
	put_head(head, type, w.len);
	if (l->traced)
		trace(l, ">", type, m, piece.len);
	if (piece.len >= DIRECT_MIN)
		e = send_direct(l, head, HEAD_LEN + w.len, piece);
	if (e == ERR_AGAIN && !l->failed)
		e = enqueue(l, type, head, HEAD_LEN + w.len, piece, fd);
	if (msg_has_secret(type))
		explicit_bzero(head, HEAD_LEN + w.len);
	if (e != OK)
		fail(l, e);
	return e;
}

enum err
link_send(struct link *l, unsigned type, const void *m, struct span piece)
{
	return send_frame(l, type, m, piece, -1);
}

enum err
link_send_fd(struct link *l, unsigned type, const void *m, int fd)
{
	return send_frame(l, type, m, (struct span){ NULL, 0 }, fd);
}

/* Receiving. */

/* Take the descriptor that came; *too_many when more than one did. */
static int
take_fd(struct msghdr *h, bool *too_many)
{
	int fd = -1;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(h); c != NULL;
	    c = CMSG_NXTHDR(h, c)) {
		size_t cnt = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < cnt; i++) {
			int one;

			memcpy(&one, CMSG_DATA(c) + i * sizeof(int),
			    sizeof(one));
			if (fd == -1) {
				fd = one;
				continue;
			}
			close(one);
			*too_many = true;
		}
	}
	return fd;
}

/* A tool may be of another build, as it is after an installation. */
static bool
is_hello(const struct link *l, const union msg *m)
{
	return m->hello.version == BUS_VERSION &&
	    (l->mine == ROLE_TOOL || l->peer.role == ROLE_TOOL ||
	    span_eq(m->hello.build, span_of(build_id())));
}

/* Check a frame whole, then hand it on.  fd is taken. */
static enum err
receive(struct link *l, uint8_t *frame, size_t len, int fd)
{
	struct wire_in r = { frame, frame + len, false };
	unsigned type = wire_get_u16(&r), zero = wire_get_u16(&r);
	size_t fields_len = wire_get_u32(&r), left = (size_t)(r.end - r.pos);
	struct span piece = { NULL, 0 };
	union msg m;
	enum err e = ERR_PEER;

	if (r.bad || zero != 0 || fields_len > left ||
	    !msg_allowed(type, l->peer.role, l->mine) ||
	    msg_get(r.pos, fields_len, type, &m) != OK)
		goto out;
	if (msg_carries(type) == CARRIES_PIECE)
		piece = (struct span){ (const char *)r.pos + fields_len,
		    left - fields_len };
	else if (left != fields_len)
		goto out;
	if (piece.len > PIECE_MAX ||
	    (msg_carries(type) == CARRIES_FD) != (fd != -1))
		goto out;
	if (l->traced)
		trace(l, "<", type, &m, piece.len);
	if (l->greeted == (type == MSG_hello))
		goto out;
	if (type == MSG_hello) {
		l->greeted = is_hello(l, &m);
		return l->greeted ? OK : ERR_PEER;
	}
	e = l->on_msg(l, type, &m, piece, fd, l->arg);
	if (msg_has_secret(type))
		explicit_bzero(frame, len);
	return e;
out:
	if (fd != -1)
		close(fd);
	return e;
}

/*
 * Fetch a batch.  Unix sockets report ECONNRESET once when the peer closed
 * with our frames unread, before what it had sent: so read on till the end.
 */
static enum err
receive_batch(struct link *l)
{
	struct mmsghdr msgs[READ_BATCH];
	struct iovec iov[READ_BATCH];
	union fd_room rooms[READ_BATCH];
	bool takes_fds = l->peer.role == ROLE_MASTER;
	enum err e = OK;
	int cnt;

	memset(msgs, 0, sizeof(msgs));
	for (int i = 0; i < READ_BATCH; i++) {
		iov[i] = (struct iovec){ buffers[i], FRAME_MAX };
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
		if (takes_fds) {
			msgs[i].msg_hdr.msg_control = rooms[i].bytes;
			msgs[i].msg_hdr.msg_controllen = sizeof(rooms[i].bytes);
		}
	}
	cnt = recvmmsg(l->fd, msgs, READ_BATCH,
	    MSG_DONTWAIT | MSG_CMSG_CLOEXEC, NULL);
	if (cnt == -1)
		return errno == EAGAIN ? ERR_AGAIN :
		    errno == EINTR || errno == ECONNRESET ? OK : ERR_SYS;
	for (int i = 0; i < cnt; i++) {
		bool spoilt = (msgs[i].msg_hdr.msg_flags &
		    (MSG_TRUNC | MSG_CTRUNC)) != 0;
		int fd = takes_fds ? take_fd(&msgs[i].msg_hdr, &spoilt) : -1;

		if (msgs[i].msg_len == 0 && e == OK)
			e = ERR_CLOSED;
		else if (spoilt && e == OK)
			e = ERR_PEER;
		if (e != OK || l->closed || l->failed) {
			if (fd != -1)
				close(fd);
			continue;
		}
		e = receive(l, buffers[i], msgs[i].msg_len, fd);
	}
	return e != OK || cnt == READ_BATCH ? e : ERR_AGAIN;
}

static void
link_ready(struct ev *ev, unsigned what, void *arg)
{
	struct link *l = arg;
	enum err e = OK;

	l->reading = true;
	if (what & EV_WRITE)
		link_flush(l);
	for (int i = 0; i < READ_ROUNDS && e == OK && what & EV_READ &&
	    !l->closed && !l->failed; i++)
		e = receive_batch(l);
	l->reading = false;
	if (l->closed)
		release(l);
	else if (e != OK && e != ERR_AGAIN)
		fail(l, e);
}

enum err
link_receive(struct link *l)
{
	if (!l->failed)
		link_ready(&l->ev, EV_READ, l);
	return l->failed ? ERR_CLOSED : OK;
}

/* Making. */

enum err
link_open(struct link **out, struct ev_loop *loop, int fd, enum role mine,
    const struct link_peer *peer, link_msg_fn *on_msg, link_gone_fn *on_gone,
    void *arg)
{
	struct msg_hello hello = { BUS_VERSION, span_of(build_id()) };
	const char *topics = getenv("POSTERN_TRACE");
	struct link *l = calloc(1, sizeof(*l));

	if (l == NULL) {
		close(fd);
		return ERR_SYS;
	}
	l->loop = loop;
	l->fd = fd;
	l->mine = mine;
	l->peer = *peer;
	l->on_msg = on_msg;
	l->on_gone = on_gone;
	l->arg = arg;
	l->queue_max = LINK_QUEUE_MAX;
	l->traced = topics != NULL && strstr(topics, "bus") != NULL;
	TAILQ_INIT(&l->queue);
	later_init(&l->flush, loop, flush_later, l);
	if (ev_init(&l->ev, loop, fd, EV_READ, link_ready, l) != OK) {
		close(fd);
		free(l);
		return ERR_SYS;
	}
	(void)link_send_hello(l, &hello);	/* told of by gone() */
	*out = l;
	return OK;
}

size_t
link_unsent(const struct link *l)
{
	return l->unsent;
}

const struct link_peer *
link_peer(const struct link *l)
{
	return &l->peer;
}

void
link_set_role(struct link *l, enum role mine)
{
	l->mine = mine;
}

void
link_set_queue_max(struct link *l, size_t bytes)
{
	l->queue_max = bytes;
}
