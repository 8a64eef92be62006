/* record.c - a version in front, a checksum behind, made from records.def. */
#include "base/crc.h"
#include "base/wire.h"
#include "queue/store/record.h"

#define CRC_LEN	4	/* bytes at the end */

struct row {
	uint8_t	 version;
	void	(*put)(struct wire_out *, const void *);
	void	(*get)(struct wire_in *, uint8_t since, union record *);
};

#define U8(f)	wire_u8(w, m->f);
#define U16(f)	wire_u16(w, m->f);
#define U32(f)	wire_u32(w, m->f);
#define U64(f)	wire_u64(w, m->f);
#define STR(f)	wire_str(w, m->f, RECORD_STR_MAX);
#define SINCE(v, fields)	fields
#define RECORD(name, version, fields)					\
static void								\
put_##name(struct wire_out *w, const void *arg)				\
{									\
	const struct record_##name *m = arg;				\
	fields								\
}
#include "queue/store/records.def"
#undef RECORD
#undef U8
#undef U16
#undef U32
#undef U64
#undef STR
#undef SINCE

#define U8(f)	m->f = wire_get_u8(r);
#define U16(f)	m->f = wire_get_u16(r);
#define U32(f)	m->f = wire_get_u32(r);
#define U64(f)	m->f = wire_get_u64(r);
#define STR(f)	m->f = wire_get_str(r, RECORD_STR_MAX);
#define SINCE(v, fields)	if (since >= (v)) { fields }
#define RECORD(name, version, fields)					\
static void								\
get_##name(struct wire_in *r, uint8_t since, union record *any)		\
{									\
	struct record_##name *m = &any->name;				\
									\
	*m = (struct record_##name){ 0 };				\
	fields								\
}
#include "queue/store/records.def"
#undef RECORD
#undef U8
#undef U16
#undef U32
#undef U64
#undef STR
#undef SINCE

static const struct row rows[RECORD__COUNT] = {
#define RECORD(name, version, fields)					\
	[RECORD_##name] = { version, put_##name, get_##name },
#include "queue/store/records.def"
#undef RECORD
};

size_t
record_put(uint8_t *buf, enum record_kind kind, const void *rec)
{
	struct wire_out w = { buf, 0, RECORD_MAX, false };

	wire_u8(&w, rows[kind].version);
	rows[kind].put(&w, rec);
	wire_u32(&w, crc_of(0, w.buf, w.len));
	return w.bad ? 0 : w.len;
}

/* What could not be written again would stop every transaction. */
static bool
fits_again(enum record_kind kind, const union record *r)
{
	uint8_t buf[RECORD_MAX];

	return record_put(buf, kind, r) > 0;
}

/* Its version; 0 when the checksum is wrong. */
static uint8_t
version_of(struct span bytes)
{
	const uint8_t *b = (const uint8_t *)bytes.ptr;
	struct wire_in crc;

	if (bytes.len < 1 + CRC_LEN || bytes.len > RECORD_MAX)
		return 0;
	crc = (struct wire_in){ b + bytes.len - CRC_LEN, b + bytes.len, false };
	return wire_get_u32(&crc) == crc_of(0, b, bytes.len - CRC_LEN) ?
	    b[0] : 0;
}

bool
record_is_newer(struct span bytes, enum record_kind kind)
{
	return version_of(bytes) > rows[kind].version;
}

enum err
record_get(struct span bytes, enum record_kind kind, union record *out)
{
	struct wire_in r = { (const uint8_t *)bytes.ptr, NULL, false };
	uint8_t version = version_of(bytes);

	if (version == 0 || version > rows[kind].version)
		return ERR_PEER;
	r.pos++;
	r.end = (const uint8_t *)bytes.ptr + bytes.len - CRC_LEN;
	rows[kind].get(&r, version, out);
	if (!wire_done(&r))
		return ERR_PEER;
	return version == rows[kind].version || fits_again(kind, out) ? OK :
	    ERR_PEER;
}

bool
record_is_bounce(const struct record_message *m)
{
	return m->sender.len == 0 && m->edge.len == 0;
}
