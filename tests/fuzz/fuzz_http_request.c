/*
 * fuzz_http_request.c - a head read whole and in parts comes to the same; what
 * is taken holds none of the forms that two readers take for two things, by a
 * plain look at its bytes.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/http_head.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct outcome {
	struct http_head h;
	enum http_step	 step;
	size_t		 used;
	unsigned	 length_cnt, coding_cnt, host_cnt;
	uint64_t	 sum;		/* of all that was given out */
};

static void
add(struct outcome *o, struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		o->sum = o->sum * 31 + (unsigned char)s.ptr[i];
	o->sum = o->sum * 37 + 1;
}

static void
note(struct outcome *o, const struct http_line *l)
{
	add(o, l->method);
	add(o, l->target);
	add(o, l->name);
	add(o, l->value);
	o->length_cnt += span_eq_nocase(l->name, SPAN("content-length"));
	o->coding_cnt += span_eq_nocase(l->name, SPAN("transfer-encoding"));
	o->host_cnt += span_eq_nocase(l->name, SPAN("host"));
}

static void
read_parts(struct outcome *o, struct span in, size_t part)
{
	struct span left = span_head(in, part);
	struct http_line line;

	*o = (struct outcome){ .step = HTTP_MORE };
	http_head_request(&o->h, NULL);
	for (;;) {
		o->step = http_head_next(&o->h, &left, &line);
		o->used = (size_t)(left.ptr - in.ptr);
		if (o->step == HTTP_MORE && o->used + left.len < in.len) {
			left = span_head(span_tail(in, o->used),
			    left.len + part);
			continue;
		}
		if (o->step != HTTP_START && o->step != HTTP_FIELD)
			return;
		note(o, &line);
	}
}

static void
check_taken(const struct outcome *o, struct span in)
{
	bool has_length = o->h.framing == HTTP_LENGTH;

	if (o->length_cnt > 1 || o->coding_cnt > 1 || o->host_cnt > 1 ||
	    o->length_cnt + o->coding_cnt > 1 ||
	    has_length != (o->length_cnt == 1) ||
	    (o->h.framing == HTTP_CHUNKED) != (o->coding_cnt == 1) ||
	    o->h.framing == HTTP_CLOSE)
		abort();
	for (size_t i = 0; i < o->used; i++) {
		unsigned char c = (unsigned char)in.ptr[i];

		if (c == '\n' ? i == 0 || in.ptr[i - 1] != '\r' :
		    c == '\r' ? in.ptr[i + 1] != '\n' :
		    c < ' ' && c != '\t')
			abort();
		if (i > 0 && in.ptr[i - 1] == '\n' && (c == ' ' || c == '\t'))
			abort();
	}
	if (o->used < 4 || memcmp(in.ptr + o->used - 4, "\r\n\r\n", 4) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct outcome whole, cut;
	struct span in = { (const char *)bytes + 1, len - 1 };

	if (len < 2)
		return 0;
	read_parts(&whole, in, in.len);
	read_parts(&cut, in, bytes[0] % 17 + 1u);
	if (whole.step != cut.step || whole.sum != cut.sum ||
	    whole.h.answer != cut.h.answer || whole.h.keeps != cut.h.keeps ||
	    (whole.step == HTTP_END && whole.used != cut.used))
		abort();
	if (whole.step == HTTP_END)
		check_taken(&whole, in);
	else if (whole.step == HTTP_BAD && whole.h.why == NULL)
		abort();
	return 0;
}
