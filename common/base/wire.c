/* wire.c - fixed-width little-endian codec with sticking errors. */
#include <endian.h>
#include <string.h>

#include "base/wire.h"

void
wire_bytes(struct wire_out *w, const void *p, size_t len)
{
	if (w->bad || len > w->cap - w->len) {
		w->bad = true;
		return;
	}
	if (len > 0)
		memcpy(w->buf + w->len, p, len);
	w->len += len;
}

void
wire_u8(struct wire_out *w, uint8_t v)
{
	wire_bytes(w, &v, sizeof(v));
}

void
wire_u16(struct wire_out *w, uint16_t v)
{
	v = htole16(v);
	wire_bytes(w, &v, sizeof(v));
}

void
wire_u32(struct wire_out *w, uint32_t v)
{
	v = htole32(v);
	wire_bytes(w, &v, sizeof(v));
}

void
wire_u64(struct wire_out *w, uint64_t v)
{
	v = htole64(v);
	wire_bytes(w, &v, sizeof(v));
}

void
wire_str(struct wire_out *w, struct span s, size_t max)
{
	if (s.len > max || s.len > UINT16_MAX) {
		w->bad = true;
		return;
	}
	wire_u16(w, (uint16_t)s.len);
	wire_bytes(w, s.ptr, s.len);
}

void
wire_get_bytes(struct wire_in *r, void *p, size_t len)
{
	if (r->bad || len > (size_t)(r->end - r->pos)) {
		r->bad = true;
		memset(p, 0, len);
		return;
	}
	memcpy(p, r->pos, len);
	r->pos += len;
}

uint8_t
wire_get_u8(struct wire_in *r)
{
	uint8_t v;

	wire_get_bytes(r, &v, sizeof(v));
	return v;
}

uint16_t
wire_get_u16(struct wire_in *r)
{
	uint16_t v;

	wire_get_bytes(r, &v, sizeof(v));
	return le16toh(v);
}

uint32_t
wire_get_u32(struct wire_in *r)
{
	uint32_t v;

	wire_get_bytes(r, &v, sizeof(v));
	return le32toh(v);
}

uint64_t
wire_get_u64(struct wire_in *r)
{
	uint64_t v;

	wire_get_bytes(r, &v, sizeof(v));
	return le64toh(v);
}

struct span
wire_get_str(struct wire_in *r, size_t max)
{
	size_t len = wire_get_u16(r);
	struct span s;

	if (r->bad || len > max || len > (size_t)(r->end - r->pos)) {
		r->bad = true;
		return (struct span){ NULL, 0 };
	}
	s = (struct span){ (const char *)r->pos, len };
	r->pos += len;
	return s;
}

bool
wire_done(const struct wire_in *r)
{
	return !r->bad && r->pos == r->end;
}
