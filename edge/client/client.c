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
#include <sys/uio.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "edge/client/client.h"
#include "edge/client/handshake.h"
#include "edge/edge.h"
#include "edge/protocol.h"
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
	struct seat	*seat;		/* ours to close		*/
};

static size_t
room(const struct client *c)
{
	return c->seat->protocol->room(c->seat);
}

static bool
is_waiting(const struct client *c)
{
	return c->seat->protocol->is_waiting(c->seat);
}

static bool
is_private(const struct client *c)
{
	return c->seat->protocol->is_private(c->seat);
}

static int64_t
patience_ms(const struct client *c)
{
	return c->seat->protocol->patience_ms(c->seat);
}

static void
log_closed(const struct client *c, const char *why)
{
	struct log_line l;

	log_begin(&l, LOG_closed);
	log_hex(&l, LOG_KEY_session, c->seat->origin->session);
	log_text(&l, LOG_KEY_client, c->seat->origin->client);
	log_num(&l, LOG_KEY_count, c->seat->taken_cnt);
	log_num(&l, LOG_KEY_ms, ev_now_ms(c->edge->loop) - c->seat->begun_ms);
	log_text(&l, LOG_KEY_why, why);
	log_end(&l);
}

/* What is left of the input may be half a password. */
static void
drop_rest(struct client *c)
{
	if (c->rest.len > 0 && is_private(c))
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
	if (c->channel.is_shaking)
		handshake_given_up();
	channel_close(&c->channel);
	limits_leave(edge->limits, &c->seat->origin->address);
	drop_rest(c);
	c->seat->protocol->close(&c->seat);
	LIST_REMOVE(c, entry);
	counter_set(COUNTER_sessions, --edge->client_cnt);
	free(c);
	if (edge->is_draining && edge->client_cnt == 0)
		later_call(&edge->ended);
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
		return SEAT_SILENT_MS;
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
	struct grow *out = &c->seat->out;
	struct iovec run;
	size_t n;
	enum err e;

	while (out->len > 0) {
		run = (struct iovec){ out->ptr, out->len };
		e = channel_write(&c->channel, &run, 1, &n);
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
	size_t want = room(c), n;
	enum err e;

	if (want > EDGE_READ_MAX - *len)
		want = EDGE_READ_MAX - *len;
	if (want == 0 || c->has_eof)
		return OK;
	e = channel_read(&c->channel, c->edge->in + *len, want, &n);
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
	bool wipes = is_private(c);
	struct span in = { c->edge->in, len };
	enum err e = OK;
	size_t before;

	do {
		before = in.len;
		c->seat->protocol->feed(c->seat, &in);
		e = write_out(c);
	} while (e == OK && in.len > 0 && in.len < before &&
	    room(c) > 0);
	if (e == OK && in.len > 0 && !c->seat->is_closed)
		e = grow_add(&c->rest, in);
	if (wipes)
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
	if (c->seat->out.len > 0 || is_waiting(c))
		return false;
	if (c->seat->is_closed)
		return true;
	return c->has_eof && (c->rest.len == 0 || room(c) > 0);
}

/*
 * Ask the loop for exactly what can move us on.  While the queue decides most
 * clients say nothing: reading is not switched off before one does.
 */
static void
settle(struct client *c)
{
	bool is_patient = is_waiting(c) && !c->is_pushing;

	if (is_over(c)) {
		if (c->seat->is_hasty && !c->has_eof)
			linger(c);
		else
			client_close(c, c->seat->is_closed ? "done" :
			    "client left");
		return;
	}
	if (room(c) > 0)
		c->is_pushing = false;
	ev_want(&c->ev, channel_wants(&c->channel, !c->has_eof &&
	    (is_patient || room(c) > 0), c->seat->out.len > 0));
}

static void	client_signed(void *arg);

/* The 220 is out, or there was none to say: nothing is in the clear now. */
static void
begin_tls(struct client *c)
{
	drop_rest(c);
	if (handshake_begin(&c->channel, c->edge->tls, client_signed, c) !=
	    OK) {
		client_close(c, "no TLS");
		return;
	}
	shaking_begin(&c->edge->shaking, &c->shaking, c,
	    &c->seat->origin->address);
	timer_set(&c->timer, patience_ms(c));
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
	else if (is_private(c))
		explicit_bzero(c->edge->in, len);
	if (e == OK && !c->has_eof && room(c) > 0 &&
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
	else if (c->seat->protocol->wants_tls(c->seat) &&
	    c->seat->out.len == 0 && !c->has_eof)
		begin_tls(c);
	else
		settle(c);
}

static void
shake(struct client *c)
{
	enum err e = handshake_go_on(&c->channel, c->seat->origin);
	struct tls_facts facts;

	if (e == ERR_AGAIN) {
		if (channel_has_moved(&c->channel))
			shaking_moved(&c->edge->shaking, &c->shaking);
		ev_want(&c->ev, channel_wants(&c->channel, true, false));
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
	tls_facts(c->channel.tls, &facts);
	c->seat->protocol->secured(c->seat, facts.version, facts.cipher);
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
	if (what & EV_HANGUP && room(c) == 0) {
		client_close(c, "client left");
		return;
	}
	if (c->channel.is_shaking) {
		shake(c);
		return;
	}
	if (what & EV_READ && is_waiting(c))
		c->is_pushing = true;
	if (write_out(c) != OK) {
		client_close(c, "client left");
		return;
	}
	run(c, channel_may_read(&c->channel, what));
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
		c->seat->protocol->end(c->seat);
	else
		c->seat->protocol->drain(c->seat);
	run(c, false);
}

static void
client_late(struct timer *timer, void *arg)
{
	struct client *c = arg;
	int64_t ms = patience_ms(c), tick = tick_ms(c->edge);

	if (c->is_lingering || c->seat->is_closed) {
		client_close(c, "timeout");
		return;
	}
	if (ms != 0) {
		timer_set(&c->timer, ms == -1 || ms > tick ? tick : ms);
		c->seat->protocol->tick(c->seat);
		if (c->edge->is_gentle)
			take_leave(c, false);
		return;
	}
	if (c->channel.is_shaking) {
		client_close(c, "timeout");
		return;
	}
	c->seat->protocol->expire(c->seat);
	if (write_out(c) != OK || c->seat->out.len == 0)
		client_close(c, "timeout");
	else {
		timer_set(&c->timer, LINGER_MS);
		ev_want(&c->ev, channel_wants(&c->channel, false, true));
	}
}

static void
client_wake(void *arg)
{
	run(arg, false);
}

static void
log_accepted(const struct client *c)
{
	struct log_line l;

	log_begin(&l, LOG_accepted);
	log_hex(&l, LOG_KEY_session, c->seat->origin->session);
	log_text(&l, LOG_KEY_client, c->seat->origin->client);
	log_num(&l, LOG_KEY_count, c->edge->client_cnt);
	log_end(&l);
}

enum err
client_open(struct edge *edge, int fd, const struct client_address *address)
{
	struct client *c = calloc(1, sizeof(*c));
	enum err e = ERR_FULL;

	if (c != NULL)
		c->seat = edge->protocol->open(edge, address, client_wake, c);
	if (c != NULL && c->seat != NULL)
		e = ev_init(&c->ev, edge->loop, fd, EV_READ, client_ready, c);
	if (e != OK) {
		if (c != NULL && c->seat != NULL)
			edge->protocol->close(&c->seat);
		free(c);
		close(fd);
		limits_leave(edge->limits, address);
		return e;
	}
	c->edge = edge;
	channel_open(&c->channel, fd);
	timer_init(&c->timer, edge->loop, client_late, c);
	timer_set(&c->timer, tick_ms(edge));
	LIST_INSERT_HEAD(&edge->clients, c, entry);
	counter_set(COUNTER_sessions, ++edge->client_cnt);
	log_accepted(c);
	c->seat->protocol->greet(c->seat);
	run(c, false);
	return OK;
}

void
client_drain(struct client *c, bool always)
{
	if (c->is_lingering)
		return;
	if (c->edge->is_gentle)
		timer_set(&c->timer, SEAT_SILENT_MS);
	take_leave(c, always);
}

struct client *
client_next(const struct client *c)
{
	return LIST_NEXT(c, entry);
}
