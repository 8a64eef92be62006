/*
 * base64.c - by arithmetic, without a table: what is read is often a password,
 * and the places a table is looked up at show in the cache.
 */
#include <stdint.h>

#include "mail/base64.h"

static char
letter(unsigned v)
{
	if (v < 26)
		return (char)('A' + v);
	if (v < 52)
		return (char)('a' + v - 26);
	if (v < 62)
		return (char)('0' + v - 52);
	return v == 62 ? '+' : '/';
}

/* 64 for what is no letter of ours. */
static unsigned
value(char c)
{
	if (c >= 'A' && c <= 'Z')
		return (unsigned)(c - 'A');
	if (c >= 'a' && c <= 'z')
		return (unsigned)(c - 'a') + 26;
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0') + 52;
	if (c == '+')
		return 62;
	return c == '/' ? 63 : 64;
}

bool
base64_encode(struct span in, char *buf, size_t cap, size_t *len)
{
	size_t n = 0, left;
	uint32_t bits;

	if (in.len > SIZE_MAX / 2 || BASE64_LEN(in.len) > cap)
		return false;
	for (size_t i = 0; i < in.len; i += 3) {
		left = in.len - i;
		bits = (uint32_t)(unsigned char)in.ptr[i] << 16;
		if (left > 1)
			bits |= (uint32_t)(unsigned char)in.ptr[i + 1] << 8;
		if (left > 2)
			bits |= (unsigned char)in.ptr[i + 2];
		buf[n++] = letter(bits >> 18);
		buf[n++] = letter(bits >> 12 & 63);
		buf[n++] = left > 1 ? letter(bits >> 6 & 63) : '=';
		buf[n++] = left > 2 ? letter(bits & 63) : '=';
	}
	*len = n;
	return true;
}

/* How many "=" it ends with, of which two can be right. */
static size_t
padding(struct span text)
{
	if (text.len < 4 || text.ptr[text.len - 1] != '=')
		return 0;
	return text.ptr[text.len - 2] == '=' ? 2 : 1;
}

bool
base64_decode(struct span text, char *buf, size_t cap, size_t *len)
{
	size_t pad = padding(text), n = 0;
	uint32_t bits = 0;
	unsigned v;

	if (text.len % 4 != 0 || text.len / 4 * 3 - pad > cap)
		return false;
	for (size_t i = 0; i < text.len - pad; i++) {
		if ((v = value(text.ptr[i])) > 63)
			return false;
		bits = bits << 6 | v;
		if (i % 4 != 0)
			buf[n++] = (char)(bits >> (6 - i % 4 * 2));
		/* What is not a whole byte yet stays. */
		bits &= 0xff;
	}
	if (pad > 0 && (bits & (pad == 1 ? 3 : 15)) != 0)
		return false;
	*len = n;
	return true;
}
