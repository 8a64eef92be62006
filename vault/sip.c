/* sip.c - words are read as little-endian, as the paper has them. */
#include "vault/sip.h"

static uint64_t
turn(uint64_t x, unsigned bits)
{
	return x << bits | x >> (64 - bits);
}

static void
mix(uint64_t v[4], unsigned rounds)
{
	while (rounds-- > 0) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = turn(v[1], 13) ^ v[0];
		v[3] = turn(v[3], 16) ^ v[2];
		v[0] = turn(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = turn(v[1], 17) ^ v[2];
		v[3] = turn(v[3], 21) ^ v[0];
		v[2] = turn(v[2], 32);
	}
}

/* Up to eight bytes from the front of s. */
static uint64_t
word_of(struct span s)
{
	uint64_t w = 0;

	for (size_t i = 0; i < s.len && i < 8; i++)
		w |= (uint64_t)(unsigned char)s.ptr[i] << (8 * i);
	return w;
}

static void
take(uint64_t v[4], uint64_t w)
{
	v[3] ^= w;
	mix(v, 2);
	v[0] ^= w;
}

uint64_t
sip_hash(const struct sip_key *k, struct span s)
{
	uint64_t v[4] = {
		k->a ^ 0x736f6d6570736575u, k->b ^ 0x646f72616e646f6du,
		k->a ^ 0x6c7967656e657261u, k->b ^ 0x7465646279746573u,
	};
	uint64_t last = (uint64_t)s.len << 56;

	for (; s.len >= 8; s = span_tail(s, 8))
		take(v, word_of(s));
	take(v, last | word_of(s));
	v[2] ^= 0xff;
	mix(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}
