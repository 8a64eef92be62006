/*
 * wire_records - resource records for tests, as the resolver sends them: each
 * a length and its rdata, names in it uncompressed.
 */
#ifndef TESTS_WIRE_RECORDS_H
#define TESTS_WIRE_RECORDS_H

#include <string.h>

#include "base/limits.h"
#include "base/wire.h"
#include "bus/messages.h"

struct wire_records {
	uint8_t		 bytes[BUS_BLOB_MAX];
	struct wire_out	 out;
};

static inline void
wire_records_begin(struct wire_records *r)
{
	r->out = (struct wire_out){ r->bytes, 0, sizeof(r->bytes), false };
}

static inline struct span
wire_records_span(const struct wire_records *r)
{
	return (struct span){ (const char *)r->bytes, r->out.len };
}

static inline void
wire_records_add(struct wire_records *r, const void *bytes, size_t len)
{
	wire_str(&r->out, (struct span){ bytes, len }, UINT16_MAX);
}

/* "mx.example" or "." as on the wire; its length. */
static inline size_t
wire_records_name(uint8_t *out, const char *name)
{
	struct span left = span_of(name);
	size_t len = 0, n;

	while (left.len > 0 && !span_eq(left, SPAN("."))) {
		n = span_find(left, '.');
		out[len++] = (uint8_t)n;
		memcpy(out + len, left.ptr, n);
		len += n;
		left = span_tail(left, n + 1);
	}
	out[len++] = 0;
	return len;
}

static inline void
wire_records_mx(struct wire_records *r, uint16_t preference, const char *name)
{
	uint8_t rdata[2 + 256] = { (uint8_t)(preference >> 8),
	    (uint8_t)preference };

	wire_records_add(r, rdata, 2 + wire_records_name(rdata + 2, name));
}

#endif
