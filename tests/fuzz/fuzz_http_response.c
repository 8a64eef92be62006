/*
 * fuzz_http_response.c - a response with its body, read whole and in parts,
 * comes to the same, and to no more bytes than there are.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "http/http_body.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct outcome {
	struct http_head h;
	enum http_step	 step;
	size_t		 used;
	uint64_t	 len, sum;
	bool		 is_whole;
};

static void
add(struct outcome *o, struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		o->sum = o->sum * 31 + (unsigned char)s.ptr[i];
}

/* The end of what is there by now, so many bytes further on. */
static bool
read_on(struct span in, struct span *left, size_t part)
{
	size_t at = (size_t)(left->ptr - in.ptr);

	if (at + left->len == in.len)
		return false;
	*left = span_head(span_tail(in, at), left->len + part);
	return true;
}

static void
read_body(struct outcome *o, struct span in, struct span *left, size_t part)
{
	struct http_body b;
	struct span run;

	http_body_init(&b, &o->h);
	for (;;) {
		o->step = http_body_next(&b, left, &run);
		if (o->step == HTTP_RUN)
			add(o, run);
		else if (o->step != HTTP_MORE || !read_on(in, left, part))
			break;
	}
	o->len = b.len;
	o->is_whole = o->step == HTTP_MORE && http_body_closed(&b);
	if (o->is_whole != (o->step == HTTP_MORE &&
	    o->h.framing == HTTP_CLOSE))
		abort();
}

static void
read_parts(struct outcome *o, struct span in, size_t part, bool is_head)
{
	struct span left = span_head(in, part);
	struct http_line line;

	*o = (struct outcome){ .step = HTTP_MORE };
	http_head_response(&o->h, NULL, is_head);
	for (;;) {
		o->step = http_head_next(&o->h, &left, &line);
		if (o->step == HTTP_START || o->step == HTTP_FIELD) {
			add(o, line.reason);
			add(o, line.name);
			add(o, line.value);
		} else if (o->step != HTTP_MORE || !read_on(in, &left, part))
			break;
	}
	if (o->step == HTTP_END) {
		if (o->h.status < 100 || o->h.status > 599)
			abort();
		read_body(o, in, &left, part);
	}
	o->used = (size_t)(left.ptr - in.ptr);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct outcome whole, cut;
	struct span in = { (const char *)bytes + 1, len - 1 };
	bool is_head;

	if (len < 2)
		return 0;
	is_head = (bytes[0] & 0x80) != 0;
	read_parts(&whole, in, in.len, is_head);
	read_parts(&cut, in, bytes[0] % 17 + 1u, is_head);
	if (whole.step != cut.step || whole.len > in.len ||
	    (whole.step != HTTP_BAD && (whole.sum != cut.sum ||
	    whole.len != cut.len || whole.used != cut.used ||
	    whole.is_whole != cut.is_whole)))
		abort();
	return 0;
}
