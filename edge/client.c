/*
 * client.c - a turn: read once into the buffer all clients share, let the
 * session work through it, write all replies at once.  What is left of the
 * input (part of a line, or what must wait for the queue) is copied away, so
 * that an idle client holds no buffer at all.
 *
 * A connection that we end while the client may still be sending is shut
 * first and read empty for a moment: closing it with bytes unread would make
 * the kernel reset it, and the client would never see our last reply.
 *
 * client_close() is always the last act: after it there is no c.
 */
#include <sys/queue.h>
#include <sys/socket.h>

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "edge/client.h"
#include "edge/edge.h"
#include "edge/session.h"

#define LINGER_MS	2000		/* to read what is in flight	*/
#define LINGER_MAX	(1u << 20)	/* bytes of it			*/

struct client {
	LIST_ENTRY(client) entry;
	struct edge	*edge;
	struct ev	 ev;
	struct timer	 timer;
	int		 fd;
	bool		 has_eof;	/* the client has said all	*/
	bool		 is_pushing;	/* sends while the queue decides */
	bool		 is_lingering;
	size_t		 lingered;	/* bytes read since		*/
	struct grow	 rest;		/* input not used yet		*/
	struct session	 s;
};

static void
log_closed(const struct client *c, const char *why)
{
	struct log_line l;

	log_begin(&l, LOG_closed);
	log_text(&l, LOG_KEY_client, c->s.client_text);
	log_num(&l, LOG_KEY_count, c->s.taken_cnt);
	log_num(&l, LOG_KEY_ms, ev_now_ms(c->edge->loop) - c->s.begun_ms);
	log_text(&l, LOG_KEY_why, why);
	log_end(&l);
}

void
client_close(struct client *c, const char *why)
{
	struct edge *edge = c->edge;

	log_closed(c, why);
	ev_fini(&c->ev);
	timer_stop(&c->timer);
	close(c->fd);
	crowd_leave(edge->crowd, &c->s.address);
	session_fini(&c->s);
	grow_free(&c->rest);
	LIST_REMOVE(c, entry);
	edge->client_cnt--;
	free(c);
	edge_left(edge);
}

/* How far ahead the timer is set at most, so that no deadline is overslept. */
static int64_t
tick_ms(const struct edge *edge)
{
	int64_t ms = edge->set.timeout_ms;

	if (edge->is_gentle)
		return SESSION_SILENT_MS;
	if (edge->set.data_timeout_ms < ms)
		ms = edge->set.data_timeout_ms;
	if (edge->set.session_timeout_ms < ms)
		ms = edge->set.session_timeout_ms;
	return ms;
}

/* Write what is there to be read.  ERR_CLOSED when nobody reads any more. */
static enum err
write_out(struct client *c)
{
	struct grow *out = &c->s.out;
	ssize_t n;

	while (out->len > 0) {
		n = send(c->fd, out->ptr, out->len,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
		if (n > 0)
			grow_drop(out, (size_t)n);
		else if (errno == EAGAIN)
			return OK;
		else if (errno != EINTR)
			return ERR_CLOSED;
	}
	return OK;
}

/* Read into the shared buffer behind its first *len bytes. */
static enum err
read_in(struct client *c, size_t *len)
{
	size_t room = session_room(&c->s);
	ssize_t n;

	if (room > EDGE_READ_MAX - *len)
		room = EDGE_READ_MAX - *len;
	if (room == 0 || c->has_eof)
		return OK;
	n = recv(c->fd, c->edge->in + *len, room, MSG_DONTWAIT);
	if (n > 0)
		*len += (size_t)n;
	else if (n == 0)
		c->has_eof = true;
	else if (errno != EAGAIN && errno != EINTR)
		return ERR_CLOSED;
	return OK;
}

/* Let the session use what there is, and keep what it does not. */
static enum err
use(struct client *c, size_t len)
{
	struct span in = { c->edge->in, len };
	enum err e = OK;
	size_t before;

	do {
		before = in.len;
		session_feed(&c->s, &in);
		e = write_out(c);
	} while (e == OK && in.len > 0 && in.len < before &&
	    session_room(&c->s) > 0);
	if (e == OK && in.len > 0 && c->s.state != ST_CLOSED)
		e = grow_add(&c->rest, in);
	return e;
}

/* We have said our last word; see that the client can hear it. */
static void
linger(struct client *c)
{
	c->is_lingering = true;
	grow_free(&c->rest);
	if (shutdown(c->fd, SHUT_WR) == -1) {
		client_close(c, "refused");
		return;
	}
	timer_set(&c->timer, LINGER_MS);
	ev_want(&c->ev, EV_READ);
}

/* Is the session over, or will nothing move it any more? */
static bool
is_over(const struct client *c)
{
	if (c->s.out.len > 0 || c->s.state == ST_WAIT)
		return false;
	if (c->s.state == ST_CLOSED)
		return true;
	return c->has_eof && (c->rest.len == 0 || session_room(&c->s) > 0);
}

/*
 * Ask the loop for exactly what can move us on.  While the queue decides most
 * clients say nothing: reading is not switched off before one does.
 */
static void
settle(struct client *c)
{
	bool is_waiting = c->s.state == ST_WAIT && !c->is_pushing;
	unsigned want = 0;

	if (is_over(c)) {
		if (c->s.is_hasty && !c->has_eof)
			linger(c);
		else
			client_close(c, c->s.state == ST_CLOSED ? "done" :
			    "client left");
		return;
	}
	if (session_room(&c->s) > 0)
		c->is_pushing = false;
	if (c->s.out.len > 0)
		want |= EV_WRITE;
	if (!c->has_eof && (is_waiting || session_room(&c->s) > 0))
		want |= EV_READ;
	ev_want(&c->ev, want);
}

static void
run(struct client *c, bool can_read)
{
	size_t len = c->rest.len;
	enum err e = OK;

	if (len > 0) {
		memcpy(c->edge->in, c->rest.ptr, len);
		grow_free(&c->rest);
	}
	if (can_read)
		e = read_in(c, &len);
	if (e == OK)
		e = use(c, len);
	if (e != OK)
		client_close(c, err_name(e));
	else
		settle(c);
}

static void
read_away(struct client *c)
{
	ssize_t n = recv(c->fd, c->edge->in, EDGE_READ_MAX, MSG_DONTWAIT);

	if (n > 0 && (c->lingered += (size_t)n) < LINGER_MAX)
		return;
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	client_close(c, "refused");
}

static void
client_ready(struct ev *ev, unsigned what, void *arg)
{
	struct client *c = arg;

	if (c->is_lingering) {
		read_away(c);
		return;
	}
	if (what & EV_HANGUP && session_room(&c->s) == 0) {
		client_close(c, "client left");
		return;
	}
	if (what & EV_READ && c->s.state == ST_WAIT)
		c->is_pushing = true;
	if (what & EV_WRITE && write_out(c) != OK) {
		client_close(c, "client left");
		return;
	}
	run(c, (what & EV_READ) != 0);
}

/* We want to end: the session knows whether it does now. */
static void
take_leave(struct client *c, bool always)
{
	if (always)
		session_end(&c->s, "4.3.2", "Service shutting down");
	else
		session_drain(&c->s);
	run(c, false);
}

static void
client_late(struct timer *timer, void *arg)
{
	struct client *c = arg;
	int64_t ms = session_patience_ms(&c->s), tick = tick_ms(c->edge);

	if (c->is_lingering || c->s.state == ST_CLOSED) {
		client_close(c, "timeout");
		return;
	}
	if (ms != 0) {
		timer_set(&c->timer, ms == -1 || ms > tick ? tick : ms);
		if (c->edge->is_gentle)
			take_leave(c, false);
		return;
	}
	session_expire(&c->s);
	if (write_out(c) != OK || c->s.out.len == 0)
		client_close(c, "timeout");
	else {
		timer_set(&c->timer, LINGER_MS);
		ev_want(&c->ev, EV_WRITE);
	}
}

static void
client_wake(struct session *s)
{
	struct client *c = (void *)((char *)s - offsetof(struct client, s));

	run(c, false);
}

static void
log_accepted(const struct client *c)
{
	struct log_line l;

	log_begin(&l, LOG_accepted);
	log_text(&l, LOG_KEY_client, c->s.client_text);
	log_num(&l, LOG_KEY_count, c->edge->client_cnt);
	log_end(&l);
}

enum err
client_open(struct edge *edge, int fd, const struct client_address *address)
{
	struct client *c = calloc(1, sizeof(*c));
	enum err e = ERR_FULL;

	if (c == NULL ||
	    (e = ev_init(&c->ev, edge->loop, fd, EV_READ, client_ready,
	    c)) != OK) {
		free(c);
		close(fd);
		crowd_leave(edge->crowd, address);
		return e;
	}
	c->edge = edge;
	c->fd = fd;
	timer_init(&c->timer, edge->loop, client_late, c);
	timer_set(&c->timer, tick_ms(edge));
	session_init(&c->s, edge, address, client_wake);
	LIST_INSERT_HEAD(&edge->clients, c, entry);
	edge->client_cnt++;
	log_accepted(c);
	session_greet(&c->s);
	run(c, false);
	return OK;
}

void
client_drain(struct client *c, bool always)
{
	if (c->is_lingering)
		return;
	if (c->edge->is_gentle)
		timer_set(&c->timer, SESSION_SILENT_MS);
	take_leave(c, always);
}

struct client *
client_next(const struct client *c)
{
	return LIST_NEXT(c, entry);
}
