/*
 * smtp_wire.c - the clear and TLS side by side.
 *
 * A TLS write that has to read first (a key update, say) waits for the socket
 * to become readable and not writable, or the loop would spin; whoever reads
 * sets it free again.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "relay/smtp/smtp_wire.h"
#include "sys/counters.h"
#include "sys/ev.h"

static uint64_t	open_cnt;	/* in the whole process */

union place {
	struct sockaddr	 any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_storage room;
};

static bool
is_loopback(int fd)
{
	union place p = { .any.sa_family = AF_UNSPEC };
	socklen_t len = sizeof(p);

	if (getpeername(fd, &p.any, &len) == -1)
		return false;
	switch (p.any.sa_family) {
	case AF_UNIX:
		return true;
	case AF_INET:
		return ntohl(p.v4.sin_addr.s_addr) >> 24 == 127;
	case AF_INET6:
		return IN6_IS_ADDR_LOOPBACK(&p.v6.sin6_addr);
	default:
		return false;
	}
}

void
smtp_wire_open(struct smtp_wire *w, int fd)
{
	memset(w, 0, sizeof(*w));
	w->fd = fd;
	w->is_local = is_loopback(fd);
	counter_add(COUNTER_connected, 1);
	counter_set(COUNTER_connections, ++open_cnt);
}

void
smtp_wire_close(struct smtp_wire *w)
{
	if (w->tls != NULL && tls_is_done(w->tls))
		(void)tls_shutdown(w->tls);
	tls_free(&w->tls);
	free(w->record);
	w->record = NULL;
	w->offered = 0;
	w->read_needs_write = w->write_needs_read = w->is_waiting = false;
	if (w->fd == -1)
		return;
	close(w->fd);
	w->fd = -1;
	counter_set(COUNTER_connections, --open_cnt);
}

bool
smtp_wire_is_open(const struct smtp_wire *w)
{
	return w->fd != -1;
}

enum err
smtp_wire_secure(struct smtp_wire *w, struct tls_client *client,
    struct span name, bool must_verify, void (*wake)(void *arg), void *arg)
{
	if ((w->record = malloc(SMTP_WIRE_RECORD)) == NULL)
		return ERR_SYS;
	return tls_connect(&w->tls, client, w->fd, name, must_verify, wake,
	    arg);
}

static enum err
judge(enum tls_step step)
{
	switch (step) {
	case TLS_OK:
		return OK;
	case TLS_WANT_READ:
	case TLS_WANT_WRITE:
	case TLS_WAIT:
		return ERR_AGAIN;
	case TLS_EOF:
		return ERR_CLOSED;
	case TLS_ERROR:
		break;
	}
	return ERR_PEER;
}

enum err
smtp_wire_shake(struct smtp_wire *w)
{
	enum tls_step step = tls_handshake(w->tls);

	w->read_needs_write = step == TLS_WANT_WRITE;
	w->is_waiting = step == TLS_WAIT;
	if (step == TLS_OK)
		counter_add(COUNTER_tls_done, 1);
	return judge(step);
}

enum err
smtp_wire_get(struct smtp_wire *w, char *buf, size_t cap, size_t *got)
{
	enum tls_step step;
	ssize_t n;

	if (w->tls != NULL) {
		w->write_needs_read = false;
		step = tls_read(w->tls, buf, cap, got);
		w->read_needs_write = step == TLS_WANT_WRITE;
		return judge(step) == ERR_PEER ? ERR_CLOSED : judge(step);
	}
	n = recv(w->fd, buf, cap, MSG_DONTWAIT);
	if (n == 0)
		return ERR_CLOSED;
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return ERR_AGAIN;
	if (n == -1)
		return errno == ECONNRESET ? ERR_CLOSED : ERR_SYS;
	*got = (size_t)n;
	return OK;
}

bool
smtp_wire_has_more(const struct smtp_wire *w)
{
	return w->tls != NULL && tls_pending(w->tls) > 0;
}

/* The record that waits is the front of the runs; else fill one from there. */
static void
gather(struct smtp_wire *w, const struct iovec *iov, unsigned cnt, size_t skip)
{
	if (w->offered > 0)
		return;
	for (unsigned i = 0; i < cnt && w->offered < SMTP_WIRE_RECORD; i++) {
		struct span run = span_tail((struct span){ iov[i].iov_base,
		    iov[i].iov_len }, skip);

		skip -= iov[i].iov_len - run.len;
		run = span_head(run, SMTP_WIRE_RECORD - w->offered);
		if (run.len > 0)
			memcpy(w->record + w->offered, run.ptr, run.len);
		w->offered += run.len;
	}
}

static enum err
put_records(struct smtp_wire *w, const struct iovec *iov, unsigned cnt,
    size_t *put)
{
	enum tls_step step = TLS_OK;
	size_t n, done = 0;

	for (;;) {
		gather(w, iov, cnt, done);
		if (w->offered == 0)
			break;
		step = tls_write(w->tls,
		    (struct span){ w->record, w->offered }, &n);
		if (step != TLS_OK)
			break;
		done += n;
		w->offered -= n;
		memmove(w->record, w->record + n, w->offered);
	}
	w->write_needs_read = step == TLS_WANT_READ;
	*put = done;
	return done > 0 ? OK : judge(step);
}

enum err
smtp_wire_put(struct smtp_wire *w, const struct iovec *iov, unsigned cnt,
    size_t *put)
{
	struct msghdr h = {
		.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = cnt,
	};
	ssize_t n;

	if (w->tls != NULL)
		return put_records(w, iov, cnt, put);
	n = sendmsg(w->fd, &h, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR || errno == ENOBUFS))
		return ERR_AGAIN;
	if (n == -1)
		return ERR_CLOSED;
	*put = (size_t)n;
	return OK;
}

unsigned
smtp_wire_wants(const struct smtp_wire *w, bool has_out)
{
	bool writes = w->read_needs_write || (has_out && !w->write_needs_read);

	if (w->is_waiting)
		return 0;
	return EV_READ | (writes ? EV_WRITE : 0u);
}
