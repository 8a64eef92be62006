/*
 * fuzz_proxy_header - the header of a proxy, in pieces as they come: what was
 * read is never more than the header, and what is good says so in full.
 */
#include <stdlib.h>
#include <string.h>

#include "mail/proxy_header.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t buf[PROXY_HEADER_MAX];
	struct proxy_header h;
	const uint8_t *end;
	size_t at = 0, room, step = size % 7 + 1;
	bool is_line;

	while (at < size && (room = proxy_header_room(buf, at, &is_line)) > 0) {
		if (room > PROXY_HEADER_MAX - at)
			abort();
		if (room > size - at)
			room = size - at;
		if (room > step)
			room = step;
		if (is_line && (end = memchr(data + at, '\n', room)) != NULL)
			room = (size_t)(end - data) + 1 - at;
		memcpy(buf + at, data + at, room);
		at += room;
	}
	if (proxy_header_read(buf, at, &h) != OK)
		return 0;
	if (proxy_header_room(buf, at, &is_line) != 0 ||
	    (!h.is_own && h.family != 4 && h.family != 6))
		abort();
	return 0;
}
