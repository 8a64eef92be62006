/*
 * crc.c - the choice, and the table: eight bytes a step, each through a row of
 * its own, made when the program starts.
 */
#include <endian.h>
#include <string.h>

#include "base/crc.h"

#define POLYNOMIAL	0x82f63b78u	/* Castagnoli's, reflected */

static uint32_t rows[8][256];	/* never written after the start */

__attribute__((constructor)) static void
make_rows(void)
{
	for (uint32_t i = 0; i < 256; i++) {
		uint32_t v = i;

		for (int bit = 0; bit < 8; bit++)
			v = v >> 1 ^ (POLYNOMIAL & -(v & 1));
		rows[0][i] = v;
	}
	for (uint32_t i = 0; i < 256; i++)
		for (int n = 1; n < 8; n++)
			rows[n][i] = rows[n - 1][i] >> 8 ^
			    rows[0][rows[n - 1][i] & 0xff];
}

static uint32_t
eight(uint32_t crc, const uint8_t *b)
{
	uint64_t v;
	uint32_t out = 0;

	memcpy(&v, b, sizeof(v));
	v = le64toh(v) ^ crc;
	for (int n = 7; n >= 0; n--, v >>= 8)
		out ^= rows[n][v & 0xff];
	return out;
}

uint32_t
crc_by_table(uint32_t crc, const void *p, size_t len)
{
	const uint8_t *b = p;

	crc = ~crc;
	for (; len >= 8; len -= 8, b += 8)
		crc = eight(crc, b);
	for (; len > 0; len--, b++)
		crc = crc >> 8 ^ rows[0][(crc ^ *b) & 0xff];
	return ~crc;
}

uint32_t
crc_of(uint32_t crc, const void *p, size_t len)
{
	return crc_has_cpu() ? crc_by_cpu(crc, p, len) :
	    crc_by_table(crc, p, len);
}
