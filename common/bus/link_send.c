/*
 * link_send.c - what is said in a turn leaves at its end, in as few packets as
 * it fits: most frames are small, and the kernel's price is that of packets.
 * A large piece is not copied when nothing waits before it: it goes to the
 * kernel from where it lies.
 */
#include <sys/socket.h>
#include <sys/uio.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bus/link_inside.h"

#define PACKET_MAX	16000	/* bytes of a packet of several: what the
				 * kernel has in one piece of memory	*/
#define DIRECT_MIN	8192	/* bytes of piece worth sending uncopied */
#define SPARES_MAX	4	/* packets kept for all links		*/

struct packet {
	TAILQ_ENTRY(packet) entry;
	size_t		 len, cap;
	unsigned	 frame_cnt;
	int		 fd;		/* ours, to pass along; or -1	*/
	bool		 is_secret;	/* wiped before it is let go	*/
	uint8_t		 bytes[];
};

static struct link_packets spares = TAILQ_HEAD_INITIALIZER(spares);
static unsigned spare_cnt;

void
link_fail(struct link *l, enum err why)
{
	if (l->failed)
		return;
	l->failed = true;
	l->why = why;
	ev_fini(&l->ev);
	later_call(&l->flush);		/* which tells the owner */
}

/* Packets. */

static struct packet *
take_spare(void)
{
	struct packet *p = TAILQ_FIRST(&spares);

	if (p == NULL)
		return NULL;
	TAILQ_REMOVE(&spares, p, entry);
	spare_cnt--;
	return p;
}

/* With room for len bytes, and for more where that is little. */
static struct packet *
make_packet(size_t len)
{
	size_t cap = len < PACKET_MAX ? PACKET_MAX : len;
	struct packet *p = cap == PACKET_MAX ? take_spare() : NULL;

	if (p == NULL && (p = malloc(sizeof(*p) + cap)) == NULL)
		return NULL;
	p->cap = cap;
	p->len = 0;
	p->frame_cnt = 0;
	p->fd = -1;
	p->is_secret = false;
	return p;
}

static void
let_go(struct packet *p)
{
	if (p->fd != -1)
		close(p->fd);
	if (p->is_secret)
		explicit_bzero(p->bytes, p->len);
	if (p->cap != PACKET_MAX || spare_cnt == SPARES_MAX) {
		free(p);
		return;
	}
	TAILQ_INSERT_HEAD(&spares, p, entry);
	spare_cnt++;
}

static void
drop_first(struct link *l)
{
	struct packet *p = TAILQ_FIRST(&l->queue);

	TAILQ_REMOVE(&l->queue, p, entry);
	l->unsent -= p->len;
	let_go(p);
}

void
link_drop_all(struct link *l)
{
	while (!TAILQ_EMPTY(&l->queue))
		drop_first(l);
}

/* To the kernel. */

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
send_with_fd(const struct link *l, struct packet *p)
{
	struct iovec iov = { p->bytes, p->len };
	struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1 };
	union fd_room room;

	attach_fd(&h, &room, p->fd);
	return sendmsg(l->fd, &h, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Give the kernel the first packet of the queue. */
static enum err
send_first(struct link *l)
{
	struct packet *p = TAILQ_FIRST(&l->queue);
	ssize_t sent;

	if (p->fd != -1)
		sent = send_with_fd(l, p);
	else
		sent = send(l->fd, p->bytes, p->len,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent == -1)
		return send_error(errno);
	drop_first(l);
	return OK;
}

void
link_flush(struct link *l)
{
	enum err e = OK;

	while (!l->failed && e == OK && !TAILQ_EMPTY(&l->queue))
		e = send_first(l);
	if (e != OK && e != ERR_AGAIN)
		link_fail(l, e);
	if (!l->failed)
		ev_want(&l->ev, EV_READ |
		    (TAILQ_EMPTY(&l->queue) ? 0 : EV_WRITE));
}

/* Frames. */

static void
put_head(uint8_t *to, unsigned type, size_t fields_len, size_t piece_len)
{
	struct wire_out w = { to, 0, HEAD_LEN, false };

	wire_u16(&w, (uint16_t)type);
	wire_u16(&w, (uint16_t)piece_len);
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

/* The last packet, where so much more has room in it, or another. */
static struct packet *
packet_for(struct link *l, size_t len, bool has_fd)
{
	struct packet *p = TAILQ_LAST(&l->queue, link_packets);

	if (p != NULL && !has_fd && p->fd == -1 &&
	    p->frame_cnt < PACKET_FRAMES &&
	    len <= p->cap - p->len)
		return p;
	if ((p = make_packet(len)) != NULL)
		TAILQ_INSERT_TAIL(&l->queue, p, entry);
	return p;
}

static void
append(struct packet *p, const void *bytes, size_t len)
{
	if (len > 0)
		memcpy(p->bytes + p->len, bytes, len);
	p->len += len;
}

static enum err
enqueue(struct link *l, unsigned type, const uint8_t *head,
    size_t head_len, struct span piece, int fd)
{
	size_t len = head_len + piece.len;
	struct packet *p;

	if (l->unsent + len > l->queue_max)
		return ERR_FULL;
	if (fd != -1 && (fd = fcntl(fd, F_DUPFD_CLOEXEC, 3)) == -1)
		return ERR_SYS;
	if ((p = packet_for(l, len, fd != -1)) == NULL) {
		if (fd != -1)
			close(fd);
		return ERR_SYS;
	}
	append(p, head, head_len);
	append(p, piece.ptr, piece.len);
	p->frame_cnt++;
	p->fd = fd;
	p->is_secret |= msg_has_secret(type);
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
		link_fail(l, ERR_SYS);	/* our own mistake, and our loss */
		return ERR_SYS;
	}
	put_head(head, type, w.len, piece.len);
	if (l->traced)
		link_trace(l, ">", type, m, piece.len);
	if (piece.len >= DIRECT_MIN)
		e = send_direct(l, head, HEAD_LEN + w.len, piece);
	if (e == ERR_AGAIN && !l->failed)
		e = enqueue(l, type, head, HEAD_LEN + w.len, piece, fd);
	if (msg_has_secret(type))
		explicit_bzero(head, HEAD_LEN + w.len);
	if (e != OK)
		link_fail(l, e);
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
