/*
 * dsn.c - xtext is a "+" and two digits for each byte that is not plain; the
 * digits are of upper case only (RFC 3461 4).
 */
#include <stdio.h>
#include <string.h>

#include "base/ascii.h"
#include "base/utf8.h"
#include "mail/dsn.h"

static const struct {
	struct span	 word;
	unsigned	 bit;
} notify_words[] = {
	{ { "NEVER", 5 },	DSN_NEVER	},
	{ { "SUCCESS", 7 },	DSN_SUCCESS	},
	{ { "FAILURE", 7 },	DSN_FAILURE	},
	{ { "DELAY", 5 },	DSN_DELAY	},
};

#define NOTIFY_WORDS	(sizeof(notify_words) / sizeof(notify_words[0]))

static unsigned
notify_bit(struct span word)
{
	for (size_t i = 0; i < NOTIFY_WORDS; i++)
		if (span_eq_nocase(word, notify_words[i].word))
			return notify_words[i].bit;
	return 0;
}

bool
dsn_is_notify(uint8_t notify)
{
	return notify == DSN_NEVER || (notify &
	    ~(DSN_SUCCESS | DSN_FAILURE | DSN_DELAY)) == 0;
}

bool
dsn_read_notify(struct span value, uint8_t *out)
{
	unsigned all = 0, bit;

	for (;;) {
		struct span word = span_head(value, span_find(value, ','));

		if ((bit = notify_bit(word)) == 0)
			return false;
		all |= bit;
		if (word.len == value.len)
			break;
		value = span_tail(value, word.len + 1);
	}
	if (!dsn_is_notify((uint8_t)all))
		return false;
	*out = (uint8_t)all;
	return true;
}

struct span
dsn_notify_text(uint8_t notify, char *buf)
{
	size_t len = 0;

	for (size_t i = 0; i < NOTIFY_WORDS; i++)
		if (notify & notify_words[i].bit)
			len += (size_t)snprintf(buf + len,
			    DSN_NOTIFY_TEXT - len, "%s%s", len > 0 ? "," : "",
			    notify_words[i].word.ptr);
	return (struct span){ buf, len };
}

bool
dsn_read_ret(struct span value, uint8_t *out)
{
	if (span_eq_nocase(value, SPAN("FULL")))
		*out = DSN_RET_FULL;
	else if (span_eq_nocase(value, SPAN("HDRS")))
		*out = DSN_RET_HDRS;
	else
		return false;
	return true;
}

bool
dsn_wants(uint8_t notify, unsigned kind)
{
	if (notify == 0)
		notify = DSN_FAILURE | DSN_DELAY;
	return (notify & kind) != 0;
}

/* In xtext they are of upper case only. */
static int
upper_hex(char c)
{
	return c >= 'a' && c <= 'f' ? -1 : ascii_hex(c);
}

/* The byte that "+XX" at the front stands for; -1: there is none. */
static int
hexchar(struct span s)
{
	int high, low;

	if (s.len < 3 || s.ptr[0] != '+')
		return -1;
	high = upper_hex(s.ptr[1]);
	low = upper_hex(s.ptr[2]);
	return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* An ASCII character that stands for itself in xtext. */
static bool
is_xchar(char c)
{
	return c > ' ' && c < 0x7f && c != '+' && c != '=';
}

/* Graphic, blank or TAB: what a field of a report can hold. */
static bool
is_printable(int c)
{
	return (c >= ' ' && c < 0x7f) || c == '\t';
}

/* Bytes of the character of xtext at the front; 0: that is none. */
static size_t
xtext_len(struct span s)
{
	if (s.ptr[0] == '+')
		return is_printable(hexchar(s)) ? 3 : 0;
	return is_xchar(s.ptr[0]) ? 1 : 0;
}

/* HEXPOINT, RFC 6533 3: a number in as few digits as it takes, but two. */
static bool
is_hexpoint(struct span s)
{
	static const unsigned least[] = { 0x1, 0x100, 0x1000, 0x10000,
	    0x100000 };
	unsigned v = 0;

	if (s.len < 2 || s.len > 6)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		int digit = ascii_hex(s.ptr[i]);

		if (digit < 0)
			return false;
		v = v * 16 + (unsigned)digit;
	}
	if (v < least[s.len - 2] || v > 0x10ffff ||
	    (v >= 0xd800 && v <= 0xdfff))
		return false;
	/* Of ASCII only what xtext or this form would take for its own. */
	return v >= 0x7f || v == '\\' || v == '+' || v == '=' || v == ' ' ||
	    (v < 0x20 && v % 16 <= 9);
}

/* Bytes of "\x{...}" at the front; 0: it is none. */
static size_t
embedded_len(struct span s)
{
	size_t end;

	if (!span_begins(s, SPAN("\\x{")))
		return 0;
	end = span_find(s, '}');
	if (end == s.len || !is_hexpoint(span_head(span_tail(s, 3), end - 3)))
		return 0;
	return end + 1;
}

/* The same of an address of type utf-8, with characters as they are or not. */
static size_t
unitext_len(struct span s, bool utf8)
{
	if (s.ptr[0] == '\\')
		return embedded_len(s);
	if ((unsigned char)s.ptr[0] >= 0x80)
		return utf8 ? utf8_len(s) : 0;
	return xtext_len(s);
}

bool
dsn_is_envid(struct span value)
{
	size_t n;

	if (value.len == 0 || value.len > DSN_ENVID_MAX)
		return false;
	for (size_t i = 0; i < value.len; i += n)
		if ((n = xtext_len(span_tail(value, i))) == 0)
			return false;
	return true;
}

/*
 * An address type is an atom (RFC 822 3.3) that is registered, and none of
 * those has a "+", which would read as the beginning of a hexchar.
 */
static bool
is_atom(struct span s)
{
	for (size_t i = 0; i < s.len; i++)
		if (!is_xchar(s.ptr[i]) ||
		    memchr("()<>@,;:\\\".[]", s.ptr[i], 13) != NULL)
			return false;
	return s.len > 0;
}

bool
dsn_is_orcpt(struct span value, bool utf8)
{
	struct span type = span_head(value, span_find(value, ';'));
	struct span address = span_tail(value, type.len + 1);
	bool is_utf8 = span_eq_nocase(type, SPAN("utf-8"));
	size_t n;

	if (value.len > DSN_ORCPT_MAX || type.len == value.len ||
	    !is_atom(type) || (is_utf8 && address.len == 0))
		return false;
	for (size_t i = 0; i < address.len; i += n) {
		struct span rest = span_tail(address, i);

		n = is_utf8 ? unitext_len(rest, utf8) : xtext_len(rest);
		if (n == 0)
			return false;
	}
	return true;
}

size_t
dsn_decode(struct span xtext, char *buf)
{
	size_t len = 0;
	int c;

	while (xtext.len > 0) {
		c = hexchar(xtext);
		buf[len++] = c >= 0 ? (char)c : xtext.ptr[0];
		xtext = span_tail(xtext, c >= 0 ? 3 : 1);
	}
	return len;
}

size_t
dsn_encode(struct span text, char *buf, size_t cap)
{
	static const char digits[] = "0123456789ABCDEF";
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		unsigned char c = (unsigned char)text.ptr[i];
		bool plain = c < 0x80 && is_xchar((char)c);

		if (cap - len < (plain ? 1 : 3))
			return 0;
		if (plain) {
			buf[len++] = (char)c;
			continue;
		}
		buf[len++] = '+';
		buf[len++] = digits[c >> 4];
		buf[len++] = digits[c & 15];
	}
	return len;
}

/* The number a well-formed character of UTF-8, of len bytes, stands for. */
static unsigned
code_point(const char *p, size_t len)
{
	unsigned v = (unsigned char)p[0] & (0xffu >> (len + 1));

	for (size_t i = 1; i < len; i++)
		v = v << 6 | ((unsigned char)p[i] & 0x3f);
	return v;
}

struct span
dsn_orcpt_ascii(struct span orcpt, char *buf)
{
	struct span none = { NULL, 0 };
	size_t len = 0, n;

	for (size_t i = 0; i < orcpt.len; i += n) {
		char one[16] = { orcpt.ptr[i] };
		size_t put = 1;

		n = 1;
		if ((unsigned char)orcpt.ptr[i] >= 0x80) {
			if ((n = utf8_len(span_tail(orcpt, i))) == 0)
				return none;
			put = (size_t)snprintf(one, sizeof(one), "\\x{%02X}",
			    code_point(orcpt.ptr + i, n));
		}
		if (DSN_ORCPT_MAX - len < put)
			return none;
		memcpy(buf + len, one, put);
		len += put;
	}
	return (struct span){ buf, len };
}
