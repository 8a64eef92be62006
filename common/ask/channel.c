/*
 * channel.c - what the socket, or TLS over it, says, in our words.
 *
 * A TLS write that has to read first (a key update, say) waits for the socket
 * to become readable and not writable, or the loop would spin; whoever reads
 * sets it free again.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ask/channel.h"
#include "ask/tls_client.h"
#include "ask/tls_server.h"
#include "sys/ev.h"

union place {
	struct sockaddr	 any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_storage room;
};

void
channel_open(struct channel *ch, int fd)
{
	*ch = (struct channel){ .fd = fd };
}

void
channel_close(struct channel *ch)
{
	if (ch->tls != NULL && tls_is_done(ch->tls))
		(void)tls_shutdown(ch->tls);
	tls_free(&ch->tls);
	free(ch->record);
	if (ch->fd != -1)
		close(ch->fd);
	*ch = (struct channel){ .fd = -1 };
}

bool
channel_is_open(const struct channel *ch)
{
	return ch->fd != -1;
}

bool
channel_is_local(const struct channel *ch)
{
	union place p = { .any.sa_family = AF_UNSPEC };
	socklen_t len = sizeof(p);

	if (getpeername(ch->fd, &p.any, &len) == -1)
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

/* TLS itself. */

static enum err
begin(struct channel *ch, enum err e)
{
	ch->is_shaking = e == OK;
	if (e != OK)
		ch->tls = NULL;
	return e;
}

enum err
channel_accept(struct channel *ch, struct tls_server *server,
    void (*wake)(void *arg), void *arg)
{
	return begin(ch, tls_accept(&ch->tls, server, ch->fd, wake, arg));
}

enum err
channel_connect(struct channel *ch, struct tls_client *client,
    struct span name, bool must_verify, void (*wake)(void *arg), void *arg)
{
	return begin(ch, tls_connect(&ch->tls, client, ch->fd, name,
	    must_verify, wake, arg));
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
		return ERR_NONE;
	case TLS_ERROR:
		break;
	}
	return ERR_PEER;
}

enum err
channel_shake(struct channel *ch)
{
	enum tls_step step = tls_handshake(ch->tls);
	enum err e = judge(step);

	ch->read_needs_write = step == TLS_WANT_WRITE;
	ch->is_waiting = step == TLS_WAIT;
	ch->is_shaking = e == ERR_AGAIN;
	return e == ERR_NONE ? ERR_CLOSED : e;
}

bool
channel_has_moved(struct channel *ch)
{
	return tls_has_moved(ch->tls);
}

/* Reading. */

static enum err
judge_errno(void)
{
	return errno == EAGAIN || errno == EINTR || errno == ENOBUFS ?
	    ERR_AGAIN : ERR_CLOSED;
}

static enum err
read_plain(int fd, char *buf, size_t cap, size_t *got)
{
	ssize_t n = recv(fd, buf, cap, MSG_DONTWAIT);

	if (n == -1)
		return judge_errno();
	*got = (size_t)n;
	return n > 0 ? OK : ERR_NONE;
}

enum err
channel_read(struct channel *ch, char *buf, size_t cap, size_t *got)
{
	enum tls_step step;

	if (ch->tls == NULL)
		return read_plain(ch->fd, buf, cap, got);
	ch->write_needs_read = false;
	step = tls_read(ch->tls, buf, cap, got);
	ch->read_needs_write = step == TLS_WANT_WRITE;
	return judge(step);
}

bool
channel_has_more(const struct channel *ch)
{
	return ch->tls != NULL && !ch->is_shaking && tls_pending(ch->tls) > 0;
}

/* Writing. */

/* The record that waits is the front of the runs; else fill one from there. */
static void
gather(struct channel *ch, const struct iovec *iov, unsigned cnt, size_t skip)
{
	if (ch->offered > 0)
		return;
	for (unsigned i = 0; i < cnt && ch->offered < CHANNEL_RECORD; i++) {
		struct span run = span_tail((struct span){ iov[i].iov_base,
		    iov[i].iov_len }, skip);

		skip -= iov[i].iov_len - run.len;
		run = span_head(run, CHANNEL_RECORD - ch->offered);
		if (run.len > 0)
			memcpy(ch->record + ch->offered, run.ptr, run.len);
		ch->offered += run.len;
	}
}

/* What comes next: the record, or the single run as it lies there. */
static struct span
next_of(const struct channel *ch, const struct iovec *iov, unsigned cnt,
    size_t skip)
{
	if (ch->record != NULL)
		return (struct span){ ch->record, ch->offered };
	assert(cnt == 1);
	return span_tail((struct span){ iov->iov_base, iov->iov_len }, skip);
}

static enum err
write_tls(struct channel *ch, const struct iovec *iov, unsigned cnt,
    size_t *put)
{
	enum tls_step step = TLS_OK;
	size_t n, done = 0;

	if (cnt > 1 && ch->record == NULL &&
	    (ch->record = malloc(CHANNEL_RECORD)) == NULL)
		return ERR_SYS;
	for (;;) {
		struct span next;

		if (ch->record != NULL)
			gather(ch, iov, cnt, done);
		next = next_of(ch, iov, cnt, done);
		if (next.len == 0)
			break;
		step = tls_write(ch->tls, next, &n);
		if (step != TLS_OK)
			break;
		done += n;
		if (ch->record == NULL)
			continue;
		ch->offered -= n;
		memmove(ch->record, ch->record + n, ch->offered);
	}
	ch->write_needs_read = step == TLS_WANT_READ;
	*put = done;
	return done > 0 ? OK : judge(step);
}

enum err
channel_write(struct channel *ch, const struct iovec *iov, unsigned cnt,
    size_t *put)
{
	ssize_t n;

	if (ch->tls != NULL)
		return write_tls(ch, iov, cnt, put);
	n = writev(ch->fd, iov, (int)cnt);	/* without a SIGPIPE: boot.c */
	if (n == -1)
		return judge_errno();
	*put = (size_t)n;
	return OK;
}

/* Waiting. */

unsigned
channel_wants(const struct channel *ch, bool reads, bool writes)
{
	unsigned want = 0;

	if (ch->is_waiting)
		return 0;
	if (ch->is_shaking)
		return ch->read_needs_write ? EV_WRITE : EV_READ;
	if (reads)
		want |= ch->read_needs_write ? EV_READ | EV_WRITE : EV_READ;
	if (writes)
		want |= ch->write_needs_read ? EV_READ : EV_WRITE;
	return want;
}

bool
channel_may_read(const struct channel *ch, unsigned events)
{
	return (events & EV_READ) != 0 ||
	    (ch->read_needs_write && (events & EV_WRITE) != 0);
}

/* The last word. */

enum err
channel_shut(struct channel *ch)
{
	if (ch->tls != NULL && !ch->is_shaking)
		(void)tls_shutdown(ch->tls);
	tls_free(&ch->tls);
	ch->is_shaking = ch->is_waiting = false;
	return shutdown(ch->fd, SHUT_WR) == -1 ? ERR_CLOSED : OK;
}

enum err
channel_drop(struct channel *ch, char *buf, size_t cap, size_t *got)
{
	return read_plain(ch->fd, buf, cap, got);
}
