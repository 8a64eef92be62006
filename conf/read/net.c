/* net.c - inet_pton(3) is strict enough for us: no octal, no short forms. */
#include <arpa/inet.h>
#include <string.h>

#include "conf/read/net.h"

static int
af_of(const struct net *n)
{
	return n->family == 4 ? AF_INET : AF_INET6;
}

bool
net_read_address(struct span s, struct net *out)
{
	struct net n = { .family = span_find(s, ':') < s.len ? 6 : 4 };
	char text[INET6_ADDRSTRLEN];

	if (!span_cstr(s, text, sizeof(text)) ||
	    inet_pton(af_of(&n), text, n.address) != 1)
		return false;
	n.bits = n.family == 4 ? 32 : 128;
	*out = n;
	return true;
}

bool
net_read(struct span s, struct net *out)
{
	size_t slash = span_find(s, '/');
	unsigned long long bits;
	struct net n;

	if (!net_read_address(span_head(s, slash), &n))
		return false;
	if (slash < s.len) {
		if (!span_number(span_tail(s, slash + 1), n.bits, &bits))
			return false;
		n.bits = (uint8_t)bits;
	}
	*out = n;
	return true;
}

bool
net_mask(struct net *n)
{
	unsigned len = n->family == 4 ? 4 : 16;
	bool cut = false;

	for (unsigned i = n->bits; i < len * 8; i++) {
		uint8_t bit = (uint8_t)(0x80u >> (i & 7));

		cut = cut || (n->address[i / 8] & bit) != 0;
		n->address[i / 8] = (uint8_t)(n->address[i / 8] & ~bit);
	}
	return cut;
}

struct span
net_text(const struct net *n, struct arena *arena)
{
	char text[INET6_ADDRSTRLEN];

	if (inet_ntop(af_of(n), n->address, text, sizeof(text)) == NULL)
		return SPAN("");
	if (n->bits == (n->family == 4 ? 32 : 128))
		return arena_copy(arena, span_of(text));
	return span_of(arena_print(arena, "%s/%u", text, n->bits));
}

bool
net_is_loopback(const struct net *n)
{
	static const uint8_t one[16] = { [15] = 1 };

	if (n->family == 4)
		return n->address[0] == 127;
	return memcmp(n->address, one, sizeof(one)) == 0;
}

bool
net_is_mapped(const struct net *n)
{
	static const uint8_t head[12] = { [10] = 0xff, [11] = 0xff };

	return n->family == 6 && memcmp(n->address, head, sizeof(head)) == 0;
}

bool
net_is_any(const struct net *n)
{
	static const uint8_t none[16];

	return memcmp(n->address, none, n->family == 4 ? 4 : 16) == 0;
}
