/*
 * session.c - cuts the input into command lines and message text, and says
 * what the queue decided.  Lines end with CR LF and with nothing else (RFC
 * 5321 2.3.8): what looks like a second line to somebody else is refused, and
 * whoever ends a line with a bare LF is not listened to any further.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "edge/edge.h"
#include "edge/session.h"
#include "edge/text.h"
#include "edge/transaction.h"

#define UNSENT_MAX	(64u << 10)	/* bytes of replies a client may leave
					 * unread before we stop reading */
#define REPLY_MAX	510		/* bytes of a reply line without CRLF,
					 * RFC 5321 4.5.3.1.5		*/
#define LOGGED_MAX	20u		/* refusals logged of one session */
#define TLS_HANDSHAKE	0x16		/* first byte of a ClientHello	*/

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
	if (grow_add(&s->out, (struct span){ line, (size_t)len }) != OK)
		s->state = ST_CLOSED;
}

static void
log_refusal(struct session *s, unsigned code, const char *dsn,
    const char *text)
{
	const struct transaction *t = s->transaction;
	struct log_line l;

	if (s->logged_cnt++ >= LOGGED_MAX)
		return;
	log_begin(&l, LOG_refused);
	if (t != NULL && t->is_granted)
		log_id(&l, LOG_KEY_id, t->id);
	log_text(&l, LOG_KEY_client, s->client_text);
	log_text(&l, LOG_KEY_command, s->verb);
	log_num(&l, LOG_KEY_code, code);
	log_text(&l, LOG_KEY_dsn, dsn);
	if (t != NULL)
		log_str(&l, LOG_KEY_from, transaction_sender(t));
	log_text(&l, LOG_KEY_reply, text);
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
	s->state = ST_CLOSED;
	s->is_hasty = true;
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
session_end(struct session *s, const char *dsn, const char *text)
{
	if (s->state == ST_CLOSED)
		return;
	say_goodbye(s, dsn, text);
	transaction_end(&s->transaction);
}

static bool
is_between_mails(const struct session *s)
{
	return s->state == ST_NEW || s->state == ST_READY ||
	    s->state == ST_SHUT;
}

static bool
is_talking(const struct session *s)
{
	return ev_now_ms(s->edge->loop) - s->since_ms < SESSION_SILENT_MS;
}

void
session_drain(struct session *s)
{
	if (is_between_mails(s) && !(s->edge->is_gentle && is_talking(s)))
		session_end(s, "4.3.2", "Service shutting down");
}

/* 500, and nothing that follows is read. */
static void
hang_up(struct session *s, const char *text)
{
	session_refuse(s, 500, "5.5.2", "%s", text);
	transaction_end(&s->transaction);
	s->state = ST_CLOSED;
	s->is_hasty = true;
}

/* The end of data is answered: the transaction is over. */
static void
close_transaction(struct session *s)
{
	transaction_end(&s->transaction);
	s->since_ms = ev_now_ms(s->edge->loop);
	if (s->state == ST_CLOSED)
		return;
	s->state = ST_READY;
	if (s->edge->is_draining)
		session_drain(s);
}

/* Say what the text came to, if that is known by now. */
static void
say_fault(struct session *s)
{
	struct transaction *t = s->transaction;
	const struct fault *f = &t->text.fault;

	if (s->state != ST_WAIT || !text_has_fault(t))
		return;
	s->verb = "DATA";
	if (!text_is_smuggled(t)) {
		session_refuse(s, f->code, f->dsn, "%s", f->text);
		close_transaction(s);
		return;
	}
	session_refuse(s, 550, "5.5.2", TEXT_SMUGGLED);
	transaction_end(&s->transaction);
	s->state = ST_CLOSED;
	s->is_hasty = true;
}

/* False when nothing more can be taken for now. */
static bool
feed_text(struct session *s, struct span *in)
{
	enum text_step step = text_take(s->transaction, in);

	if (step == TEXT_END)
		s->state = ST_WAIT;
	text_send(s->transaction);
	say_fault(s);
	return step == TEXT_END;
}

/* A line that is not whole yet: is it worth waiting for the rest? */
static bool
is_hopeless(const struct session *s, struct span in)
{
	return in.len >= COMMAND_LINE_MAX ||
	    (s->state == ST_NEW && in.ptr[0] == TLS_HANDSHAKE);
}

/* False when the line is not whole yet. */
static bool
feed_line(struct session *s, struct span *in)
{
	struct span head = span_head(*in, COMMAND_LINE_MAX);
	size_t n = span_find(head, '\n');
	struct span line = span_head(*in, n);

	s->verb = "unknown";
	if (n == head.len) {
		if (is_hopeless(s, *in))
			hang_up(s, "Line too long, or no command");
		return false;
	}
	*in = span_tail(*in, n + 1);
	s->since_ms = ev_now_ms(s->edge->loop);
	if (n == 0 || line.ptr[n - 1] != '\r') {
		hang_up(s, "Lines end with CR LF");
		return false;
	}
	line.len--;
	if (span_find(line, '\r') < line.len ||
	    span_find(line, '\0') < line.len)
		session_refuse(s, 500, "5.5.2", "Bare CR or NUL not allowed");
	else
		session_command(s, line);
	if (s->edge->is_draining)
		session_drain(s);
	return true;
}

/* May the client be listened to now? */
static bool
is_listening(const struct session *s)
{
	return s->state != ST_WAIT && s->state != ST_CLOSED &&
	    s->out.len < UNSENT_MAX;
}

void
session_feed(struct session *s, struct span *in)
{
	bool goes_on = true;

	while (goes_on && in->len > 0 && is_listening(s)) {
		if (s->state == ST_DATA)
			goes_on = feed_text(s, in);
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
	if (s->state == ST_DATA)
		return text_room(s->transaction);
	return EDGE_READ_MAX;
}

int64_t
session_patience_ms(const struct session *s)
{
	const struct settings *set = &s->edge->set;
	int64_t now = ev_now_ms(s->edge->loop);
	int64_t due = s->since_ms + (s->state == ST_DATA ?
	    set->data_timeout_ms : set->timeout_ms);
	int64_t last = s->begun_ms + set->session_timeout_ms;

	if (s->state == ST_WAIT)
		return -1;
	if (last < due)
		due = last;
	return due > now ? due - now : 0;
}

void
session_expire(struct session *s)
{
	s->verb = s->state == ST_DATA ? "DATA" : "timeout";
	session_end(s, "4.4.2", "Connection timed out");
	s->is_hasty = false;
}

/* Go on with what waited for the queue. */
static void
wake(struct session *s)
{
	if (s->wake != NULL)
		s->wake(s);
}

void
session_queue_ready(struct session *s)
{
	text_send(s->transaction);
	say_fault(s);
	wake(s);
}

void
session_queue_taken(struct session *s)
{
	char id[ID_TEXT_LEN + 1];

	id_text(s->transaction->id, id);
	session_reply(s, 250, "2.6.0", "Message queued as %s", id);
	s->taken_cnt++;
	s->junk_cnt = 0;
	close_transaction(s);
	wake(s);
}

/* The queue's words as they may stand in a reply: printable ASCII. */
static struct span
clean_words(struct span text, char *buf, size_t cap)
{
	text = span_head(text, cap);
	for (size_t i = 0; i < text.len; i++)
		buf[i] = text.ptr[i] >= ' ' && text.ptr[i] <= '~' ?
		    text.ptr[i] : '?';
	return (struct span){ buf, text.len };
}

/* "4.3.0" and the like, with the class of its code? */
static bool
is_dsn(struct span dsn, unsigned code)
{
	size_t digits = 0, dots = 0;

	if (dsn.len < 5 || dsn.len > 9 ||
	    dsn.ptr[0] != (char)('0' + code / 100))
		return false;
	for (size_t i = 0; i < dsn.len; i++) {
		if (dsn.ptr[i] >= '0' && dsn.ptr[i] <= '9')
			digits++;
		else if (dsn.ptr[i] == '.' && dsn.ptr[i - 1] != '.')
			dots++;
		else
			return false;
	}
	return dots == 2 && dsn.ptr[1] == '.' && dsn.ptr[dsn.len - 1] != '.';
}

void
session_queue_refused(struct session *s, unsigned code, struct span dsn,
    struct span text)
{
	struct transaction *t = s->transaction;
	char words[FAULT_TEXT_MAX - 1], class_dsn[sizeof(t->text.fault.dsn)];

	transaction_forget(t);
	if (code < 400 || code > 599 || !is_dsn(dsn, code) ||
	    !span_cstr(dsn, class_dsn, sizeof(class_dsn)))
		text_fault(t, 451, "4.3.0", SPAN("Error queuing message"));
	else
		text_fault(t, code, class_dsn,
		    clean_words(text, words, sizeof(words)));
	say_fault(s);
	wake(s);
}

void
session_queue_lost(struct session *s)
{
	transaction_forget(s->transaction);
	text_fault(s->transaction, 451, "4.3.0",
	    SPAN("Queue not available, try again later"));
	say_fault(s);
	wake(s);
}

void
session_greet(struct session *s)
{
	s->verb = "connect";
	if (rules_client(&s->edge->set.rules, &s->address)) {
		session_reply(s, 220, "", "%s", s->edge->set.banner);
		return;
	}
	session_refuse(s, 554, "5.7.1", "Client not allowed");
	s->state = ST_SHUT;
}

void
session_init(struct session *s, struct edge *edge,
    const struct client_address *address, session_wake_fn *wake_fn)
{
	*s = (struct session){
		.edge = edge,
		.wake = wake_fn,
		.address = *address,
		.verb = "connect",
		.begun_ms = ev_now_ms(edge->loop),
		.since_ms = ev_now_ms(edge->loop),
	};
	crowd_text(address, s->client_text);
	crowd_net_text(address, s->net_text);
}

void
session_fini(struct session *s)
{
	transaction_end(&s->transaction);
	grow_free(&s->out);
	free(s->helo);
	s->helo = NULL;
}
