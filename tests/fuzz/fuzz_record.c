/*
 * fuzz_record - rows of the store as a damaged disk may hold them: as they are,
 * and, because hardly any would get past the checksum, sealed with a right one
 * behind each version there has been.  What is read lies within its bytes, and
 * is written as the very same ones; an older record grows by what it lacked,
 * and is then read as what it was.
 * room: queue
 */
#include <stdlib.h>
#include <string.h>

#include "base/crc.h"
#include "base/wire.h"
#include "queue/store/record.h"

#define CRC_LEN	4	/* bytes at the end			*/
#define NEWEST	2	/* version of any kind, see records.def */

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
check_within(struct span bytes, struct span s)
{
	if (s.len > RECORD_STR_MAX || (s.len > 0 && (s.ptr < bytes.ptr ||
	    s.ptr + s.len > bytes.ptr + bytes.len)))
		abort();
}

static void
check_strings(struct span bytes, enum record_kind kind, const union record *r)
{
	switch (kind) {
#define U8(f)
#define U16(f)
#define U32(f)
#define U64(f)
#define STR(f)	check_within(bytes, m->f);
#define SINCE(v, fields)	fields
#define RECORD(name, version, fields)					\
	case RECORD_##name: {						\
		const struct record_##name *m = &r->name;		\
		(void)m;						\
		fields							\
		break;							\
	}
#include "queue/store/records.def"
#undef RECORD
#undef U8
#undef U16
#undef U32
#undef U64
#undef STR
#undef SINCE
	case RECORD__COUNT:
		abort();
	}
}

/* True if it was a record. */
static bool
check(struct span bytes, enum record_kind kind)
{
	uint8_t again[RECORD_MAX];
	union record r;
	size_t len;

	if (record_get(bytes, kind, &r) != OK)
		return false;
	check_strings(bytes, kind, &r);
	if ((len = record_put(again, kind, &r)) == 0)
		abort();
	if (again[0] == (uint8_t)bytes.ptr[0]) {
		if (len != bytes.len || memcmp(again, bytes.ptr, len) != 0)
			abort();
	} else if (len <= bytes.len || memcmp(again + 1, bytes.ptr + 1,
	    bytes.len - 1 - CRC_LEN) != 0 || record_get((struct span){
	    (const char *)again, len }, kind, &r) != OK) {
		abort();
	}
	return true;
}

/* A record that has a bit turned is none. */
static void
check_damage(char *text, size_t len, enum record_kind kind)
{
	union record r;
	size_t at = (unsigned char)text[len / 2] % len;

	text[at] = (char)(text[at] ^ 1 << (len % 8));
	if (record_get((struct span){ text, len }, kind, &r) == OK)
		abort();
	text[at] = (char)(text[at] ^ 1 << (len % 8));
}

static void
check_sealed(uint8_t version, const uint8_t *bytes, size_t len)
{
	static uint8_t sealed[2 * RECORD_MAX];
	struct wire_out w = { sealed, 0, sizeof(sealed), false };

	wire_u8(&w, version);
	wire_bytes(&w, bytes, len);
	wire_u32(&w, crc_of(0, w.buf, w.len));
	if (w.bad)
		return;
	for (enum record_kind k = 0; k < RECORD__COUNT; k++)
		if (check((struct span){ (const char *)sealed, w.len }, k))
			check_damage((char *)sealed, w.len, k);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	for (enum record_kind k = 0; k < RECORD__COUNT; k++)
		(void)check((struct span){ (const char *)bytes, len }, k);
	for (uint8_t version = 1; version <= NEWEST; version++)
		check_sealed(version, bytes, len);
	return 0;
}
