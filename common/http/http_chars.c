/* http_chars.c - RFC 9110 5.5 field-value, 5.6.1 lists, 5.6.2 token. */
#include <string.h>

#include "base/ascii.h"
#include "http/http_chars.h"

bool
http_chars_is_token(char c)
{
	if (ascii_is_alnum(c))
		return true;
	return c != '\0' && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

bool
http_chars_all_token(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!http_chars_is_token(s.ptr[i]))
			return false;
	return s.len > 0;
}

bool
http_chars_is_text(char c)
{
	unsigned char byte = (unsigned char)c;

	return byte == '\t' || (byte >= ' ' && byte != 0x7f);
}

bool
http_chars_is_visible(char c)
{
	return c > ' ' && c < 0x7f;
}

bool
http_chars_member(struct span *list, struct span *member)
{
	size_t n;

	while (list->len > 0) {
		n = span_find(*list, ',');
		*member = span_trim(span_head(*list, n));
		*list = span_tail(*list, n + 1);
		if (member->len > 0)
			return true;
	}
	return false;
}
