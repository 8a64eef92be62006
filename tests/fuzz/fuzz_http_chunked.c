/*
 * fuzz_http_chunked.c - a chunked body read whole and in parts comes to the
 * same; and any bytes, written in chunks, come back as they were.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "http/http_body.h"
#include "http/http_out.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define TEXT_MAX	4096	/* bytes of input we look at */

struct outcome {
	char		 text[TEXT_MAX];
	size_t		 len, used;
	enum http_step	 step;
};

static void
read_parts(struct outcome *o, struct span in, size_t part)
{
	const struct http_head h = { .framing = HTTP_CHUNKED };
	struct http_body b;
	struct span run;

	http_body_init(&b, &h);
	o->len = o->used = 0;
	o->step = HTTP_MORE;
	while (o->step == HTTP_MORE && o->used < in.len) {
		struct span s = span_head(span_tail(in, o->used), part);
		size_t len = s.len;

		while ((o->step = http_body_next(&b, &s, &run)) == HTTP_RUN) {
			if (run.len == 0 || run.len > TEXT_MAX - o->len)
				abort();
			memcpy(o->text + o->len, run.ptr, run.len);
			o->len += run.len;
		}
		o->used += len - s.len;
	}
	if (b.len != o->len)
		abort();
}

static void
check_way_back(struct span in, size_t part)
{
	static struct outcome back;
	static char wire[TEXT_MAX * 8];
	struct span left = in;
	size_t len = 0;

	while (left.len > 0) {
		struct span s = span_head(left, part);

		left = span_tail(left, s.len);
		len += http_out_chunk(wire + len, s.len);
		memcpy(wire + len, s.ptr, s.len);
		len += s.len;
		memcpy(wire + len, HTTP_OUT_CHUNK_END.ptr, 2);
		len += 2;
	}
	memcpy(wire + len, HTTP_OUT_LAST.ptr, HTTP_OUT_LAST.len);
	len += HTTP_OUT_LAST.len;
	read_parts(&back, (struct span){ wire, len }, part * 2 + 1);
	if (back.step != HTTP_END || back.used != len ||
	    back.len != in.len || memcmp(back.text, in.ptr, in.len) != 0)
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct outcome whole, cut;
	struct span in = { (const char *)bytes + 1, len - 1 };
	size_t part;

	if (len < 2 || len > TEXT_MAX)
		return 0;
	part = bytes[0] % 17 + 1u;
	read_parts(&whole, in, in.len);
	read_parts(&cut, in, part);
	if (whole.step != cut.step || whole.used != cut.used ||
	    whole.len != cut.len ||
	    memcmp(whole.text, cut.text, whole.len) != 0)
		abort();
	check_way_back(in, part);
	return 0;
}
