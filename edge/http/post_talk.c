/*
 * post_talk.c - what is said to the session of a request, and what comes of
 * each of its replies.  Whatever is refused ends the request.
 *
 * A text of known length goes as one chunk that is the last.  Of one that comes
 * in chunks each run of bytes is a chunk of ours, for nobody knows how much of
 * it follows; an empty one before them opens the text, one after them ends it.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "edge/edge.h"
#include "edge/http/post.h"
#include "edge/smtp/cmd.h"
#include "edge/text/transaction.h"

#define LINE_MAX_SAID	12288	/* bytes: AUTH with its letters	*/

/* Whose log lines and answers are about what. */
static const char *const commands[] = {
	[POST_GREETING] = "", [POST_EHLO] = "EHLO", [POST_AUTH] = "AUTH",
	[POST_MAIL] = "MAIL", [POST_RCPT] = "RCPT", [POST_OPEN] = "DATA",
	[POST_CHUNK] = "DATA", [POST_DOT] = "DATA",
};

static void
end_session_mail(struct post *p)
{
	transaction_end(&p->session.transaction);
}

/* The answer is known.  What of a body is left is read first, within bounds,
 * unless the client waits with it. */
static void
finish(struct post *p, const struct post_answer *a)
{
	end_session_mail(p);
	p->is_last |= p->session.seat.is_closed ||
	    (p->head.expects && p->at != POST_TEXT);
	if (p->is_last) {
		post_answer(p, a);
		return;
	}
	p->answer = *a;
	p->since_ms = ev_now_ms(p->edge->loop);
	p->at = POST_AWAY;
}

/* The session knows nothing of it: it is logged as its own words are. */
void
post_refuse(struct post *p, unsigned status, const char *text)
{
	struct post_answer a = { .status = status, .command = "" };

	a.allows = status == 405 || status == 406;
	(void)strlcpy(a.text, text, sizeof(a.text));
	p->session.verb = "HTTP";
	session_refuse(&p->session, status, "5.5.0", "%s", text);
	grow_free(&p->session.seat.out);
	finish(p, &a);
}

__attribute__((format(printf, 3, 4)))
static void
say(struct post *p, enum post_step step, const char *format, ...)
{
	char line[LINE_MAX_SAID];
	va_list ap;
	int len;

	va_start(ap, format);
	len = vsnprintf(line, sizeof(line), format, ap);
	va_end(ap);
	p->step = step;
	p->session.since_ms = ev_now_ms(p->edge->loop);
	if (len < 0 || (size_t)len >= sizeof(line)) {
		post_refuse(p, 400, "A field is too long");
		return;
	}
	session_line(&p->session, (struct span){ line, (size_t)len });
	if (step == POST_AUTH)
		explicit_bzero(line, sizeof(line));
}

static void
say_ehlo(struct post *p)
{
	const struct origin *o = &p->session.origin;
	struct span name = grow_span(&p->ehlo);

	if (name.len > 0)
		say(p, POST_EHLO, "EHLO %.*s", (int)name.len, name.ptr);
	else if (p->edge->set.http.is_lua)
		say(p, POST_EHLO, "EHLO none");
	else if (origin_is_local(o))
		say(p, POST_EHLO, "EHLO localhost");
	else
		say(p, POST_EHLO, "EHLO [%s%s]",
		    strchr(o->client, ':') != NULL ? "IPv6:" : "", o->client);
}

/* In the order of the standard's dialogue. */
void
post_begin(struct post *p)
{
	struct session *s = &p->session;

	s->bad_cnt = s->junk_cnt = 0;
	s->passed = p->greeted;
	origin_forget_login(&s->origin);
	p->at = POST_TALK;
	if (p->shut.status != 0) {
		p->is_last = true;
		finish(p, &p->shut);
	} else if (p->fault.status != 0) {
		s->verb = p->fault.command;
		session_refuse(s, p->fault.code, "", "%s", p->fault.text);
		grow_free(&s->seat.out);
		finish(p, &p->fault);
	} else
		say_ehlo(p);
}

static void
say_mail(struct post *p)
{
	struct span sender = grow_span(&p->sender);
	char size[40] = "";

	if (p->head.framing != HTTP_CHUNKED)
		(void)snprintf(size, sizeof(size), " SIZE=%llu",
		    (unsigned long long)p->head.length);
	say(p, POST_MAIL, "MAIL FROM:<%.*s>%s%s%s",
	    (int)sender.len, sender.ptr, size,
	    cmd_offers_8bit(&p->session) ? " BODY=8BITMIME" : "",
	    p->is_utf8 && cmd_offers_utf8(&p->session) ? " SMTPUTF8" : "");
}

static void
say_login(struct post *p)
{
	struct span letters = grow_span(&p->login);

	if (letters.len == 0)
		say_mail(p);
	else
		say(p, POST_AUTH, "AUTH PLAIN %.*s", (int)letters.len,
		    letters.ptr);
}

/* The text may come: its bytes are counted, so a dot in it is a dot. */
static void
open_text(struct post *p)
{
	struct span nothing = SPAN("");

	p->at = POST_TEXT;
	if (p->head.framing == HTTP_CHUNKED)
		say(p, POST_OPEN, "BDAT 0");
	else
		say(p, POST_DOT, "BDAT %llu LAST",
		    (unsigned long long)p->head.length);
	session_feed(&p->session, &nothing);
	if (p->at == POST_TEXT && !p->session.seat.is_closed)
		post_go_ahead(p);
}

static void
say_rcpt(struct post *p)
{
	struct span rest = span_tail(grow_span(&p->rcpts), p->rcpt_at);
	struct span rcpt = span_head(rest, span_find(rest, '\0'));
	static const struct post_answer nobody = { .status = 400,
	    .code = 554, .text = "5.5.1 No valid recipients given",
	    .command = "DATA" };

	if (rest.len > 0) {
		p->rcpt_at += rcpt.len + 1;
		say(p, POST_RCPT, "RCPT TO:<%.*s>", (int)rcpt.len, rcpt.ptr);
	} else if (p->rcpt_cnt > 0)
		open_text(p);
	else
		finish(p, &nobody);
}

/* What was asked for is there: the next thing. */
static void
go_on(struct post *p)
{
	struct post_answer a;

	switch (p->step) {
	case POST_GREETING:
		p->greeted = p->session.passed;
		p->at = POST_HEAD;
		break;
	case POST_EHLO:
		say_login(p);
		break;
	case POST_AUTH:
		say_mail(p);
		break;
	case POST_MAIL:
		p->session.transaction->wants_from = p->edge->set.http.is_lua;
		say_rcpt(p);
		break;
	case POST_RCPT:
		say_rcpt(p);
		break;
	case POST_OPEN:
	case POST_CHUNK:
		break;
	case POST_DOT:
		post_answer_of(p, "", &a);
		post_answer(p, &a);
		break;
	}
}

static void
refused(struct post *p)
{
	struct post_answer a;

	post_answer_of(p, commands[p->step], &a);
	if (p->step == POST_GREETING) {
		p->shut = a;
		p->at = POST_HEAD;
		return;
	}
	finish(p, &a);
}

/* Replies that come while a text comes are to its chunks. */
static bool
is_due(const struct post *p)
{
	return p->at == POST_TALK || p->at == POST_TEXT || p->at == POST_END;
}

bool
post_hear(struct post *p)
{
	struct grow *out = &p->session.seat.out;
	struct span have = grow_span(out), rest = have;
	static const struct post_answer lost = { .status = 503, .code = 451,
	    .text = "4.3.0 Insufficient memory", .command = "" };

	if (!is_due(p))
		return false;
	if (response_take(&rest, &p->response) != OK) {
		if (!p->session.seat.is_closed)
			return false;
		p->is_last = true;
		post_answer(p, &lost);
		return true;
	}
	grow_drop(out, have.len - rest.len);
	if (p->response.code / 100 == 2)
		go_on(p);
	else
		refused(p);
	return true;
}

/* The body is over: the queue's word is the answer. */
static void
end_text(struct post *p, bool has_more)
{
	struct span nothing = SPAN("");

	p->at = POST_END;
	/* Who speaks before he was answered is not listened to. */
	p->is_last |= has_more;
	if (p->head.framing != HTTP_CHUNKED)
		return;
	say(p, POST_DOT, "BDAT 0 LAST");
	session_feed(&p->session, &nothing);
}

static void
put(struct post *p, struct span run)
{
	if (p->head.framing == HTTP_CHUNKED)
		say(p, POST_CHUNK, "BDAT %zu", run.len);
	session_feed(&p->session, &run);
	if (run.len > 0 && !p->session.seat.is_closed)
		session_hang_up(&p->session, "5.3.0",
		    "The message cannot be taken in");
}

/*
 * An empty chunk, which brings no bytes, is over once whatever was asked before
 * the text has been answered.  True: something was said to it.
 */
static bool
take_empty(struct post *p)
{
	const struct grow *out = &p->session.seat.out;
	struct span nothing = SPAN("");
	size_t len = out->len;

	session_feed(&p->session, &nothing);
	return out->len > len;
}

bool
post_text(struct post *p, struct span *in)
{
	struct span part = span_head(*in,
	    transaction_room(p->session.transaction)), run;
	size_t len = part.len;
	enum http_step step;

	if (take_empty(p))
		return true;
	step = http_body_next(&p->body, &part, &run);
	*in = span_tail(*in, len - part.len);
	switch (step) {
	case HTTP_RUN:
		put(p, run);
		return true;
	case HTTP_END:
		end_text(p, in->len > 0);
		return true;
	case HTTP_BAD:
		p->is_last = true;
		post_refuse(p, 400, p->body.why);
		return true;
	case HTTP_START:
	case HTTP_FIELD:
	case HTTP_MORE:
		break;
	}
	return false;
}
