/* crc_arm64.c - the instructions crc32c of ARMv8, eight bytes a step. */
#include <sys/auxv.h>

#include <arm_acle.h>
#include <string.h>

#include "base/crc.h"

#define HAS_CRC32	(1ul << 7)	/* HWCAP_CRC32 of the kernel */

bool
crc_has_cpu(void)
{
	return (getauxval(AT_HWCAP) & HAS_CRC32) != 0;
}

__attribute__((target("+crc"))) uint32_t
crc_by_cpu(uint32_t crc, const void *p, size_t len)
{
	const uint8_t *b = p;
	uint64_t v;

	crc = ~crc;
	for (; len >= 8; len -= 8, b += 8) {
		memcpy(&v, b, sizeof(v));
		crc = __crc32cd(crc, v);
	}
	for (; len > 0; len--, b++)
		crc = __crc32cb(crc, *b);
	return ~crc;
}
