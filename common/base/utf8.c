/* utf8.c - the table of RFC 3629 4, as comparisons. */
#include "base/utf8.h"

size_t
utf8_len(struct span s)
{
	const unsigned char *p = (const unsigned char *)s.ptr;
	size_t len;

	if (s.len == 0 || p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	len = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;
	if (s.len < len)
		return 0;
	for (size_t i = 1; i < len; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if ((p[0] == 0xc2 && p[1] < 0xa0) ||	/* C1 controls	 */
	    (p[0] == 0xe0 && p[1] < 0xa0) ||	/* overlong	 */
	    (p[0] == 0xed && p[1] > 0x9f) ||	/* surrogates	 */
	    (p[0] == 0xf0 && p[1] < 0x90) ||	/* overlong	 */
	    (p[0] == 0xf4 && p[1] > 0x8f))	/* over U+10FFFF */
		return 0;
	return len;
}

bool
utf8_is_ascii(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if ((unsigned char)s.ptr[i] > 0x7f)
			return false;
	return true;
}

bool
utf8_is_good(struct span s)
{
	while (s.len > 0) {
		size_t len = (unsigned char)s.ptr[0] < 0x80 ? 1 : utf8_len(s);

		if (len == 0)
			return false;
		s = span_tail(s, len);
	}
	return true;
}
