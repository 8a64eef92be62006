/*
 * proxy_header.c - the first twelve bytes tell the versions apart.
 */
#include <arpa/inet.h>

#include <string.h>

#include "base/span.h"
#include "mail/proxy_header.h"

#define SIGNATURE_LEN	12
#define FIXED_LEN	16	/* signature, command, family, length	*/

static const uint8_t signature[SIGNATURE_LEN] = "\r\n\r\n\0\r\nQUIT\n";
static const char word[] = "PROXY ";

static bool
begins(const uint8_t *buf, size_t len, const void *with, size_t with_len)
{
	return memcmp(buf, with, len < with_len ? len : with_len) == 0;
}

/* Of version 2, whose fixed part is here. */
static size_t
whole_len(const uint8_t *buf)
{
	return FIXED_LEN + ((size_t)buf[14] << 8 | buf[15]);
}

size_t
proxy_header_room(const uint8_t *buf, size_t len, bool *is_line)
{
	size_t whole;

	*is_line = begins(buf, len, word, sizeof(word) - 1);
	if (!*is_line && !begins(buf, len, signature, SIGNATURE_LEN))
		return 0;
	if (len < SIGNATURE_LEN)
		return SIGNATURE_LEN - len;
	if (*is_line)
		return len < PROXY_HEADER_LINE && buf[len - 1] != '\n' ?
		    PROXY_HEADER_LINE - len : 0;
	if (len < FIXED_LEN)
		return FIXED_LEN - len;
	whole = whole_len(buf);
	return whole <= PROXY_HEADER_MAX && len < whole ? whole - len : 0;
}

static bool
read_port(struct span s, uint16_t *out)
{
	unsigned long long n;

	if (s.len > 1 && s.ptr[0] == '0')
		return false;
	if (!span_number(s, 65535, &n))
		return false;
	*out = (uint16_t)n;
	return true;
}

static bool
read_address(struct span s, uint8_t family, uint8_t out[16])
{
	char text[INET6_ADDRSTRLEN];

	return span_cstr(s, text, sizeof(text)) &&
	    inet_pton(family == 4 ? AF_INET : AF_INET6, text, out) == 1;
}

/* The next word of a line; single blanks part them. */
static struct span
take_word(struct span *line)
{
	struct span w = span_head(*line, span_find(*line, ' '));

	*line = span_tail(*line, w.len + 1);
	return w;
}

/* "TCP4 192.0.2.1 192.0.2.2 56324 25" */
static enum err
read_line(struct span line, struct proxy_header *h)
{
	struct span family, words[4];
	uint8_t other[16];
	uint16_t port;

	if (line.len < 2 || line.ptr[line.len - 2] != '\r' ||
	    line.ptr[line.len - 1] != '\n')
		return ERR_PEER;
	line.len -= 2;
	family = take_word(&line);
	if (span_eq(family, SPAN("UNKNOWN"))) {
		h->is_own = true;
		return OK;
	}
	if (!span_eq(family, SPAN("TCP4")) && !span_eq(family, SPAN("TCP6")))
		return ERR_PEER;
	h->family = family.ptr[3] == '4' ? 4 : 6;
	for (int i = 0; i < 4; i++)
		words[i] = take_word(&line);
	return line.len == 0 && read_address(words[0], h->family,
	    h->address) && read_address(words[1], h->family, other) &&
	    read_port(words[2], &h->port) && read_port(words[3], &port) ?
	    OK : ERR_PEER;
}

static enum err
read_bytes(const uint8_t *buf, size_t len, struct proxy_header *h)
{
	unsigned command = buf[12] & 0xf, family = buf[13] >> 4;
	size_t address_len = family == 1 ? 4 : 16, needed;

	if (buf[12] >> 4 != 2 || command > 1 || whole_len(buf) != len)
		return ERR_PEER;
	h->is_own = command == 0;
	if (h->is_own)
		return OK;
	/* Neither a stream of IPv4 nor of IPv6: it says nothing to us. */
	if ((family != 1 && family != 2) || (buf[13] & 0xf) != 1) {
		h->is_own = buf[13] == 0;
		return h->is_own ? OK : ERR_PEER;
	}
	needed = FIXED_LEN + 2 * address_len + 4;
	if (len < needed)
		return ERR_PEER;
	h->family = family == 1 ? 4 : 6;
	memcpy(h->address, buf + FIXED_LEN, address_len);
	h->port = (uint16_t)(buf[FIXED_LEN + 2 * address_len] << 8 |
	    buf[FIXED_LEN + 2 * address_len + 1]);
	return OK;
}

enum err
proxy_header_read(const uint8_t *buf, size_t len, struct proxy_header *out)
{
	struct proxy_header h = { 0 };
	struct span line = { (const char *)buf, len };
	enum err e;

	if (len < SIGNATURE_LEN)
		return ERR_PEER;
	if (begins(buf, len, word, sizeof(word) - 1))
		e = read_line(span_tail(line, sizeof(word) - 1), &h);
	else if (len >= FIXED_LEN &&
	    begins(buf, len, signature, SIGNATURE_LEN))
		e = read_bytes(buf, len, &h);
	else
		e = ERR_PEER;
	if (e == OK)
		*out = h;
	return e;
}
