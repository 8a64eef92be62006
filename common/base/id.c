/*
 * id.c - 48 bits of milliseconds, 12 bits of counter, 62 bits of chance, of
 * which a node's number may take 16.  A clock that stands still or goes back
 * counts on from the last id instead.
 */
#include <string.h>

#include "base/ascii.h"
#include "base/id.h"

#define COUNTER_MAX	0xfffu

static void
put_time(struct id *id, uint64_t ms, unsigned counter)
{
	for (int i = 0; i < 6; i++)
		id->b[i] = (uint8_t)(ms >> (40 - 8 * i));
	id->b[6] = (uint8_t)(0x70 | (counter >> 8));
	id->b[7] = (uint8_t)counter;
}

static uint64_t
get_time(const struct id *id)
{
	uint64_t ms = 0;

	for (int i = 0; i < 6; i++)
		ms = ms << 8 | id->b[i];
	return ms;
}

struct id
id_next(struct id *last, int64_t now_ms, const uint8_t random8[8])
{
	uint64_t ms = now_ms > 0 ? (uint64_t)now_ms : 0;
	unsigned counter = 0;

	if (ms <= get_time(last)) {
		ms = get_time(last);
		counter = ((last->b[6] & 0xfu) << 8 | last->b[7]) + 1;
		if (counter > COUNTER_MAX) {
			ms++;
			counter = 0;
		}
	}
	put_time(last, ms, counter);
	memcpy(last->b + 8, random8, 8);
	last->b[8] = (uint8_t)(0x80 | (last->b[8] & 0x3f));
	return *last;
}

void
id_set_node(uint8_t random8[8], uint16_t node)
{
	if (node == 0)
		return;
	random8[6] = (uint8_t)(node >> 8);
	random8[7] = (uint8_t)node;
}

void
id_text(struct id id, char *buf)
{
	static const char hex[] = "0123456789abcdef";

	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*buf++ = '-';
		*buf++ = hex[id.b[i] >> 4];
		*buf++ = hex[id.b[i] & 15];
	}
	*buf = '\0';
}

bool
id_parse(struct span s, struct id *out)
{
	struct id id;
	size_t at = 0;

	if (s.len != ID_TEXT_LEN)
		return false;
	for (int i = 0; i < 16; i++) {
		int high, low;

		if ((i == 4 || i == 6 || i == 8 || i == 10) &&
		    s.ptr[at++] != '-')
			return false;
		high = ascii_hex(s.ptr[at++]);
		low = ascii_hex(s.ptr[at++]);
		if (high < 0 || low < 0)
			return false;
		id.b[i] = (uint8_t)(high << 4 | low);
	}
	*out = id;
	return true;
}

/* What is missing is filled in, and is an id if what is there begins one. */
static bool
parse_filled(struct span s, const char *form, struct id *out)
{
	char text[ID_TEXT_LEN + 1];

	if (s.len > ID_TEXT_LEN)
		return false;
	memcpy(text, form, sizeof(text));
	if (s.len > 0)
		memcpy(text, s.ptr, s.len);
	return id_parse((struct span){ text, ID_TEXT_LEN }, out);
}

bool
id_range(struct span s, struct id *first, struct id *last)
{
	return parse_filled(s, "00000000-0000-0000-0000-000000000000",
	    first) && parse_filled(s, "ffffffff-ffff-ffff-ffff-ffffffffffff",
	    last);
}

int
id_cmp(struct id a, struct id b)
{
	return memcmp(a.b, b.b, sizeof(a.b));
}
