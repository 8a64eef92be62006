/* crc_x86.c - the instruction crc32 of SSE4.2, eight bytes a step. */
#include <nmmintrin.h>
#include <string.h>

#include "base/crc.h"

bool
crc_has_cpu(void)
{
	return __builtin_cpu_supports("sse4.2");
}

__attribute__((target("sse4.2"))) uint32_t
crc_by_cpu(uint32_t crc, const void *p, size_t len)
{
	const uint8_t *b = p;
	uint64_t sum = (uint32_t)~crc, v;

	for (; len >= 8; len -= 8, b += 8) {
		memcpy(&v, b, sizeof(v));
		sum = _mm_crc32_u64(sum, v);
	}
	for (; len > 0; len--, b++)
		sum = _mm_crc32_u8((uint32_t)sum, *b);
	return ~(uint32_t)sum;
}
