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
 * The TLS handshake is done here, between two turns of the session, and the
 * session's deadline holds for it too; only that there is nobody yet to whom
 * anything could be said.
 *
 * client_close() is always the last act: after it there is no c.
 */
#include <sys/queue.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "edge/channel.h"
#include "edge/client.h"
#include "edge/edge.h"
#include "edge/session.h"
#include "edge/transaction.h"
#include "sys/counters.h"

#define LINGER_MS	2000		/* to read what is in flight	*/
#define LINGER_MAX	(1u << 20)	/* bytes of it			*/

struct client {
	LIST_ENTRY(client) entry;
	struct edge	*edge;
	struct ev	 ev;
	struct timer	 timer;
	struct channel	 channel;
	struct shaking_row shaking;
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
	log_text(&l, LOG_KEY_client, c->s.origin.client);
	log_num(&l, LOG_KEY_count, c->s.taken_cnt);
	log_num(&l, LOG_KEY_ms, ev_now_ms(c->edge->loop) - c->s.begun_ms);
	log_text(&l, LOG_KEY_why, why);
	log_end(&l);
}

/* What is left of the input may be half a password. */
static void
drop_rest(struct client *c)
{
	if (c->rest.len > 0 && session_is_private(&c->s))
		explicit_bzero(c->rest.ptr, c->rest.len);
	grow_free(&c->rest);
}

void
client_close(struct client *c, const char *why)
{
	struct edge *edge = c->edge;

	log_closed(c, why);
	ev_fini(&c->ev);
	timer_stop(&c->timer);
	shaking_over(&edge->shaking, &c->shaking);
	channel_fini(&c->channel);
	crowd_leave(edge->crowd, &c->s.origin.address);
	session_fini(&c->s);
	drop_rest(c);
	LIST_REMOVE(c, entry);
	counter_set(COUNTER_sessions, --edge->client_cnt);
	free(c);
	edge_left(edge);
}

void
client_give_way(void *client)
{
	client_close(client, "too many handshakes");
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
	size_t n;
	enum err e;

	while (out->len > 0) {
		e = channel_write(&c->channel, grow_span(out), &n);
		if (e == ERR_AGAIN)
			return OK;
		if (e != OK)
			return ERR_CLOSED;
		grow_drop(out, n);
	}
	return OK;
}

/* Read into the shared buffer behind its first *len bytes. */
static enum err
read_in(struct client *c, size_t *len)
{
	size_t room = session_room(&c->s), n;
	enum err e;

	if (room > EDGE_READ_MAX - *len)
		room = EDGE_READ_MAX - *len;
	if (room == 0 || c->has_eof)
		return OK;
	e = channel_read(&c->channel, c->edge->in + *len, room, &n);
	if (e == OK)
		*len += n;
	else if (e == ERR_NONE)
		c->has_eof = true;
	else if (e != ERR_AGAIN)
		return e;
	return OK;
}

/* Let the session use what there is, and keep what it does not. */
static enum err
use(struct client *c, size_t len)
{
	bool is_private = session_is_private(&c->s);
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
	if (is_private)
		explicit_bzero(c->edge->in, len);
	return e;
}

/* We have said our last word; see that the client can hear it. */
static void
linger(struct client *c)
{
	c->is_lingering = true;
	drop_rest(c);
	if (channel_shut(&c->channel) != OK) {
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
	if (c->s.out.len > 0 || session_is_waiting(&c->s))
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
	bool is_waiting = session_is_waiting(&c->s) && !c->is_pushing;
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
		want |= c->channel.write_wants;
	if (!c->has_eof && (is_waiting || session_room(&c->s) > 0))
		want |= c->channel.read_wants;
	ev_want(&c->ev, want);
}

static void	client_signed(void *arg);

/* The 220 is out, or there was none to say: nothing is in the clear now. */
static void
begin_tls(struct client *c)
{
	drop_rest(c);
	if (c->edge->tls == NULL || channel_secure(&c->channel, c->edge->tls,
	    client_signed, c) != OK) {
		client_close(c, "no TLS");
		return;
	}
	shaking_begin(&c->edge->shaking, &c->shaking, c, &c->s.origin.address);
	timer_set(&c->timer, session_patience_ms(&c->s));
	ev_want(&c->ev, EV_READ);
}

/* One round of input; ERR_AGAIN when there is more that epoll cannot see. */
static enum err
turn(struct client *c, bool can_read)
{
	size_t len = c->rest.len;
	enum err e = OK;

	if (len > 0) {
		memcpy(c->edge->in, c->rest.ptr, len);
		drop_rest(c);
	}
	if (can_read)
		e = read_in(c, &len);
	if (e == OK)
		e = use(c, len);
	else if (session_is_private(&c->s))
		explicit_bzero(c->edge->in, len);
	if (e == OK && !c->has_eof && session_room(&c->s) > 0 &&
	    channel_has_more(&c->channel))
		return ERR_AGAIN;
	return e;
}

static void
run(struct client *c, bool can_read)
{
	enum err e;

	while ((e = turn(c, can_read)) == ERR_AGAIN)
		can_read = true;
	if (e != OK)
		client_close(c, err_name(e));
	else if (c->s.state == ST_SECURE && c->s.out.len == 0 && !c->has_eof)
		begin_tls(c);
	else
		settle(c);
}

static void
shake(struct client *c)
{
	enum err e = channel_shake(&c->channel, c->s.origin.client);

	if (e == ERR_AGAIN) {
		if (channel_has_moved(&c->channel))
			shaking_moved(&c->edge->shaking, &c->shaking);
		ev_want(&c->ev, c->channel.read_wants);
		return;
	}
	shaking_over(&c->edge->shaking, &c->shaking);
	if (e == ERR_PEER) {		/* the alert is to be heard */
		linger(c);
		return;
	}
	if (e != OK) {
		client_close(c, "client left");
		return;
	}
	session_secured(&c->s);
	run(c, true);
}

/* The vault has answered, or will not. */
static void
client_signed(void *arg)
{
	shake(arg);
}

static void
read_away(struct client *c)
{
	size_t n;
	enum err e = channel_drop(&c->channel, c->edge->in, EDGE_READ_MAX,
	    &n);

	if (e == OK && (c->lingered += n) < LINGER_MAX)
		return;
	if (e != ERR_AGAIN)
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
	if (c->channel.is_shaking) {
		shake(c);
		return;
	}
	if (what & EV_READ && session_is_waiting(&c->s))
		c->is_pushing = true;
	if (what & c->channel.write_wants && write_out(c) != OK) {
		client_close(c, "client left");
		return;
	}
	run(c, (what & c->channel.read_wants) != 0);
}

/* We want to end: the session knows whether it does now. */
static void
take_leave(struct client *c, bool always)
{
	if (c->channel.is_shaking) {
		if (always)
			client_close(c, "stopped");
		return;
	}
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
		if (c->s.transaction != NULL)
			transaction_wait(c->s.transaction);
		if (c->edge->is_gentle)
			take_leave(c, false);
		return;
	}
	if (c->channel.is_shaking) {
		client_close(c, "timeout");
		return;
	}
	session_expire(&c->s);
	if (write_out(c) != OK || c->s.out.len == 0)
		client_close(c, "timeout");
	else {
		timer_set(&c->timer, LINGER_MS);
		ev_want(&c->ev, c->channel.write_wants);
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
	log_text(&l, LOG_KEY_client, c->s.origin.client);
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
	channel_init(&c->channel, fd);
	timer_init(&c->timer, edge->loop, client_late, c);
	timer_set(&c->timer, tick_ms(edge));
	session_init(&c->s, edge, address, client_wake);
	LIST_INSERT_HEAD(&edge->clients, c, entry);
	counter_set(COUNTER_sessions, ++edge->client_cnt);
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
