/*
 * fuzz_sign.c - what an edge asks the vault to sign.  Whatever is found good
 * must be exactly one of five lengths, and stay good when the bytes that a
 * handshake is free to choose are others.
 *
 * room: vault
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vault/purpose.h"

#define TEXT_CAP	256

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
want(bool holds)
{
	if (!holds)
		abort();
}

static void
check(struct span text, enum purpose p, enum key_kind kind,
    const struct scheme *s)
{
	char other[TEXT_CAP];
	size_t len = text.len;

	want(len <= sizeof(other));
	memcpy(other, text.ptr, len);
	if (p == PURPOSE_VERIFY) {
		want(len == 130 || len == 146);
		memset(other + 98, 'x', len - 98);
	} else {
		want(len == 100 || len == 133 || len == 165);
		memset(other, ' ', 64);
	}
	want(purpose_of((struct span){ other, len }, kind, s) == p);
	want(purpose_of((struct span){ other, len - 1 }, kind, s) ==
	    PURPOSE_NONE);
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct scheme *s;
	struct span text;
	enum key_kind kind;
	enum purpose p;

	if (len < 3)
		return 0;
	kind = bytes[0] % KEY__COUNT;
	s = scheme_find((unsigned)bytes[1] << 8 | bytes[2]);
	text = (struct span){ (const char *)bytes + 3, len - 3 };
	p = purpose_of(text, kind, s);
	if (p != PURPOSE_NONE)
		check(text, p, kind, s);
	return 0;
}
