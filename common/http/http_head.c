/*
 * http_head.c - a line is looked for byte by byte once, and judged when it is
 * whole.  What frames the body is judged twice: each field as it comes, all of
 * them together at the empty line.
 */
#include <string.h>

#include "base/limits.h"
#include "http/http_chars.h"
#include "http/http_head.h"

enum at {
	AT_START,
	AT_FIELDS,
	AT_END,
	AT_BAD
};

/* Fields that may come once. */
#define SEEN_LENGTH	0x01u
#define SEEN_CODING	0x02u
#define SEEN_HOST	0x04u
#define SEEN_EXPECT	0x08u
#define SAID_CLOSE	0x10u	/* in Connection */
#define SAID_KEEP	0x20u

#define LENGTH_MAX	(UINT64_MAX >> 1)	/* sums of it cannot wrap */

static void
begin(struct http_head *h, const struct http_limits *limits)
{
	*h = (struct http_head){
		.state = AT_START,
		.limits = {
			.line_max = HTTP_LINE_MAX,
			.head_max = HTTP_HEAD_MAX,
			.fields_max = HTTP_FIELDS_MAX,
		},
	};
	if (limits != NULL)
		h->limits = *limits;
}

void
http_head_request(struct http_head *h, const struct http_limits *limits)
{
	begin(h, limits);
}

void
http_head_response(struct http_head *h, const struct http_limits *limits,
    bool is_head)
{
	begin(h, limits);
	h->is_response = true;
	h->is_head = is_head;
}

static enum http_step
bad(struct http_head *h, unsigned answer, const char *why)
{
	h->state = AT_BAD;
	h->answer = answer;
	h->why = why;
	h->keeps = false;
	return HTTP_BAD;
}

static unsigned
too_long(const struct http_head *h)
{
	return h->state == AT_START ? 414 : 431;
}

/*
 * Find the end of the line: HTTP_FIELD when it is whole, *line without its
 * CRLF.  A byte that may stand in no line is refused before that.
 */
static enum http_step
cut_line(struct http_head *h, struct span *in, struct span *line)
{
	size_t i = h->scanned;

	while (i < in->len && i < h->limits.line_max &&
	    http_chars_is_text(in->ptr[i]))
		i++;
	h->scanned = i;
	if (h->head_len + i > h->limits.head_max || i >= h->limits.line_max)
		return bad(h, too_long(h), "the head is too long");
	if (i == in->len || (in->ptr[i] == '\r' && i + 1 == in->len))
		return HTTP_MORE;
	if (in->ptr[i] == '\n')
		return bad(h, 400, "a line ends with a bare LF");
	if (in->ptr[i] != '\r')
		return bad(h, 400, "a control byte in the head");
	if (in->ptr[i + 1] != '\n')
		return bad(h, 400, "a bare CR in the head");
	*line = span_head(*in, i);
	*in = span_tail(*in, i + 2);
	h->head_len += i + 2;
	h->scanned = 0;
	if (i + 2 > h->limits.line_max || h->head_len > h->limits.head_max)
		return bad(h, too_long(h), "the head is too long");
	return HTTP_FIELD;
}

/* "HTTP/1.1": OK and is_1_0, or what is wrong with it. */
static enum http_step
read_version(struct http_head *h, struct span word)
{
	if (span_eq(word, SPAN("HTTP/1.1")) ||
	    span_eq(word, SPAN("HTTP/1.0"))) {
		h->is_1_0 = word.ptr[7] == '0';
		return HTTP_START;
	}
	if (word.len == 8 && span_begins(word, SPAN("HTTP/")) &&
	    word.ptr[5] >= '0' && word.ptr[5] <= '9' && word.ptr[6] == '.' &&
	    word.ptr[7] >= '0' && word.ptr[7] <= '9')
		return bad(h, 505, "not HTTP/1.0 or HTTP/1.1");
	return bad(h, 400, "no version of HTTP");
}

static bool
is_path(struct span target)
{
	if (target.len == 0 || target.ptr[0] != '/')
		return false;
	for (size_t i = 0; i < target.len; i++)
		if (!http_chars_is_visible(target.ptr[i]) ||
		    target.ptr[i] == '#')
			return false;
	return true;
}

/* method SP target SP version, RFC 9112 3. */
static enum http_step
read_request(struct http_head *h, struct span line, struct http_line *out)
{
	size_t n = span_find(line, ' ');

	out->method = span_head(line, n);
	line = span_tail(line, n + 1);
	if (!http_chars_all_token(out->method))
		return bad(h, 400, "no method");
	n = span_find(line, ' ');
	out->target = span_head(line, n);
	if (n == line.len)
		return bad(h, 400, "no version of HTTP");
	if (!is_path(out->target))
		return bad(h, 400, "the target is not a path");
	return read_version(h, span_tail(line, n + 1));
}

/* version SP 3DIGIT SP reason, RFC 9112 4; the last blank may be missing. */
static enum http_step
read_status(struct http_head *h, struct span line, struct http_line *out)
{
	unsigned long long status;
	struct span rest;

	if (line.len < 12 || line.ptr[8] != ' ')
		return bad(h, 400, "no status line");
	if (!span_number((struct span){ line.ptr + 9, 3 }, 599, &status) ||
	    status < 100)
		return bad(h, 400, "no status");
	rest = span_tail(line, 12);
	if (rest.len > 0 && rest.ptr[0] != ' ')
		return bad(h, 400, "no status");
	h->status = (unsigned)status;
	out->reason = span_trim(rest);
	return read_version(h, span_head(line, 8));
}

static bool
seen_twice(struct http_head *h, unsigned bit)
{
	bool twice = (h->seen & bit) != 0;

	h->seen |= bit;
	return twice;
}

static enum http_step
read_length(struct http_head *h, struct span value)
{
	unsigned long long length;

	if (seen_twice(h, SEEN_LENGTH))
		return bad(h, 400, "two fields Content-Length");
	if (!span_number(value, LENGTH_MAX, &length))
		return bad(h, 400, "Content-Length is not a number");
	h->length = length;
	return HTTP_FIELD;
}

static enum http_step
read_coding(struct http_head *h, struct span value)
{
	if (seen_twice(h, SEEN_CODING))
		return bad(h, 400, "two fields Transfer-Encoding");
	if (!span_eq_nocase(value, SPAN("chunked")))
		return bad(h, 501, "Transfer-Encoding is not \"chunked\"");
	return HTTP_FIELD;
}

/* A name or address and a port; what is refused could be another's path. */
static enum http_step
read_host(struct http_head *h, struct span value)
{
	if (h->is_response)
		return HTTP_FIELD;
	if (seen_twice(h, SEEN_HOST))
		return bad(h, 400, "two fields Host");
	for (size_t i = 0; i < value.len; i++)
		if (!http_chars_is_visible(value.ptr[i]) ||
		    strchr("/?#@,\\\"<>", value.ptr[i]) != NULL)
			return bad(h, 400, "Host is not a name");
	return HTTP_FIELD;
}

static void
read_connection(struct http_head *h, struct span value)
{
	struct span word;

	while (http_chars_member(&value, &word)) {
		if (span_eq_nocase(word, SPAN("close")))
			h->seen |= SAID_CLOSE;
		if (span_eq_nocase(word, SPAN("keep-alive")))
			h->seen |= SAID_KEEP;
	}
}

/* RFC 9110 10.1.1: of HTTP/1.0 it counts nothing. */
static enum http_step
read_expect(struct http_head *h, struct span value)
{
	if (h->is_response || h->is_1_0)
		return HTTP_FIELD;
	if (!span_eq_nocase(value, SPAN("100-continue")) ||
	    seen_twice(h, SEEN_EXPECT))
		return bad(h, 417, "Expect is not \"100-continue\"");
	return HTTP_FIELD;
}

static enum http_step
judge_field(struct http_head *h, const struct http_line *l)
{
	if (span_eq_nocase(l->name, SPAN("Content-Length")))
		return read_length(h, l->value);
	if (span_eq_nocase(l->name, SPAN("Transfer-Encoding")))
		return read_coding(h, l->value);
	if (span_eq_nocase(l->name, SPAN("Host")))
		return read_host(h, l->value);
	if (span_eq_nocase(l->name, SPAN("Expect")))
		return read_expect(h, l->value);
	if (span_eq_nocase(l->name, SPAN("Connection")))
		read_connection(h, l->value);
	return HTTP_FIELD;
}

static enum http_step
read_field(struct http_head *h, struct span line, struct http_line *out)
{
	size_t n = span_find(line, ':');

	if (line.ptr[0] == ' ' || line.ptr[0] == '\t')
		return bad(h, 400, "a line begins with a blank");
	if (n == line.len)
		return bad(h, 400, "a field without a colon");
	out->name = span_head(line, n);
	if (!http_chars_all_token(out->name))
		return bad(h, 400, "a field's name is not a token");
	if (++h->field_cnt > h->limits.fields_max)
		return bad(h, 431, "too many fields");
	out->value = span_trim(span_tail(line, n + 1));
	return judge_field(h, out);
}

/* RFC 9112 6.3, where each doubt is an end. */
static enum http_step
frame(struct http_head *h)
{
	bool has_coding = (h->seen & SEEN_CODING) != 0;
	bool has_length = (h->seen & SEEN_LENGTH) != 0;

	if (has_coding && has_length)
		return bad(h, 400, "Content-Length and Transfer-Encoding");
	if (has_coding && h->is_1_0)
		return bad(h, 400, "Transfer-Encoding in HTTP/1.0");
	h->framing = has_coding ? HTTP_CHUNKED : has_length ? HTTP_LENGTH :
	    h->is_response ? HTTP_CLOSE : HTTP_NO_BODY;
	if (!h->is_response)
		return HTTP_END;
	if (h->status < 200 || h->status == 204) {
		if (has_coding || h->length > 0)
			return bad(h, 400, "a body where none may be");
		h->framing = HTTP_NO_BODY;
	}
	if (h->is_head || h->status == 304)
		h->framing = HTTP_NO_BODY;
	return HTTP_END;
}

static enum http_step
finish(struct http_head *h)
{
	if (!h->is_response && !h->is_1_0 && (h->seen & SEEN_HOST) == 0)
		return bad(h, 400, "no Host");
	if (frame(h) == HTTP_BAD)
		return HTTP_BAD;
	h->keeps = (h->seen & SAID_CLOSE) == 0 && h->framing != HTTP_CLOSE &&
	    (!h->is_1_0 || (h->seen & SAID_KEEP) != 0);
	h->expects = (h->seen & SEEN_EXPECT) != 0 &&
	    (h->framing == HTTP_CHUNKED || h->length > 0);
	h->state = AT_END;
	return HTTP_END;
}

enum http_step
http_head_next(struct http_head *h, struct span *in, struct http_line *out)
{
	struct span line;
	enum http_step step;

	if (h->state == AT_BAD)
		return HTTP_BAD;
	if (h->state == AT_END)
		return HTTP_END;
	if ((step = cut_line(h, in, &line)) != HTTP_FIELD)
		return step;
	*out = (struct http_line){ 0 };
	if (h->state == AT_START) {
		step = h->is_response ? read_status(h, line, out) :
		    read_request(h, line, out);
		if (step == HTTP_START)
			h->state = AT_FIELDS;
		return step;
	}
	return line.len > 0 ? read_field(h, line, out) : finish(h);
}
