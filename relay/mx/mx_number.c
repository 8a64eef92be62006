/* mx_number.c - the sum of a mixed hash of each address, mixed once more. */
#include <string.h>

#include "relay/mx/mx_number.h"

/* The finalizer of MurmurHash3. */
static uint64_t
mix(uint64_t h)
{
	h = (h ^ h >> 33) * 0xff51afd7ed558ccdu;
	h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53u;
	return h ^ h >> 33;
}

static uint64_t
hash(const void *bytes, size_t len, uint64_t seed)
{
	const uint8_t *b = bytes;
	uint64_t h = mix(seed ^ len);

	for (size_t i = 0; i < len; i++)
		h = mix(h ^ b[i] ^ seed);
	return h;
}

uint64_t
mx_number(const struct resolve_found *found, const char *host, uint16_t port,
    uint64_t seed)
{
	uint64_t sum = 0, number;

	for (unsigned i = 0; i < found->address_cnt && !found->left_out; i++)
		sum += hash(found->addresses[i].bytes,
		    found->addresses[i].family == 4 ? 4 : 16, seed);
	if (found->address_cnt == 0 || found->left_out)
		sum = hash(host, strlen(host), seed);
	number = mix(sum ^ port ^ seed);
	return number != 0 ? number : 1;
}
