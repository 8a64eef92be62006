/* span.c - the small verbs of a run of bytes. */
#include <string.h>

#include "base/span.h"

static char
folded(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

struct span
span_of(const char *s)
{
	return (struct span){ s, s == NULL ? 0 : strlen(s) };
}

bool
span_eq(struct span a, struct span b)
{
	return a.len == b.len &&
	    (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool
span_eq_nocase(struct span a, struct span b)
{
	if (a.len != b.len)
		return false;
	for (size_t i = 0; i < a.len; i++)
		if (folded(a.ptr[i]) != folded(b.ptr[i]))
			return false;
	return true;
}

bool
span_begins(struct span s, struct span head)
{
	return s.len >= head.len && span_eq(span_head(s, head.len), head);
}

bool
span_begins_nocase(struct span s, struct span head)
{
	return s.len >= head.len &&
	    span_eq_nocase(span_head(s, head.len), head);
}

struct span
span_head(struct span s, size_t n)
{
	if (n < s.len)
		s.len = n;
	return s;
}

struct span
span_tail(struct span s, size_t n)
{
	if (n > s.len)
		n = s.len;
	if (n > 0)
		s.ptr += n;
	s.len -= n;
	return s;
}

size_t
span_find(struct span s, char c)
{
	const char *at = s.len > 0 ? memchr(s.ptr, c, s.len) : NULL;

	return at != NULL ? (size_t)(at - s.ptr) : s.len;
}

struct span
span_cut(struct span *s, char c)
{
	size_t len = span_find(*s, c);
	struct span head = span_head(*s, len);

	*s = span_tail(*s, len < s->len ? len + 1 : len);
	return head;
}

bool
span_has(struct span list, char c, struct span word)
{
	while (list.len > 0)
		if (span_eq(span_cut(&list, c), word))
			return true;
	return false;
}

static bool
is_one_of(char c, const char *bytes)
{
	return c != '\0' && strchr(bytes, c) != NULL;
}

struct span
span_strip(struct span s, const char *bytes)
{
	while (s.len > 0 && is_one_of(s.ptr[s.len - 1], bytes))
		s.len--;
	while (s.len > 0 && is_one_of(s.ptr[0], bytes))
		s = span_tail(s, 1);
	return s;
}

struct span
span_trim(struct span s)
{
	return span_strip(s, " \t");
}

bool
span_cstr(struct span s, char *buf, size_t cap)
{
	if (cap == 0)
		return false;
	buf[0] = '\0';
	if (s.len >= cap || span_find(s, '\0') < s.len)
		return false;
	if (s.len > 0)
		memcpy(buf, s.ptr, s.len);
	buf[s.len] = '\0';
	return true;
}

bool
span_number(struct span s, unsigned long long max, unsigned long long *out)
{
	unsigned long long n = 0;

	if (s.len == 0)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		unsigned digit = (unsigned)(s.ptr[i] - '0');

		if (s.ptr[i] < '0' || digit > 9)
			return false;
		if (digit > max || n > (max - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*out = n;
	return true;
}
