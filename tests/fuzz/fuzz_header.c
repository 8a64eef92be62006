/*
 * fuzz_header.c - the header section fed whole and in parts: the same end, the
 * same facts; where there is an empty line it is the first one.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mail/header.h"

int	LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
feed_parts(struct header_scan *h, struct span in, size_t part)
{
	header_init(h);
	while (in.len > 0 && !h->done) {
		struct span s = span_head(in, part);
		size_t took = header_feed(h, s);

		if (took > s.len || (!h->done && took != s.len))
			abort();
		in = span_tail(in, s.len);
	}
	header_end(h);
}

static void
check_end(const struct header_scan *h, struct span in)
{
	struct span section = span_head(in, h->len);
	const char *at = section.len < 4 ? NULL :
	    memmem(section.ptr, section.len, "\r\n\r\n", 4);

	if (h->len > in.len)
		abort();
	if (at != NULL && (size_t)(at - section.ptr) + 4 != h->len)
		abort();
	if (h->has_blank && (h->len < 2 ||
	    memcmp(section.ptr + h->len - 2, "\r\n", 2) != 0))
		abort();
	if ((h->received_cnt > 0) != ((h->has & HEADER_RECEIVED) != 0))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct header_scan whole, cut;
	struct span in = { (const char *)bytes + 1, len - 1 };

	if (len < 2)
		return 0;
	feed_parts(&whole, in, in.len);
	feed_parts(&cut, in, bytes[0] % 17 + 1u);
	if (!whole.done || !cut.done || whole.len != cut.len ||
	    whole.has_blank != cut.has_blank || whole.has != cut.has ||
	    whole.is_8bit != cut.is_8bit ||
	    whole.received_cnt != cut.received_cnt)
		abort();
	check_end(&whole, in);
	return 0;
}
