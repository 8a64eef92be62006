/*
 * plain.c - eight bytes at a time.
 *
 * For a byte b, (b - 14) & ~b has its high bit set if and only if b is below
 * 14; done on all eight at once a borrow can spoil the bytes above the first
 * hit, never those below it, and the first hit is all we ask for.  TAB, BS, VT
 * and FF are stopped at as well: rare, and the caller steps over them.
 */
#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "mail/plain.h"

#define EACH_BYTE	0x0101010101010101ull
#define HIGH_BITS	(EACH_BYTE * 0x80)

static uint64_t
load(const char *p)
{
	uint64_t word;

	memcpy(&word, p, sizeof(word));
	return le64toh(word);
}

static uint64_t
low_bytes(uint64_t word)
{
	return (word - EACH_BYTE * 14) & ~word & HIGH_BITS;
}

const char *
plain_end(const char *p, const char *end, bool *is_8bit)
{
	uint64_t seen = 0;

	while (end - p >= 8) {
		uint64_t word = load(p), hit = low_bytes(word);

		if (hit != 0) {
			unsigned bit = (unsigned)__builtin_ctzll(hit) - 7;

			seen |= word & ((1ull << bit) - 1);
			p += bit / 8;
			break;
		}
		seen |= word;
		p += 8;
	}
	for (; p < end && (unsigned char)*p >= 14; p++)
		seen |= (unsigned char)*p;
	if ((seen & HIGH_BITS) != 0)
		*is_8bit = true;
	return p;
}
