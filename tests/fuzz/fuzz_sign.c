/*
 * fuzz_sign.c - what an edge or a relay asks the vault to sign.  Whatever is
 * found good is so for one side alone, has a length that it may have, and stays
 * good when the bytes that a handshake is free to choose are others.
 *
 * room: vault
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "vault/purpose.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
want(bool holds)
{
	if (!holds)
		abort();
}

/* The last byte is free in all of them, and none can be done without it. */
static void
check(struct span text, enum purpose p, enum purpose_side side,
    enum key_kind kind, const struct scheme *s)
{
	char *other = malloc(text.len);
	size_t len = text.len;

	if (other == NULL)
		return;
	memcpy(other, text.ptr, len);
	if (p == PURPOSE_VERIFY) {
		want(len == 130 || len == 146);
		memset(other + 98, 'x', len - 98);
	} else if (p == PURPOSE_EXCHANGE) {
		want(side == PURPOSE_SERVER);
		want(len == 100 || len == 133 || len == 165);
		memset(other, ' ', 64);
	} else {
		want(side == PURPOSE_CLIENT);
		want(len > 165 && other[0] == 1);
		other[len - 1] ^= 0x55;
	}
	want(purpose_of((struct span){ other, len }, side, kind, s) == p);
	want(purpose_of((struct span){ other, len - 1 }, side, kind, s) ==
	    PURPOSE_NONE);
	want(purpose_of(text, side == PURPOSE_SERVER ? PURPOSE_CLIENT :
	    PURPOSE_SERVER, kind, s) == PURPOSE_NONE);
	free(other);
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
	for (int side = PURPOSE_SERVER; side <= PURPOSE_CLIENT; side++) {
		p = purpose_of(text, (enum purpose_side)side, kind, s);
		if (p != PURPOSE_NONE)
			check(text, p, (enum purpose_side)side, kind, s);
	}
	return 0;
}
