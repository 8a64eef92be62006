/* http_out.c - lines, and nothing that could make two of one. */
#include <stdio.h>
#include <string.h>

#include "http/http_chars.h"
#include "http/http_out.h"

void
http_out_init(struct http_out *o, char *buf, size_t cap)
{
	*o = (struct http_out){ .buf = buf, .cap = cap };
}

static void
put(struct http_out *o, struct span s)
{
	if (o->bad || s.len > o->cap - o->len) {
		o->bad = true;
		return;
	}
	if (s.len > 0)
		memcpy(o->buf + o->len, s.ptr, s.len);
	o->len += s.len;
}

/* Text from others. */
static void
put_text(struct http_out *o, struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		o->bad |= !http_chars_is_text(s.ptr[i]);
	put(o, s);
}

static void
put_number(struct http_out *o, uint64_t n)
{
	char digits[24];
	int len = snprintf(digits, sizeof(digits), "%llu",
	    (unsigned long long)n);

	put(o, (struct span){ digits, (size_t)len });
}

void
http_out_request(struct http_out *o, struct span method, struct span target)
{
	o->bad |= !http_chars_all_token(method) || target.len == 0 ||
	    target.ptr[0] != '/';
	for (size_t i = 0; i < target.len; i++)
		o->bad |= !http_chars_is_visible(target.ptr[i]);
	put(o, method);
	put(o, SPAN(" "));
	put(o, target);
	put(o, SPAN(" HTTP/1.1\r\n"));
}

void
http_out_status(struct http_out *o, bool is_1_0, unsigned status,
    struct span reason)
{
	o->bad |= status < 100 || status > 599;
	put(o, is_1_0 ? SPAN("HTTP/1.0 ") : SPAN("HTTP/1.1 "));
	put_number(o, status);
	put(o, SPAN(" "));
	put_text(o, reason);
	put(o, SPAN("\r\n"));
}

void
http_out_field(struct http_out *o, const char *name, struct span value)
{
	o->bad |= !http_chars_all_token(span_of(name));
	put(o, span_of(name));
	put(o, SPAN(": "));
	put_text(o, value);
	put(o, SPAN("\r\n"));
}

void
http_out_length(struct http_out *o, uint64_t len)
{
	put(o, SPAN("Content-Length: "));
	put_number(o, len);
	put(o, SPAN("\r\n"));
}

void
http_out_chunked(struct http_out *o)
{
	put(o, SPAN("Transfer-Encoding: chunked\r\n"));
}

void
http_out_end(struct http_out *o)
{
	put(o, SPAN("\r\n"));
}

size_t
http_out_chunk(char buf[HTTP_OUT_CHUNK_MAX], uint64_t len)
{
	return (size_t)snprintf(buf, HTTP_OUT_CHUNK_MAX, "%llx\r\n",
	    (unsigned long long)len);
}
