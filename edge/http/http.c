/*
 * http.c - HTTP takes the seat: when it listens to whom, for how long, and how
 * it ends.  What is said by whom is post_head.c's, post_talk.c's and
 * post_answer.c's.
 *
 * Time counts for a whole head, from the end of the answer before it: who sends
 * a byte now and then gets no more of it.
 */
#include <stdlib.h>

#include "edge/edge.h"
#include "edge/http/post.h"
#include "edge/text/transaction.h"

#define UNSENT_MAX	(64u << 10)	/* bytes of answers a client may leave
					 * unread before we stop reading */
#define AWAY_MAX	(1u << 20)	/* bytes of a body that nobody wants;
					 * then the connection ends	*/

/* The seat is what a post begins with. */
static struct post *
post_of(struct seat *seat)
{
	return (struct post *)(void *)seat;
}

static const struct post *
post_at(const struct seat *seat)
{
	return (const struct post *)(const void *)seat;
}

static struct seat *
http_open(struct edge *edge, const struct client_address *address,
    seat_wake_fn *on_wake, void *arg)
{
	struct post *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	session_init(&p->session, edge, address, on_wake, arg);
	p->session.origin.is_http = true;
	p->edge = edge;
	p->at = POST_TALK;
	p->step = POST_GREETING;
	p->since_ms = ev_now_ms(edge->loop);
	p->seat = (struct seat){
		.protocol = &protocol_http,
		.origin = &p->session.origin,
		.on_wake = on_wake,
		.arg = arg,
		.begun_ms = p->since_ms,
	};
	p->session.seat.protocol = &protocol_http;
	return &p->seat;
}

static void
http_close(struct seat **seat)
{
	struct post *p = post_of(*seat);

	*seat = NULL;
	post_clear(p);
	session_fini(&p->session);
	grow_free(&p->seat.out);
	free(p);
}

static void
http_greet(struct seat *seat)
{
	session_greet(&post_of(seat)->session);
}

static bool
http_wants_tls(const struct seat *seat)
{
	return post_at(seat)->session.state == ST_SECURE;
}

static void
http_secured(struct seat *seat, const char *version, const char *cipher)
{
	struct post *p = post_of(seat);

	p->session.origin.tls_version = version;
	p->session.origin.tls_cipher = cipher;
	p->since_ms = ev_now_ms(p->edge->loop);
	session_secured(&p->session);
}

static bool
is_waiting(const struct post *p)
{
	return session_is_waiting(&p->session);
}

/* What is left of a body whose request is answered already. */
static bool
read_away(struct post *p, struct span *in)
{
	struct span run;
	enum http_step step;

	while ((step = http_body_next(&p->body, in, &run)) == HTTP_RUN)
		if ((p->away_len += run.len) > AWAY_MAX)
			break;
	if (step == HTTP_MORE)
		return false;
	p->is_last |= step != HTTP_END;
	post_answer(p, &p->answer);
	return true;
}

/* One thing; false when nothing moves for now. */
static bool
turn(struct post *p, struct span *in)
{
	if (p->seat.is_closed || is_waiting(p) || http_wants_tls(&p->seat))
		return false;
	if (post_hear(p))
		return true;
	switch (p->at) {
	case POST_HEAD:
		return p->seat.out.len < UNSENT_MAX && post_head(p, in);
	case POST_TEXT:
		return post_text(p, in);
	case POST_AWAY:
		return read_away(p, in);
	case POST_TALK:
	case POST_END:
		break;
	}
	return false;
}

static void
http_feed(struct seat *seat, struct span *in)
{
	struct post *p = post_of(seat);

	while (turn(p, in))
		continue;
	p->seat.taken_cnt = p->session.seat.taken_cnt;
}

/* A chunk's framing is read where there is room for one byte of the text. */
static size_t
http_room(const struct seat *seat)
{
	const struct post *p = post_at(seat);
	const struct transaction *t = p->session.transaction;

	if (p->seat.is_closed || is_waiting(p) || http_wants_tls(seat) ||
	    p->seat.out.len >= UNSENT_MAX)
		return 0;
	switch (p->at) {
	case POST_HEAD:
	case POST_AWAY:
		return EDGE_READ_MAX;
	case POST_TEXT:
		return t != NULL && t->has_text ? transaction_room(t) :
		    EDGE_READ_MAX;
	case POST_TALK:
	case POST_END:
		break;
	}
	return 0;
}

static bool
http_is_waiting(const struct seat *seat)
{
	return is_waiting(post_at(seat));
}

/* Each request may bring one. */
static bool
http_is_private(const struct seat *seat)
{
	return post_at(seat)->edge->set.has_users;
}

static int64_t
http_patience_ms(const struct seat *seat)
{
	const struct post *p = post_at(seat);
	const struct settings *set = &p->edge->set;
	const struct transaction *t = p->session.transaction;
	int64_t now = ev_now_ms(p->edge->loop);
	int64_t due = p->since_ms + set->timeout_ms;
	int64_t last = p->seat.begun_ms + set->session_timeout_ms;

	if (is_waiting(p))
		return -1;
	if (http_wants_tls(seat))
		return session_patience_ms(&p->session);
	if (p->at == POST_TEXT && t != NULL && t->has_text)
		due = transaction_silent_ms(t, now) + set->data_timeout_ms;
	if (last < due)
		due = last;
	return due > now ? due - now : 0;
}

/* Between two requests there is nobody to whom anything could be said. */
static bool
is_idle(const struct post *p)
{
	return p->at == POST_HEAD && !p->has_begun;
}

/* Whatever is under way ends with these words. */
static void
give_up(struct post *p, unsigned status, const char *dsn, const char *text)
{
	struct post_answer a = { .status = status };

	if (is_idle(p)) {
		post_close(p, false);
		return;
	}
	if (p->seat.is_closed)
		return;
	p->session.verb = "HTTP";
	session_end(&p->session, dsn, text);
	if (response_take(&(struct span){ p->session.seat.out.ptr,
	    p->session.seat.out.len }, &p->response) == OK)
		post_answer_of(p, "", &a);
	a.status = status;
	p->is_last = true;
	post_answer(p, &a);
}

static void
http_expire(struct seat *seat)
{
	give_up(post_of(seat), 408, "4.4.2", "Connection timed out");
	seat->is_hasty = false;
}

/* The queue drops a message of which it hears nothing for too long. */
static void
http_tick(struct seat *seat)
{
	struct transaction *t = post_of(seat)->session.transaction;

	if (t != NULL)
		transaction_wait(t);
}

/* An answer that comes in a drain is the last of its connection. */
static void
http_drain(struct seat *seat)
{
	struct post *p = post_of(seat);

	if (is_idle(p) && !(p->edge->is_gentle &&
	    ev_now_ms(p->edge->loop) - p->since_ms < SEAT_SILENT_MS))
		post_close(p, true);
}

static void
http_end(struct seat *seat)
{
	give_up(post_of(seat), 503, "4.3.2", "Service shutting down");
}

const struct protocol protocol_http = {
	.open = http_open, .close = http_close, .greet = http_greet,
	.wants_tls = http_wants_tls, .secured = http_secured,
	.feed = http_feed, .room = http_room,
	.is_waiting = http_is_waiting, .is_private = http_is_private,
	.patience_ms = http_patience_ms, .expire = http_expire,
	.tick = http_tick, .drain = http_drain, .end = http_end,
	.busy = "HTTP/1.1 503 Service Unavailable\r\n"
	    "Content-Length: 0\r\nConnection: close\r\n\r\n",
};
