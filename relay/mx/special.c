/*
 * special.c - the first row that holds the address decides; what is in none is
 * a host's.  Networks of which single addresses serve the whole Internet
 * (192.0.0.9, 2001:1::1 and the like) are no exception: none takes mail.
 */
#include <string.h>

#include "relay/mx/special.h"

struct network {
	uint8_t		 family;
	uint8_t		 bits;
	uint8_t		 inner;		/* over 0: an IPv4 address stands at
					 * this byte, and is what counts */
	enum special	 what;
	uint8_t		 bytes[16];
};

#define FOUR(bits, what, ...) { 4, bits, 0, what, { __VA_ARGS__ } }
#define SIX(bits, what, ...) { 6, bits, 0, what, { __VA_ARGS__ } }
#define INNER(bits, at, ...) { 6, bits, at, SPECIAL_NOT, { __VA_ARGS__ } }

static const struct network networks[] = {
	FOUR( 8, SPECIAL_NOBODY,  0),			/* RFC 791 3.2	*/
	FOUR( 8, SPECIAL_PRIVATE, 10),			/* RFC 1918	*/
	FOUR(10, SPECIAL_PRIVATE, 100, 64),		/* CGNAT, RFC 6598 */
	FOUR( 8, SPECIAL_PRIVATE, 127),			/* RFC 1122 3.2.1.3 */
	FOUR(16, SPECIAL_PRIVATE, 169, 254),		/* RFC 3927	*/
	FOUR(12, SPECIAL_PRIVATE, 172, 16),		/* RFC 1918	*/
	FOUR(24, SPECIAL_PRIVATE, 192, 0, 0),		/* RFC 6890 2.1	*/
	FOUR(24, SPECIAL_PRIVATE, 192, 0, 2),		/* RFC 5737	*/
	FOUR(24, SPECIAL_PRIVATE, 192, 88, 99),		/* RFC 7526	*/
	FOUR(16, SPECIAL_PRIVATE, 192, 168),		/* RFC 1918	*/
	FOUR(15, SPECIAL_PRIVATE, 198, 18),		/* RFC 2544	*/
	FOUR(24, SPECIAL_PRIVATE, 198, 51, 100),	/* RFC 5737	*/
	FOUR(24, SPECIAL_PRIVATE, 203, 0, 113),		/* RFC 5737	*/
	FOUR( 4, SPECIAL_NOBODY,  224),			/* RFC 5771	*/
	FOUR( 4, SPECIAL_NOBODY,  240),			/* RFC 1112 4	*/
	SIX(128, SPECIAL_NOBODY,  0),			/* RFC 4291 2.5.2 */
	SIX(128, SPECIAL_PRIVATE, [15] = 1),		/* RFC 4291 2.5.3 */
	INNER(96, 12, [10] = 0xff, [11] = 0xff),	/* RFC 4291 2.5.5.2 */
	INNER(96, 12, 0, 0x64, 0xff, 0x9b),		/* NAT64, RFC 6052 */
	SIX(  3, SPECIAL_PRIVATE, 0),			/* not given out,
			 * RFC 4291 2.4; of it RFC 6666, RFC 8215	*/
	SIX( 23, SPECIAL_PRIVATE, 0x20, 0x01),		/* RFC 2928, Teredo
							 * of RFC 4380	*/
	SIX( 32, SPECIAL_PRIVATE, 0x20, 0x01, 0x0d, 0xb8), /* RFC 3849	*/
	INNER(16, 2, 0x20, 0x02),			/* 6to4, RFC 3056 */
	SIX( 20, SPECIAL_PRIVATE, 0x3f, 0xff),		/* RFC 9637	*/
	SIX(  2, SPECIAL_PRIVATE, 0x40),		/* not given out; of
							 * it RFC 9602	*/
	SIX(  8, SPECIAL_NOBODY,  0xff),		/* RFC 4291 2.7	*/
	SIX(  1, SPECIAL_PRIVATE, 0x80),		/* not given out; of
			 * it RFC 4193, RFC 4291 2.5.6, RFC 3879	*/
};

static bool
holds(const struct network *n, const struct resolve_address *a)
{
	unsigned bytes = n->bits / 8, bits = n->bits % 8;

	return n->family == a->family &&
	    memcmp(n->bytes, a->bytes, bytes) == 0 &&
	    (bits == 0 || (n->bytes[bytes] ^ a->bytes[bytes]) >>
	    (8 - bits) == 0);
}

static enum special
special_inner(const struct resolve_address *a, unsigned at)
{
	struct resolve_address inner = { .family = 4 };

	memcpy(inner.bytes, a->bytes + at, 4);
	return special_of(&inner);
}

enum special
special_of(const struct resolve_address *a)
{
	for (size_t i = 0; i < sizeof(networks) / sizeof(networks[0]); i++) {
		const struct network *n = &networks[i];

		if (!holds(n, a))
			continue;
		return n->inner > 0 ? special_inner(a, n->inner) : n->what;
	}
	return SPECIAL_NOT;
}
