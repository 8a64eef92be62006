/*
 * post_answer.c - what SMTP said, as HTTP says it: two tables of statuses, for
 * clients of two generations, and the head and body of an answer.
 *
 * 401 and 413 are ours in both: a client that asks for a password, or sends
 * less, does the right thing.
 */
#include <stdio.h>
#include <string.h>

#include "edge/edge.h"
#include "edge/http/post.h"
#include "http/http_out.h"
#include "http/http_reply.h"
#include "mail/date.h"
#include "sys/clock.h"

#define ANSWER_MAX	4096	/* bytes of a head			*/
#define ID_AT		"Message queued as "

static const struct {
	unsigned	 status;
	const char	*reason;
} reasons[] = {
	{ 200, "OK" }, { 204, "No Content" }, { 400, "Bad Request" },
	{ 401, "Unauthorized" }, { 403, "Forbidden" }, { 404, "Not Found" },
	{ 405, "Method Not Allowed" }, { 406, "Not Acceptable" },
	{ 408, "Request Timeout" }, { 413, "Content Too Large" },
	{ 414, "URI Too Long" }, { 415, "Unsupported Media Type" },
	{ 417, "Expectation Failed" },
	{ 431, "Request Header Fields Too Large" },
	{ 500, "Internal Server Error" }, { 501, "Not Implemented" },
	{ 503, "Service Unavailable" }, { 505, "Version Not Supported" },
};

static struct span
reason_of(unsigned status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return span_of(reasons[i].reason);
	return SPAN("");
}

/* The enhanced code that a text begins with, or "". */
static struct span
dsn_of(const struct post_answer *a)
{
	struct span text = span_of(a->text);

	return span_head(text, span_find(text, ' '));
}

/* seeds' python edge, and what its refusals by rules are. */
static unsigned
python_status(const struct post_answer *a)
{
	if (a->code / 100 == 2)
		return 204;
	if (a->code / 100 == 4)
		return 503;
	if (a->code == 501 || a->code == 553 || a->code == 555)
		return 400;
	return span_begins(dsn_of(a), SPAN("5.7.")) ? 403 : 500;
}

/* seeds' Lua edge. */
static unsigned
lua_status(const struct post_answer *a)
{
	if (a->code / 100 == 2)
		return 200;
	if (a->code == 421 || a->code == 450)
		return 503;
	if (a->code / 100 == 4)
		return 500;
	return a->code == 535 ? 403 : 400;
}

static unsigned
status_of(const struct post *p, const struct post_answer *a)
{
	bool is_lua = p->edge->set.http.is_lua;

	if (a->code == 552 && span_eq(dsn_of(a), SPAN("5.3.4")))
		return 413;
	if (a->code == 421 && span_eq(dsn_of(a), SPAN("4.4.2")))
		return 408;
	if (a->code == 530 || (a->code == 535 && !is_lua))
		return 401;
	return is_lua ? lua_status(a) : python_status(a);
}

void
post_answer_of(const struct post *p, const char *command,
    struct post_answer *a)
{
	struct span text = span_tail(span_of(p->response.text), 4);

	*a = (struct post_answer){ .code = p->response.code,
	    .command = command };
	(void)snprintf(a->text, sizeof(a->text), "%.*s", (int)text.len,
	    text.ptr);
	a->status = status_of(p, a);
}

/* What people read: without the enhanced code. */
static struct span
words_of(const struct post_answer *a)
{
	struct span text = span_of(a->text), dsn = dsn_of(a);

	return dsn.len > 0 && dsn.ptr[0] >= '2' && dsn.ptr[0] <= '5' &&
	    span_find(dsn, '.') == 1 ? span_tail(text, dsn.len + 1) : text;
}

/* The id of a message that is queued, where that is what was said. */
static struct span
id_of(const struct post_answer *a)
{
	struct span words = words_of(a);

	if (a->code != 250 || !span_begins(words, SPAN(ID_AT)))
		return SPAN("");
	return span_tail(words, sizeof(ID_AT) - 1);
}

static void
put_reply(struct http_out *o, const struct post_answer *a)
{
	char value[HTTP_REPLY_MAX];
	size_t len;

	if (a->code != 0 && http_reply_write((uint16_t)a->code,
	    span_of(a->text), span_of(a->command), value, sizeof(value), &len))
		http_out_field(o, HTTP_REPLY_FIELD,
		    (struct span){ value, len });
}

/* RFC 9110 6.6.1: the date of mail, with another zone. */
static void
put_date(struct http_out *o)
{
	char date[DATE_TEXT_LEN + 1];

	date_text(clock_wall_ms(), date);
	memcpy(date + DATE_TEXT_LEN - 5, "GMT", 4);
	http_out_field(o, "Date", span_of(date));
}

static void
put_hints(struct http_out *o, const struct post *p,
    const struct post_answer *a)
{
	char realm[DOMAIN_MAX + 32];

	if (a->status == 405)
		http_out_field(o, "Allow", span_of(p->edge->set.http.method));
	if (a->status == 406)
		http_out_field(o, "Accept", SPAN("message/rfc822"));
	if (a->status != 401)
		return;
	(void)snprintf(realm, sizeof(realm), "Basic realm=\"%.*s\"",
	    DOMAIN_MAX, p->edge->set.hostname);
	http_out_field(o, "WWW-Authenticate", span_of(realm));
}

/*
 * A yes of the Lua edge is two lines and the id, to the byte; whoever speaks
 * HTTP/1.1 to it hears besides when the connection ends.
 */
static void
put_head(struct http_out *o, const struct post *p,
    const struct post_answer *a, struct span body, bool is_last)
{
	bool is_lua = p->edge->set.http.is_lua, is_1_0 = p->head.is_1_0;
	struct span words = is_lua ? words_of(a) : SPAN("");

	http_out_status(o, is_1_0, a->status,
	    words.len > 0 ? words : reason_of(a->status));
	if (!is_lua)
		put_date(o);
	if (!is_lua || a->status != 200)
		put_reply(o, a);
	put_hints(o, p, a);
	if (body.len > 0 && !is_lua)
		http_out_field(o, "Content-Type",
		    SPAN("text/plain; charset=utf-8"));
	if (a->status != 204)
		http_out_length(o, body.len);
	if (is_last ? !is_1_0 : is_1_0)
		http_out_field(o, "Connection", is_last ? SPAN("close") :
		    SPAN("keep-alive"));
	http_out_end(o);
}

static bool
ends(const struct post *p, const struct post_answer *a)
{
	bool is_lua_1_0 = p->edge->set.http.is_lua && p->head.is_1_0;

	return p->is_last || p->session.seat.is_closed || !p->head.keeps ||
	    p->edge->is_draining || is_lua_1_0 ||
	    (a->status >= 400 && p->refused_cnt >= p->edge->set.max_errors);
}

void
post_answer(struct post *p, const struct post_answer *given)
{
	const struct post_answer a = *given;	/* it may be p's own */
	char buf[ANSWER_MAX], line[sizeof(a.text) + 2];
	struct span body = id_of(&a);
	struct http_out o;
	bool is_last;

	p->refused_cnt += a.status >= 400;
	is_last = ends(p, &a);
	if (!p->edge->set.http.is_lua) {
		int len = snprintf(line, sizeof(line), "%s\n", a.text);

		body = (struct span){ line, (size_t)len };
	}
	if (a.status == 204)
		body = SPAN("");
	http_out_init(&o, buf, sizeof(buf));
	put_head(&o, p, &a, body, is_last);
	if (p->is_head)
		body = SPAN("");
	post_clear(p);
	p->at = POST_HEAD;
	p->since_ms = ev_now_ms(p->edge->loop);
	if (o.bad || grow_add(&p->seat.out, (struct span){ o.buf, o.len }) !=
	    OK || grow_add(&p->seat.out, body) != OK)
		is_last = true;
	if (is_last)
		post_close(p, true);
}

void
post_go_ahead(struct post *p)
{
	if (p->head.expects && grow_add(&p->seat.out,
	    SPAN("HTTP/1.1 100 Continue\r\n\r\n")) != OK)
		post_close(p, true);
}
