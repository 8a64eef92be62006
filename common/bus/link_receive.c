/*
 * link_receive.c - packets are fetched, and each frame in them is checked whole
 * before it is handed on.
 *
 * Reading shares one set of buffers between all links of the process; a
 * message's strings and piece point into them until its handler returns.
 */
#include <sys/socket.h>

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "bus/build.h"
#include "bus/link_inside.h"

#define READ_BATCH	8	/* packets fetched by one system call	*/

struct frame {
	unsigned	 type;
	uint8_t		*bytes;		/* the head and all		*/
	size_t		 len;
	struct span	 fields, piece;
};

static uint8_t buffers[READ_BATCH][FRAME_MAX];

union fd_room {			/* for one descriptor, aligned */
	struct cmsghdr	 align;
	char		 bytes[CMSG_SPACE(sizeof(int))];
};

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

/* The first frame of these bytes; ERR_PEER when there is no whole one. */
static enum err
cut_frame(uint8_t *bytes, size_t len, struct frame *f)
{
	struct wire_in r = { bytes, bytes + len, false };
	size_t fields, piece;

	f->type = wire_get_u16(&r);
	piece = wire_get_u16(&r);
	fields = wire_get_u32(&r);
	if (r.bad || fields > len - HEAD_LEN ||
	    piece > len - HEAD_LEN - fields || piece > PIECE_MAX)
		return ERR_PEER;
	f->bytes = bytes;
	f->len = HEAD_LEN + fields + piece;
	f->fields = (struct span){ (const char *)r.pos, fields };
	f->piece = (struct span){ piece > 0 ? (const char *)r.pos + fields :
	    NULL, piece };
	return OK;
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
receive_frame(struct link *l, const struct frame *f, int fd)
{
	enum msg_carries carries = msg_carries(f->type);
	enum err e = ERR_PEER;
	union msg m;

	if (!msg_allowed(f->type, l->peer.role, l->mine) ||
	    msg_get(f->fields.ptr, f->fields.len, f->type, &m) != OK ||
	    (carries != CARRIES_PIECE && f->piece.len > 0) ||
	    (carries == CARRIES_FD) != (fd != -1))
		goto out;
	if (l->traced)
		link_trace(l, "<", f->type, &m, f->piece.len);
	if (l->greeted == (f->type == MSG_hello))
		goto out;
	if (f->type == MSG_hello) {
		l->greeted = is_hello(l, &m);
		return l->greeted ? OK : ERR_PEER;
	}
	e = l->on_msg(l, f->type, &m, f->piece, fd, l->arg);
	if (msg_has_secret(f->type))
		explicit_bzero(f->bytes, f->len);
	return e;
out:
	if (fd != -1)
		close(fd);
	return e;
}

/* All of its frames, one after the other.  fd is taken. */
static enum err
receive_packet(struct link *l, uint8_t *bytes, size_t len, int fd,
    unsigned *cnt)
{
	enum err e = OK;

	for (unsigned i = 0; e == OK && len > 0 && !l->closed && !l->failed;
	    i++) {
		struct frame f;

		if (i == PACKET_FRAMES || cut_frame(bytes, len, &f) != OK ||
		    (fd != -1 && f.len != len)) {
			e = ERR_PEER;
			break;
		}
		e = receive_frame(l, &f, fd);
		fd = -1;
		bytes += f.len;
		len -= f.len;
		(*cnt)++;
	}
	if (fd != -1)
		close(fd);
	return e;
}

static void
point(struct mmsghdr *msgs, struct iovec *iov, union fd_room *rooms)
{
	memset(msgs, 0, READ_BATCH * sizeof(*msgs));
	for (int i = 0; i < READ_BATCH; i++) {
		iov[i] = (struct iovec){ buffers[i], FRAME_MAX };
		msgs[i].msg_hdr.msg_iov = &iov[i];
		msgs[i].msg_hdr.msg_iovlen = 1;
		if (rooms != NULL) {
			msgs[i].msg_hdr.msg_control = rooms[i].bytes;
			msgs[i].msg_hdr.msg_controllen = sizeof(rooms[i].bytes);
		}
	}
}

/*
 * Unix sockets report ECONNRESET once when the peer closed with our packets
 * unread, before what it had sent: so read on till the end.
 */
enum err
link_receive_batch(struct link *l, unsigned *frame_cnt)
{
	struct mmsghdr msgs[READ_BATCH];
	struct iovec iov[READ_BATCH];
	union fd_room rooms[READ_BATCH];
	bool takes_fds = l->peer.role == ROLE_MASTER;
	enum err e = OK;
	int cnt;

	point(msgs, iov, takes_fds ? rooms : NULL);
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
		e = receive_packet(l, buffers[i], msgs[i].msg_len, fd,
		    frame_cnt);
	}
	return e != OK || cnt == READ_BATCH ? e : ERR_AGAIN;
}
