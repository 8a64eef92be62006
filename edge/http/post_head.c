/*
 * post_head.c - what the head of a request says: which of its fields are for
 * us, and in which letters.
 *
 * Fields that say who a mail is from and for are read by dialect: as they are,
 * or in base64 (python-slimta), where one may hold several.  What cannot be an
 * address is refused here: it would be part of a line that the session reads.
 */
#include <stdio.h>
#include <string.h>

#include "edge/edge.h"
#include "edge/http/post.h"
#include "mail/base64.h"

#define OTHER_FIELDS	100	/* beside those that name recipients	*/
#define OTHER_BYTES	65536	/* of them				*/
#define RCPT_LINE	400	/* bytes of one that does, at most	*/
#define EHLO_MAX	DOMAIN_MAX
#define LOGIN_MAX	4096	/* letters of Basic or Bearer		*/

/* The first fault is what the client hears, once all is read. */
static void
note(struct post *p, unsigned status, unsigned code, const char *text,
    const char *command)
{
	if (p->fault.status != 0)
		return;
	p->fault = (struct post_answer){ .status = status, .code = code,
	    .command = command };
	(void)strlcpy(p->fault.text, text, sizeof(p->fault.text));
}

static void
no_memory(struct post *p)
{
	note(p, 503, 451, "4.3.0 Insufficient memory", "");
}

static void
keep(struct post *p, struct grow *g, struct span value)
{
	if (grow_add(g, value) != OK)
		no_memory(p);
}

/* "<a@b>" and "a@b" are the same. */
static struct span
bare(struct span s)
{
	if (s.len >= 2 && s.ptr[0] == '<' && s.ptr[s.len - 1] == '>')
		return (struct span){ s.ptr + 1, s.len - 2 };
	return s;
}

/* An address as the session will read it, or <postmaster>, or a user's name. */
static bool
is_address(struct post *p, struct span text)
{
	char path[PATH_MAX_SMTP + 3];
	struct address a;
	struct span line;

	if (text.len == 0 || text.len > PATH_MAX_SMTP)
		return false;
	path[0] = '<';
	memcpy(path + 1, text.ptr, text.len);
	path[text.len + 1] = '>';
	line = (struct span){ path, text.len + 2 };
	if (address_path(&line, true, &a) != OK || line.len > 0)
		return false;
	p->is_utf8 |= a.is_utf8;
	return true;
}

static void
take_sender(struct post *p, struct span sender)
{
	sender = bare(span_trim(sender));
	if (p->has_sender)
		note(p, 400, 501, "5.5.4 More than one sender", "MAIL");
	else if (sender.len > 0 && !is_address(p, sender))
		note(p, 400, 501, "5.1.7 Bad address syntax", "MAIL");
	else
		keep(p, &p->sender, sender);
	p->has_sender = true;
}

static void
take_rcpt(struct post *p, struct span rcpt)
{
	rcpt = bare(span_trim(rcpt));
	if (!is_address(p, rcpt)) {
		note(p, 400, 501, "5.1.3 Bad address syntax", "RCPT");
		return;
	}
	if (++p->rcpt_cnt > p->edge->set.max_recipients) {
		note(p, 503, 452, "4.5.3 Too many recipients", "RCPT");
		return;
	}
	keep(p, &p->rcpts, rcpt);
	keep(p, &p->rcpts, (struct span){ "", 1 });
}

/* False: it was none, and the fault is noted. */
static bool
decode(struct post *p, struct span letters, const char *command,
    char buf[HTTP_LINE_MAX], struct span *out)
{
	*out = (struct span){ buf, 0 };
	if (base64_decode(letters, buf, HTTP_LINE_MAX, &out->len))
		return true;
	note(p, 400, 501, "5.5.4 A field that is not base64", command);
	return false;
}

static void
read_sender(struct post *p, struct span value)
{
	char buf[HTTP_LINE_MAX];
	struct span text;

	if (p->edge->set.http.is_lua)
		take_sender(p, value);
	else if (decode(p, value, "MAIL", buf, &text))
		take_sender(p, text);
}

/* One, or several with commas or semicolons between them: base64 has none. */
static void
read_rcpts(struct post *p, struct span value)
{
	char buf[HTTP_LINE_MAX];
	struct span part, text;
	size_t n;

	if (p->edge->set.http.is_lua) {
		take_rcpt(p, value);
		return;
	}
	while (value.len > 0) {
		for (n = 0; n < value.len && value.ptr[n] != ',' &&
		    value.ptr[n] != ';'; n++)
			continue;
		part = span_trim(span_head(value, n));
		value = span_tail(value, n + 1);
		if (part.len > 0 && decode(p, part, "RCPT", buf, &text))
			take_rcpt(p, text);
	}
}

/* How a client calls itself is one word, or it is not said. */
static void
read_ehlo(struct post *p, struct span value)
{
	if (p->ehlo.len > 0 || value.len > EHLO_MAX ||
	    (value.len > 0 && !command_ehlo_name(value)))
		note(p, 400, 501, "5.5.4 Bad name of the client", "EHLO");
	else
		keep(p, &p->ehlo, value);
}

/*
 * Name and password with a colon between them, in base64 (RFC 7617): a Bearer
 * token of ours (RFC 6750) is the same letters.  AUTH PLAIN wants a NUL before
 * each (RFC 4616).
 */
static void
read_login(struct post *p, struct span value)
{
	struct span scheme = span_head(value, span_find(value, ' '));
	struct span letters = span_trim(span_tail(value, scheme.len));
	char plain[LOGIN_MAX + 1], again[BASE64_LEN(sizeof(plain))];
	size_t len = 0, colon;

	if (p->login.len > 0 || letters.len > LOGIN_MAX ||
	    (!span_eq_nocase(scheme, SPAN("Basic")) &&
	    !span_eq_nocase(scheme, SPAN("Bearer"))) ||
	    !base64_decode(letters, plain + 1, sizeof(plain) - 1, &len) ||
	    (colon = span_find((struct span){ plain + 1, len }, ':')) == len) {
		note(p, 401, 535, "5.7.8 Authentication credentials invalid",
		    "AUTH");
	} else {
		plain[0] = '\0';
		plain[1 + colon] = '\0';
		if (base64_encode((struct span){ plain, len + 1 }, again,
		    sizeof(again), &len))
			keep(p, &p->login, (struct span){ again, len });
		explicit_bzero(again, sizeof(again));
	}
	explicit_bzero(plain, sizeof(plain));
}

/* Lua: how it begins; python: all of it, without parameters. */
static void
read_type(struct post *p, struct span value)
{
	p->is_mail = p->edge->set.http.is_lua ?
	    span_begins_nocase(value, SPAN("message/rfc822")) :
	    span_eq_nocase(value, SPAN("message/rfc822"));
	p->is_mail &= !p->has_type;
	p->has_type = true;
}

static void
read_field(struct post *p, const struct http_line *l)
{
	const struct http_settings *set = &p->edge->set.http;

	if (span_eq_nocase(l->name, span_of(set->recipient)))
		read_rcpts(p, l->value);
	else if (span_eq_nocase(l->name, span_of(set->sender)))
		read_sender(p, l->value);
	else if (span_eq_nocase(l->name, span_of(set->ehlo)))
		read_ehlo(p, l->value);
	else if (span_eq_nocase(l->name, SPAN("Content-Type")))
		read_type(p, l->value);
	else if (span_eq_nocase(l->name, SPAN("Authorization")) &&
	    p->edge->set.has_users)
		read_login(p, l->value);
}

static void
read_start(struct post *p, const struct http_line *l)
{
	const struct http_settings *set = &p->edge->set.http;
	struct span path = span_head(l->target, span_find(l->target, '?'));
	struct span hit;

	p->is_post = span_eq(l->method, span_of(set->method));
	p->is_found = set->uri == NULL ||
	    regex_find(set->uri, path, &hit) == OK;
	p->is_head = span_eq(l->method, SPAN("HEAD"));
}

static void
begin(struct post *p)
{
	unsigned rcpts = p->edge->set.max_recipients;
	const struct http_limits limits = {
		.line_max = HTTP_LINE_MAX,
		.head_max = OTHER_BYTES + (size_t)rcpts * RCPT_LINE,
		.fields_max = OTHER_FIELDS + rcpts,
	};

	http_head_request(&p->head, &limits);
	p->has_begun = true;
}

static void
miss(struct post *p, const char *name)
{
	char text[96];

	(void)snprintf(text, sizeof(text), "Missing %.64s header", name);
	post_refuse(p, 400, text);
}

/* All is said: the first thing that is wrong with it, in upstream's order. */
static void
judge(struct post *p)
{
	bool is_lua = p->edge->set.http.is_lua;

	if (!p->is_found)
		post_refuse(p, 404, "Not Found");
	else if (!p->is_post)
		post_refuse(p, is_lua ? 501 : 405, is_lua ?
		    "Not Implemented" : "Method Not Allowed");
	else if (is_lua ? !p->is_mail : p->has_type && !p->is_mail)
		post_refuse(p, is_lua ? 406 : 415, is_lua ?
		    "Not Acceptable" : "Unsupported Media Type");
	else if (is_lua && !p->has_sender && p->fault.status == 0)
		miss(p, p->edge->set.http.sender);
	else if (is_lua && p->rcpt_cnt == 0 && p->fault.status == 0)
		miss(p, p->edge->set.http.recipient);
	else
		post_begin(p);
}

bool
post_head(struct post *p, struct span *in)
{
	struct http_line line;

	if (in->len == 0)
		return false;
	if (!p->has_begun)
		begin(p);
	switch (http_head_next(&p->head, in, &line)) {
	case HTTP_START:
		read_start(p, &line);
		return true;
	case HTTP_FIELD:
		read_field(p, &line);
		return true;
	case HTTP_END:
		http_body_init(&p->body, &p->head);
		judge(p);
		return true;
	case HTTP_BAD:
		p->is_last = true;
		post_refuse(p, p->head.answer, p->head.why);
		return true;
	case HTTP_RUN:
	case HTTP_MORE:
		break;
	}
	return false;
}
