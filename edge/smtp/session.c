/*
 * session.c - cuts the input into command lines and message text.  Lines end
 * with CR LF and with nothing else (RFC 5321 2.3.8): what looks like a second
 * line to somebody else is refused, and whoever ends a line with a bare LF is
 * not listened to any further, unless bare_lf says otherwise and we know him.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "edge/smtp/auth.h"
#include "edge/edge.h"
#include "edge/smtp/session.h"
#include "edge/text/transaction.h"
#include "sys/counters.h"

#define UNSENT_MAX	(64u << 10)	/* bytes of replies a client may leave
					 * unread before we stop reading */
#define REPLY_MAX	510		/* bytes of a reply line without CRLF,
					 * RFC 5321 4.5.3.1.5		*/
#define LOGGED_MAX	20u		/* refusals logged of one session */
#define NAMED_MAX	20u		/* recipients in one of them	*/
#define TLS_HANDSHAKE	0x16		/* first byte of a ClientHello	*/
#define HANDSHAKE_MS	30000		/* for all of it		*/

static void
put_reply(struct session *s, unsigned code, const char *dsn, const char *text)
{
	char line[REPLY_MAX + 3];
	bool is_more = strcmp(dsn, "-") == 0;
	int len;

	if (is_more || dsn[0] == '\0')
		len = snprintf(line, REPLY_MAX + 1, "%u%c%s", code,
		    is_more ? '-' : ' ', text);
	else
		len = snprintf(line, REPLY_MAX + 1, "%u %s %s", code, dsn,
		    text);
	if (len > REPLY_MAX)
		len = REPLY_MAX;
	line[len++] = '\r';
	line[len++] = '\n';
	/* Without memory for a reply there is no dialogue. */
	if (grow_add(&s->seat.out, (struct span){ line, (size_t)len }) != OK)
		session_close(s, s->seat.is_hasty);
}

/* Whom it is about: he in hand, else all that were taken so far. */
static void
log_envelope(struct log_line *l, const struct session *s,
    const struct transaction *t)
{
	struct transaction_rcpt r;
	size_t at = 0;

	if (t != NULL)
		log_str(l, LOG_KEY_from, transaction_sender(t));
	else if (s->path_key == LOG_KEY_from)
		log_str(l, LOG_KEY_from, s->path);
	if (s->path_key == LOG_KEY_rcpt) {
		log_str(l, LOG_KEY_rcpt, s->path);
		return;
	}
	if (t == NULL || t->rcpt_cnt == 0)
		return;
	log_num(l, LOG_KEY_rcpts, t->rcpt_cnt);
	for (unsigned i = 0; i < t->rcpt_cnt && i < NAMED_MAX; i++) {
		transaction_rcpt(t, &at, &r);
		log_str(l, LOG_KEY_rcpt, r.address);
	}
}

static void
log_refusal(struct session *s, unsigned code, const char *dsn,
    const char *text)
{
	const struct transaction *t = s->transaction;
	struct log_line l;

	counter_add(COUNTER_refused, 1);
	if (s->logged_cnt++ >= LOGGED_MAX)
		return;
	log_begin(&l, LOG_refused);
	log_hex(&l, LOG_KEY_session, s->origin.session);
	if (t != NULL && t->stream.is_granted)
		log_id(&l, LOG_KEY_id, t->stream.id);
	log_text(&l, LOG_KEY_client, s->origin.client);
	if (s->said != NULL || s->origin.helo != NULL)
		log_text(&l, LOG_KEY_helo, s->said != NULL ? s->said :
		    s->origin.helo);
	if (s->origin.login != NULL)
		log_text(&l, LOG_KEY_user, s->origin.login);
	else if (s->auth != NULL)
		log_text(&l, LOG_KEY_user, auth_user(s->auth));
	log_text(&l, LOG_KEY_command, s->verb);
	log_num(&l, LOG_KEY_code, code);
	log_text(&l, LOG_KEY_dsn, dsn);
	log_text(&l, LOG_KEY_reply, text);
	log_envelope(&l, s, t);
	log_end(&l);
}

void
session_reply(struct session *s, unsigned code, const char *dsn,
    const char *fmt, ...)
{
	char text[REPLY_MAX + 1];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put_reply(s, code, dsn, text);
}

/* The last reply.  The transaction stays: a command may be looking at it. */
static void
say_goodbye(struct session *s, const char *dsn, const char *text)
{
	log_refusal(s, 421, dsn, text);
	put_reply(s, 421, dsn, text);
	session_close(s, true);
}

void
session_refuse(struct session *s, unsigned code, const char *dsn,
    const char *fmt, ...)
{
	char text[REPLY_MAX + 1];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_refusal(s, code, dsn, text);
	if (code >= 500 && ++s->bad_cnt > s->edge->set.max_errors) {
		say_goodbye(s, "4.7.0", "Too many errors");
		return;
	}
	put_reply(s, code, dsn, text);
}

void
session_about(struct session *s, enum log_key key, struct span path)
{
	s->path_key = key;
	s->path = path;
}

void
session_say(struct session *s, const struct reply *r)
{
	session_refuse(s, r->code, r->dsn, "%s", r->text);
	if (r->close)
		session_close(s, true);
}

void
session_end(struct session *s, const char *dsn, const char *text)
{
	if (s->state == ST_CLOSED)
		return;
	say_goodbye(s, dsn, text);
	transaction_end(&s->transaction);
	auth_end(&s->auth);
}

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

/* 500, and nothing that follows is read. */
static void
hang_up(struct session *s, const char *dsn, const char *text)
{
	session_refuse(s, 500, dsn, "%s", text);
	transaction_end(&s->transaction);
	auth_end(&s->auth);
	session_close(s, true);
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
	session_throw(s, s->void_left - gone.len);
	return s->void_left == 0;
}

void
session_throw(struct session *s, uint64_t len)
{
	s->void_left = len;
	if (len > 0)
		return;
	s->verb = "BDAT";
	session_refuse(s, 503, "5.5.1", "Bad sequence of commands");
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
		hang_up(s, "5.5.6", "Authentication exchange line is too long");
	} else
		hang_up(s, "5.5.2", "Line too long, or no command");
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
	else if (!session_is_lax(s)) {
		hang_up(s, "5.5.2", "Lines end with CR LF");
		return false;
	}
	session_line(s, line);
	drain_if(s);
	return true;
}

bool
session_is_waiting(const struct session *s)
{
	return s->state == ST_PENDING;
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
	origin_fini(&s->origin);
	s->since_ms = ev_now_ms(s->edge->loop);
	session_event(s, EVENT_SECURED, SPAN(""));
	if (!s->is_greeted)
		session_greet(s);
	drain_if(s);
}

bool
session_is_lax(const struct session *s)
{
	return s->edge->set.normalise_lf && (origin_is_known(&s->origin) ||
	    rules_trusts(&s->edge->set.rules, &s->origin.address));
}

void
session_wake(struct session *s)
{
	if (s->seat.on_wake != NULL)
		s->seat.on_wake(s->seat.arg);
}

/*
 * The command's reply comes with its last answer: from then on time counts
 * for the client again.
 */
void
session_resume(struct session *s, const struct reply *no)
{
	s->since_ms = ev_now_ms(s->edge->loop);
	session_go_on(s, no);
	drain_if(s);
	session_wake(s);
}

void
session_away(struct session *s)
{
	const struct check *check = s->waiting.check;

	if (check->cancel != NULL)
		check->cancel(s);
	session_resume(s, check->away.code != 0 ? &check->away : NULL);
}

bool
session_waits_for(const struct session *s, const struct check *check)
{
	return s->state == ST_PENDING && s->waiting.check == check;
}

void
session_init(struct session *s, struct edge *edge,
    const struct client_address *address, seat_wake_fn *on_wake, void *arg)
{
	*s = (struct session){
		.edge = edge,
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
}

void
session_fini(struct session *s)
{
	stage_cancel(s);
	transaction_end(&s->transaction);
	auth_end(&s->auth);
	grow_free(&s->seat.out);
	free(s->said);
	s->said = NULL;
	origin_fini(&s->origin);
}
