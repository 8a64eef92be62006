/*
 * session.c - cuts the input into command lines and message text.  Lines end
 * with CR LF and with nothing else (RFC 5321 2.3.8): what looks like a second
 * line to somebody else is refused, and whoever ends a line with a bare LF is
 * not listened to any further, unless bare_lf says otherwise and we know him.
 */
#include <stdlib.h>

#include "edge/client/client_name.h"
#include "edge/edge.h"
#include "edge/stage/spf_check.h"
#include "edge/smtp/auth.h"
#include "edge/smtp/cmd.h"
#include "edge/smtp/session.h"
#include "edge/text/transaction.h"

#define UNSENT_MAX	(64u << 10)	/* bytes of replies a client may leave
					 * unread before we stop reading */
#define TLS_HANDSHAKE	0x16		/* first byte of a ClientHello	*/
#define HANDSHAKE_MS	30000		/* for all of it		*/

static bool
is_between_mails(const struct session *s)
{
	return s->state == ST_NEW || s->state == ST_READY ||
	    s->state == ST_AUTH || s->state == ST_SHUT;
}

static bool
is_talking(const struct session *s)
{
	return ev_now_ms(s->edge->loop) - s->since_ms < SEAT_SILENT_MS;
}

void
session_drain(struct session *s)
{
	if (is_between_mails(s) && !(s->edge->is_gentle && is_talking(s)))
		session_end(s, "4.3.2", "Service shutting down");
}

/* A command is done, and a drain may have waited for it. */
static void
drain_if(struct session *s)
{
	if (s->edge->is_draining)
		session_drain(s);
}

/* Does text come now, and not a line? */
static bool
is_text(const struct session *s)
{
	return s->state == ST_DATA || s->state == ST_CHUNK;
}

/* False when nothing more can be taken for now. */
static bool
feed_text(struct session *s, struct span *in)
{
	bool is_chunk = s->state == ST_CHUNK;
	enum framing_step step;

	if (!transaction_take(s->transaction, in, &step)) {
		s->verb = is_chunk ? "BDAT" : "DATA";
		session_end(s, "4.4.2", "The message comes too slowly");
		return false;
	}
	if (step == FRAMING_CHUNK)
		session_event(s, EVENT_CHUNK, SPAN(""));
	else if (step == FRAMING_END)
		session_event(s, is_chunk ? EVENT_LAST : EVENT_END, SPAN(""));
	else
		return false;
	drain_if(s);
	return true;
}

/* The octets of a chunk that nobody wants. */
static bool
feed_void(struct session *s, struct span *in)
{
	struct span gone = span_head(*in, s->void_left < in->len ?
	    (size_t)s->void_left : in->len);

	*in = span_tail(*in, gone.len);
	cmd_throw(s, s->void_left - gone.len);
	return s->void_left == 0;
}

/* What a line may be long, with its line end. */
static size_t
line_max(const struct session *s, struct span in)
{
	if (s->state == ST_AUTH || span_begins_nocase(in, SPAN("AUTH ")))
		return AUTH_LINE_MAX;
	return COMMAND_LINE_MAX;
}

/* A line that is not whole and cannot become one. */
static void
give_up(struct session *s, struct span in)
{
	if (line_max(s, in) == AUTH_LINE_MAX) {
		s->verb = "AUTH";
		session_hang_up(s, "5.5.6",
		    "Authentication exchange line is too long");
	} else
		session_hang_up(s, "5.5.2", "Line too long, or no command");
}

/* False when the line is not whole yet. */
static bool
feed_line(struct session *s, struct span *in)
{
	struct span head = span_head(*in, line_max(s, *in));
	size_t n = span_find(head, '\n');
	struct span line = span_head(*in, n);

	s->verb = "unknown";
	if (n == head.len) {
		if (in->len >= line_max(s, *in) ||
		    (s->state == ST_NEW && in->ptr[0] == TLS_HANDSHAKE))
			give_up(s, *in);
		return false;
	}
	*in = span_tail(*in, n + 1);
	s->has_more = in->len > 0;
	s->since_ms = ev_now_ms(s->edge->loop);
	if (n > 0 && line.ptr[n - 1] == '\r')
		line.len--;
	else if (!cmd_is_lax(s)) {
		session_hang_up(s, "5.5.2", "Lines end with CR LF");
		return false;
	}
	session_line(s, line);
	drain_if(s);
	return true;
}

/* May the client be listened to now? */
static bool
is_listening(const struct session *s)
{
	return !session_is_waiting(s) && s->state != ST_SECURE &&
	    s->state != ST_CLOSED && s->seat.out.len < UNSENT_MAX;
}

bool
session_is_private(const struct session *s)
{
	return s->edge->set.has_users && s->origin.login == NULL;
}

void
session_feed(struct session *s, struct span *in)
{
	bool goes_on = true;

	/* An empty chunk needs no input. */
	while (goes_on && (in->len > 0 || s->state == ST_CHUNK) &&
	    is_listening(s)) {
		if (is_text(s))
			goes_on = feed_text(s, in);
		else if (s->void_left > 0)
			goes_on = feed_void(s, in);
		else
			goes_on = feed_line(s, in);
	}
	if (s->state == ST_CLOSED)
		transaction_end(&s->transaction);
}

size_t
session_room(const struct session *s)
{
	if (!is_listening(s))
		return 0;
	if (is_text(s))
		return transaction_room(s->transaction);
	return EDGE_READ_MAX;
}

int64_t
session_patience_ms(const struct session *s)
{
	const struct settings *set = &s->edge->set;
	int64_t now = ev_now_ms(s->edge->loop);
	int64_t due = s->since_ms + set->timeout_ms;
	int64_t last = s->seat.begun_ms + set->session_timeout_ms;

	if (session_is_waiting(s))
		return -1;
	if (is_text(s))
		due = transaction_silent_ms(s->transaction, now) +
		    set->data_timeout_ms;
	if (s->state == ST_SECURE && s->since_ms + HANDSHAKE_MS < due)
		due = s->since_ms + HANDSHAKE_MS;
	if (last < due)
		due = last;
	return due > now ? due - now : 0;
}

void
session_expire(struct session *s)
{
	s->verb = s->state == ST_DATA ? "DATA" :
	    s->state == ST_CHUNK ? "BDAT" : "timeout";
	session_end(s, "4.4.2", "Connection timed out");
	s->seat.is_hasty = false;
}

void
session_greet(struct session *s)
{
	if (s->edge->set.tls_immediately && !s->origin.is_secure &&
	    !origin_is_local(&s->origin)) {
		session_event(s, EVENT_SHAKE, SPAN(""));
		return;
	}
	s->is_greeted = true;
	session_event(s, EVENT_CONNECT, SPAN(""));
}

void
session_secured(struct session *s)
{
	s->origin.is_secure = true;
	s->origin.is_extended = false;
	origin_forget(&s->origin);
	s->since_ms = ev_now_ms(s->edge->loop);
	session_event(s, EVENT_SECURED, SPAN(""));
	if (!s->is_greeted)
		session_greet(s);
	drain_if(s);
}

/*
 * The command's reply comes with its last answer: from then on time counts
 * for the client again.
 */
static void
on_answer(struct session *s, const struct reply *no)
{
	s->since_ms = ev_now_ms(s->edge->loop);
	session_go_on(s, no);
	drain_if(s);
	session_wake(s);
}

void
session_init(struct session *s, struct edge *edge,
    const struct client_address *address, seat_wake_fn *on_wake, void *arg)
{
	*s = (struct session){
		.edge = edge,
		.on_answer = on_answer, .next_verb = session_verb,
		.seat = {
			.on_wake = on_wake,
			.arg = arg,
			.begun_ms = ev_now_ms(edge->loop),
		},
		.verb = "connect",
		.path_key = LOG_KEY__COUNT,
		.since_ms = ev_now_ms(edge->loop),
	};
	origin_init(&s->origin, address);
	s->origin.session = ++edge->last_session;
	s->seat.origin = &s->origin;
	session_ask_name(s);
}

void
session_fini(struct session *s)
{
	stage_cancel(s);
	client_name_cancel(&s->naming);
	dnsbl_cancel(&s->dnsbl);
	spf_check_cancel(&s->spf);
	free(s->listed);
	transaction_end(&s->transaction);
	auth_end(&s->auth);
	grow_free(&s->seat.out);
	free(s->yes);
	free(s->helo);
	s->helo = NULL;
	origin_fini(&s->origin);
}
