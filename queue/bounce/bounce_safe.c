/* bounce_safe.c - every byte that is not ours goes through here. */
#include "base/utf8.h"
#include "queue/bounce/bounce_safe.h"

static void
put_byte(FILE *f, unsigned char c)
{
	if (c >= 0x7f)
		c = '?';
	fputc(c < ' ' ? ' ' : c, f);
}

void
bounce_safe_text(FILE *f, struct span s, bool utf8)
{
	for (size_t i = 0, n; i < s.len && i < BOUNCE_SAFE_CUT; i += n) {
		n = utf8 ? utf8_len(span_tail(s, i)) : 0;
		if (n > 0) {
			fwrite(s.ptr + i, 1, n, f);
			continue;
		}
		put_byte(f, (unsigned char)s.ptr[i]);
		n = 1;
	}
}

/* The number a well-formed UTF-8 character of len bytes stands for. */
static unsigned
code_point(const char *p, size_t len)
{
	unsigned v = (unsigned char)p[0] & (0xffu >> (len + 1));

	for (size_t i = 1; i < len; i++)
		v = v << 6 | ((unsigned char)p[i] & 0x3f);
	return v;
}

void
bounce_safe_utf8_address(FILE *f, struct span s, bool utf8)
{
	for (size_t i = 0, n; i < s.len && i < BOUNCE_SAFE_CUT; i += n) {
		unsigned char c = (unsigned char)s.ptr[i];

		n = utf8_len(span_tail(s, i));
		if (n > 0 && utf8)
			fwrite(s.ptr + i, 1, n, f);
		else if (n > 0)
			fprintf(f, "\\x{%X}", code_point(s.ptr + i, n));
		else if (!utf8 && (c == ' ' || c == '\\' || c == '+' ||
		    c == '='))
			fprintf(f, "\\x{%02X}", c);
		else
			put_byte(f, c);
		if (n == 0)
			n = 1;
	}
}

static int
hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

void
bounce_safe_xtext(FILE *f, struct span s, bool utf8)
{
	char buf[BOUNCE_SAFE_CUT];
	size_t len = 0;

	for (size_t i = 0; i < s.len && len < sizeof(buf); i++) {
		int high, low;

		if (s.ptr[i] == '+' && i + 2 < s.len &&
		    (high = hex(s.ptr[i + 1])) >= 0 &&
		    (low = hex(s.ptr[i + 2])) >= 0) {
			buf[len++] = (char)(high << 4 | low);
			i += 2;
		} else {
			buf[len++] = s.ptr[i];
		}
	}
	bounce_safe_text(f, (struct span){ buf, len }, utf8);
}
