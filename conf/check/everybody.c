/*
 * everybody.c - networks are added up, so that two halves are a whole, and what
 * lies within another one counts once.
 *
 * IPv4 is counted in addresses; IPv6 in /16, for nobody has one of those, and
 * what is smaller is left out of the count.
 */
#include <string.h>
#include <strings.h>

#include "conf/check/everybody.h"

#define V4_MANY		(UINT64_C(1) << 28)	/* addresses: 16 /8	*/
#define V6_BITS		16	/* longer networks do not count	*/
#define V6_MANY		(UINT64_C(1) << 8)	/* of /16: a /8		*/

static bool
holds(const struct net *a, const struct net *b)
{
	unsigned whole = a->bits / 8, rest = a->bits % 8;

	return a->family == b->family && a->bits <= b->bits &&
	    memcmp(a->address, b->address, whole) == 0 &&
	    (rest == 0 || (a->address[whole] ^ b->address[whole]) >>
	    (8 - rest) == 0);
}

/* Loopback, RFC 1918's largest, multicast and beyond; fc00::/7 to ff00::. */
static bool
is_private(const struct net *n)
{
	static const struct net rows[] = {
		{ 4, 8, { 10 } }, { 4, 8, { 127 } }, { 4, 3, { 224 } },
		{ 6, 6, { 0xfc } },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (holds(&rows[i], n))
			return true;
	return false;
}

/* Is it within one of the others?  Of two alike the first counts. */
static bool
is_within(const struct setting *s, unsigned no)
{
	const struct net *n = &s->v[no].net;

	for (unsigned i = 0; i < s->cnt; i++)
		if (i != no && holds(&s->v[i].net, n) &&
		    (s->v[i].net.bits < n->bits || i < no))
			return true;
	return false;
}

const struct reading *
everybody_networks(const struct setting *s)
{
	uint64_t v4 = 0, v6 = 0;

	for (unsigned i = 0; i < s->cnt; i++) {
		const struct net *n = &s->v[i].net;

		if (n->bits == 0)
			return &s->v[i];
		if (is_private(n) ||
		    (n->family == 6 && n->bits > V6_BITS) || is_within(s, i))
			continue;
		if (n->family == 4)
			v4 += UINT64_C(1) << (32 - n->bits);
		else
			v6 += UINT64_C(1) << (V6_BITS - n->bits);
		if (v4 >= V4_MANY || v6 >= V6_MANY)
			return &s->v[i];
	}
	return NULL;
}

static bool
is_kept_label(struct span label)
{
	static const char *const words[] = {
		"corp", "example", "home", "internal", "intranet", "invalid",
		"lan", "local", "localhost", "private", "test",
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (label.len == strlen(words[i]) &&
		    strncasecmp(label.ptr, words[i], label.len) == 0)
			return true;
	return false;
}

const struct reading *
everybody_pattern(const struct setting *s)
{
	for (unsigned i = 0; i < s->cnt; i++) {
		struct span text = s->v[i].text, label;

		if (!span_begins(text, SPAN("@.")))
			continue;
		label = span_tail(text, 2);
		if (span_find(label, '.') == label.len &&
		    !is_kept_label(label))
			return &s->v[i];
	}
	return NULL;
}
